"""Detect funnels that convert less or more than normal, the segments concerned, and the cost."""
