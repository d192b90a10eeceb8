"""Product events in the formats of the client libraries."""
