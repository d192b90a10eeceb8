"""Changes of what is stored and sent: the form of data, schemas, queries, and the rows that they read."""
