"""Detect endpoints that are slower, fail more, query the database more, or get more or less traffic than normal."""
