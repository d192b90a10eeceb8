"""Snooze an incident: its messages are held back for a while. Everything is still recorded."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integrations.cards import moment
from integrations.text import ours
from storage import audit, incidents
from storage.database.rows import hold
from storage.models import Incident
from workers.errors import RefusedError
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh
from workers.telling.held_messages import end_snooze, release

SHORTEST_MINUTES, LONGEST_MINUTES = 1, 7 * 24 * 60
BUTTON_MINUTES = 60


def snooze_incident(
    services: Services, session: Session, incident: Incident, *, minutes: float, actor: str, now: datetime
) -> None:
    """Hold back the incident's messages for `minutes` from now.

    Raise RefusedError when it is closed, or already snoozed at least that long.
    """
    hold(session, incident)
    if incident.status.is_closed:
        raise RefusedError("The incident is closed already; there is nothing to snooze.")
    until = now + timedelta(minutes=minutes)
    if (
        incident.snoozed_until is not None
        and incident.snoozed_until > now
        and incident.snoozed_until >= until - _TOGETHER
    ):
        raise RefusedError(
            ours(
                "{who} has snoozed this already, until {end}.",
                who=incident.snoozed_by,
                end=moment(incident.snoozed_until.timestamp()),
            )
        )
    incident.snoozed_until, incident.snoozed_by = until, actor
    text = ours("Snoozed until {end}. It goes on being recorded.", end=moment(until.timestamp()))
    incidents.add_timeline(session, incident.id, kind="snoozed", actor=actor, text=text, now=now)
    enqueue_refresh(session, incident.id, key=f"snoozed:{incident.id}:{now.timestamp()}", now=now)
    _record(services, session, incident, "snoozed", actor=actor, now=now)


_TOGETHER = timedelta(minutes=2)
"""When two people press Snooze within this time, only the first press counts."""


def unsnooze_incident(services: Services, session: Session, incident: Incident, *, actor: str, now: datetime) -> None:
    """End the snooze and release the held messages; raise RefusedError when the incident is not snoozed."""
    hold(session, incident)
    if incident.snoozed_until is None or incident.snoozed_until <= now:
        raise RefusedError("This is not snoozed any more.")
    end_snooze(services, session, incident, text=ours("{who} ended the snooze.", who=actor), actor=actor, now=now)
    release(services, session, incident, now=now)
    _record(services, session, incident, "unsnoozed", actor=actor, now=now)


def _record(services: Services, session: Session, incident: Incident, event: str, *, actor: str, now: datetime) -> None:
    until = incident.snoozed_until.isoformat() if incident.snoozed_until is not None else None
    payload = {"incident_id": incident.id, "until": until}
    audit.append(session, key=services.audit_key, actor=actor, event=event, payload=payload, now=now)
