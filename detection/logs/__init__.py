"""Detect log lines that are new, more frequent than usual, or match a named pattern."""
