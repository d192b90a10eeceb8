"""The database connection, and helpers that every table and transaction needs."""
