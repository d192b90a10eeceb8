"""Funnel attempts, rolled up by segment and by combination of dimension values."""
