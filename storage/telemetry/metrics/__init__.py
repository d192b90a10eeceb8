"""Points of custom metrics, rolled up by series."""
