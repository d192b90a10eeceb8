"""The lifecycle of an incident: detect, group findings, verify recovery, keep knowledge entries."""
