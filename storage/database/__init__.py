"""The connection to the database, and what every table and transaction needs."""
