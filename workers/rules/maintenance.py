"""Start and end maintenance windows: validated and recorded in the audit chain."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import audit, maintenance
from storage.models import MaintenanceWindow
from workers.errors import RefusedError
from workers.services import Services

EVERYTHING = "everything"
LONGEST = timedelta(days=30)
"""A longer window is more likely a typing error than a plan."""


class WindowError(RefusedError):
    """The window is not valid; `field` names the wrong field."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def start_window(
    services: Services,
    session: Session,
    *,
    service: str | None,
    begins_at: datetime,
    ends_at: datetime,
    reason: str,
    actor: str,
    now: datetime,
) -> MaintenanceWindow:
    """Create a window. Windows may overlap.

    Raise WindowError when the window ends before it begins, is over already, or is longer than LONGEST.
    """
    _check(begins_at, ends_at, now)
    window = maintenance.create_window(
        session, service=service, begins_at=begins_at, ends_at=ends_at, reason=reason, made_by=actor, now=now
    )
    _record(services, session, window, "maintenance_started", actor=actor, now=now)
    return window


def end_window(services: Services, session: Session, window_id: int, *, actor: str, now: datetime) -> MaintenanceWindow:
    """End a window, or cancel one that has not begun; raise RefusedError when it is over already."""
    window = maintenance.get_window(session, window_id)
    if not maintenance.end_window(session, window, actor=actor, now=now):
        raise RefusedError(f"Maintenance window {window_id} is over already.")
    _record(services, session, window, "maintenance_ended", actor=actor, now=now)
    return window


def _check(begins_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at == begins_at:
        raise WindowError("The window has no length: it ends when it begins.", field="ends_at")
    if ends_at < begins_at:
        raise WindowError("The window ends before it begins.", field="ends_at")
    if ends_at <= now:
        raise WindowError("The window is over already: its end lies in the past.", field="ends_at")
    if ends_at - begins_at > LONGEST:
        raise WindowError(f"The window is longer than {LONGEST.days} days; make several.", field="ends_at")


def _record(
    services: Services, session: Session, window: MaintenanceWindow, event: str, *, actor: str, now: datetime
) -> None:
    payload = {
        "window_id": window.id,
        "service": window.service,
        "begins_at": window.begins_at.isoformat(),
        "ends_at": window.ends_at.isoformat(),
        "reason": window.reason,
    }
    audit.append(session, key=services.audit_key, actor=actor, event=event, payload=payload, now=now)
