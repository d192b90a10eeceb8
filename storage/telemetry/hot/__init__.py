"""The hot store: raw records, appended, read, and dropped once they are rolled up and archived."""
