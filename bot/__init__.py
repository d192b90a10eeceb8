"""What people and other systems talk to: Slack, HTTP API, ingest doors, command line, demo."""
