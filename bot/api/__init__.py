"""The HTTP API: funnels, incidents, deploys. Every route wants an operator's key."""
