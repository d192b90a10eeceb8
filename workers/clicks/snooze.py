"""Snoozing an incident: nobody is told of it for a while; all that happens is recorded as ever."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integrations.cards import moment
from storage import audit, incidents
from storage.database.rows import hold
from storage.models import Incident
from workers.errors import RefusedError
from workers.services import Services
from workers.telling.enqueue import changed
from workers.telling.held_messages import end_snooze, release

SHORTEST_MINUTES, LONGEST_MINUTES = 1, 7 * 24 * 60
BUTTON_MINUTES = 60


def snooze_incident(
    services: Services, session: Session, incident: Incident, *, minutes: float, actor: str, now: datetime
) -> None:
    """Keep it quiet for so long from now on; RefusedError where it is closed, or quiet for as long already."""
    hold(session, incident)
    if incident.status.is_closed:
        raise RefusedError("The incident is closed already; there is nothing to snooze.")
    until = now + timedelta(minutes=minutes)
    if incident.snoozed_until is not None and incident.snoozed_until > now and incident.snoozed_until >= until - _CLICK:
        raise RefusedError(
            f"{incident.snoozed_by} has snoozed this already, until {moment(incident.snoozed_until.timestamp())}."
        )
    incident.snoozed_until, incident.snoozed_by = until, actor
    text = f"Snoozed until {moment(until.timestamp())}. It goes on being recorded."
    incidents.add_timeline(session, incident.id, kind="snoozed", actor=actor, text=text, now=now)
    changed(session, incident.id, key=f"snoozed:{incident.id}:{now.timestamp()}", now=now)
    _record(services, session, incident, "snoozed", actor=actor, now=now)


_CLICK = timedelta(minutes=2)
"""Two people who press Snooze within this time mean the same hour."""


def unsnooze_incident(services: Services, session: Session, incident: Incident, *, actor: str, now: datetime) -> None:
    """Let it be told again from now on; RefusedError where it is not snoozed."""
    hold(session, incident)
    if incident.snoozed_until is None or incident.snoozed_until <= now:
        raise RefusedError("This is not snoozed any more.")
    end_snooze(services, session, incident, text=f"{actor} ended the snooze.", actor=actor, now=now)
    release(services, session, incident, now=now)
    _record(services, session, incident, "unsnoozed", actor=actor, now=now)


def _record(services: Services, session: Session, incident: Incident, event: str, *, actor: str, now: datetime) -> None:
    until = incident.snoozed_until.isoformat() if incident.snoozed_until is not None else None
    payload = {"incident_id": incident.id, "until": until}
    audit.append(session, key=services.audit_key, actor=actor, event=event, payload=payload, now=now)
