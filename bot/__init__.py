"""The interfaces of Argux: Slack, HTTP API, ingest doors, command line, and the demo."""
