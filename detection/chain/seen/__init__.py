"""Observations of each sort as signs: metrics, log lines, events of the orchestrator, traces."""
