"""Detect custom metrics that left their usual level or are heading for a limit."""
