"""What people do in Slack, put where a worker finds it."""
