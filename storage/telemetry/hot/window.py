"""How long records stay in the hot store, counted from their arrival."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from storage.telemetry.rows.tables import funnel_marks

HOT_SECONDS_BEYOND_WINDOW = 30 * 60.0
SHORTEST_HOT_SECONDS = 2 * 3600.0


def longest_window(connection: Connection) -> float:
    """Return the longest conversion window, in seconds, of the funnels rolled up so far; 0 without a funnel."""
    return connection.scalar(select(func.max(funnel_marks.c.window_seconds))) or 0.0


def hot_seconds(connection: Connection) -> float:
    """Return the retention of hot records in seconds: two hours, or the longest funnel window plus half an hour."""
    return max(SHORTEST_HOT_SECONDS, longest_window(connection) + HOT_SECONDS_BEYOND_WINDOW)
