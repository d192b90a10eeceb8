"""Readers for alerts and logs in the formats of other monitoring systems."""
