"""Maintenance windows: time ranges in which incidents are recorded but not announced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database.reading import readable
from storage.database.rows import get, hold
from storage.models import MaintenanceWindow


def create_window(
    session: Session,
    *,
    service: str | None,
    begins_at: datetime,
    ends_at: datetime,
    reason: str,
    made_by: str,
    now: datetime,
) -> MaintenanceWindow:
    """Create a window. service: None for everything."""
    window = MaintenanceWindow(
        service=service, begins_at=begins_at, ends_at=ends_at, reason=reason, made_by=made_by, created_at=now
    )
    session.add(window)
    session.flush()
    return window


def get_window(session: Session, window_id: int) -> MaintenanceWindow:
    """Return one window; raise NotFoundError if there is none."""
    return get(session, MaintenanceWindow, window_id, "maintenance window")


def windows_not_over(session: Session, now: datetime) -> Sequence[MaintenanceWindow]:
    """Return current and future windows, ordered by their beginning."""
    query = select(MaintenanceWindow).where(MaintenanceWindow.ends_at > now)
    return readable(session, query.order_by(MaintenanceWindow.begins_at, MaintenanceWindow.id))


def latest_windows(session: Session, *, limit: int) -> Sequence[MaintenanceWindow]:
    """Return the latest windows, ended or not, latest beginning first."""
    query = select(MaintenanceWindow).order_by(MaintenanceWindow.begins_at.desc(), MaintenanceWindow.id.desc())
    return readable(session, query.limit(limit))


def end_window(session: Session, window: MaintenanceWindow, *, actor: str, now: datetime) -> bool:
    """End a window now, or cancel it if it has not begun; return False if it has ended already."""
    hold(session, window)
    if window.ends_at <= now:
        return False
    window.begins_at = min(window.begins_at, now)
    window.ends_at = now
    window.ended_by = actor
    session.flush()
    return True


def close_ended_windows(session: Session, now: datetime) -> Sequence[MaintenanceWindow]:
    """Mark the windows that have ended as closed, and return them; each window is returned once."""
    query = select(MaintenanceWindow).where(MaintenanceWindow.ends_at <= now, MaintenanceWindow.closed_at.is_(None))
    windows = readable(session, query.with_for_update(skip_locked=True))
    for window in windows:
        window.closed_at = now
    session.flush()
    return windows
