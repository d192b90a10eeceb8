"""The HTTP API: funnels, incidents, deploys, logs, metrics and more. Every route needs an operator key."""
