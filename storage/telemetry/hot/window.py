"""How long single records stay in the hot store, counted from their arrival."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from storage.telemetry.rows.tables import funnel_marks

HOT_SECONDS_BEYOND_WINDOW = 30 * 60.0
SHORTEST_HOT_SECONDS = 2 * 3600.0


def longest_window(connection: Connection) -> float:
    """Seconds of the longest conversion window of any funnel that was rolled up; 0 without one."""
    return connection.scalar(select(func.max(funnel_marks.c.window_seconds))) or 0.0


def hot_seconds(connection: Connection) -> float:
    """Two hours, or half an hour beyond the longest funnel window."""
    return max(SHORTEST_HOT_SECONDS, longest_window(connection) + HOT_SECONDS_BEYOND_WINDOW)
