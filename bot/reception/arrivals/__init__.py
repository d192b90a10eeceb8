"""What came in, per sender and door, in the last hour: counted in memory, kept in the database, read again."""
