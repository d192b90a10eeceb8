"""The life of an incident: a tick detects, findings are grouped, recovery is verified, and lessons are kept."""
