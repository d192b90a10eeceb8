"""The service that a log record comes from, by the names that agents and platforms give their sources."""
