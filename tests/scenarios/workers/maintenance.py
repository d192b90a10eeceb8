"""Maintenance windows, as people start them."""

from __future__ import annotations

from datetime import timedelta

from workers.rules.maintenance import start_window
from workers.services import Services


def maintained(services: Services, service: str | None = "shop", hours: float = 2) -> int:
    """Start a window from now on, of one service or (None) of everything; return its id."""
    now = services.clock()
    with services.sessions.begin() as session:
        window = start_window(
            services, session, service=service, begins_at=now, ends_at=now + timedelta(hours=hours),
            reason="new database", actor="Ana", now=now,
        )  # fmt: skip
        return window.id
