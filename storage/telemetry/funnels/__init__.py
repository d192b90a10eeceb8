"""Roll up funnel attempts by segment and by combination of dimension values."""
