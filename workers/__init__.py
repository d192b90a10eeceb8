"""What runs in the background: detect, diagnose, notify, remediate, verify, learn."""
