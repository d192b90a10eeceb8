"""Messages about an incident: built, enqueued, delivered and kept up to date."""
