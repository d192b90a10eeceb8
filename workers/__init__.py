"""Background work: detect, diagnose, notify, remediate, verify, learn."""
