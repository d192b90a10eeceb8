"""Ask for a diagnosis when an incident changes: one at a time, and not again too soon."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import diagnoses, outbox
from storage.models import Diagnosis, Incident

AGAIN_SECONDS = 30.0
"""How long after a diagnosis began the next one of the same incident begins, when new findings ask for one."""


def enqueue_diagnosis(session: Session, incident: Incident, *, patience_seconds: float, now: datetime) -> None:
    """Enqueue a diagnosis of the incident's findings, in the caller's transaction, unless one waits already.

    Called whenever a finding joins the incident. Do nothing if the latest diagnosis names the commit already, or if the
    incident is neither open nor acknowledged. Without an endpoint among the findings the diagnosis is delayed by
    `patience_seconds`: the endpoint that broke a funnel may be found soon, and shows the cause better.
    """
    if not incident.status.awaits_people:
        return
    latest = diagnoses.latest_diagnosis(session, incident.id)
    if latest is not None and latest.suspect_commit is not None:
        return
    has_endpoint = any(record.subject["endpoint"] for record in incident.findings)
    delay = 0.0 if has_endpoint else patience_seconds
    if latest is not None:
        # A clock that was set back must not make people wait for as long as it was ahead.
        delay = max(delay, AGAIN_SECONDS - max((now - latest.started_at).total_seconds(), 0.0))
    prefix = f"diagnose:{incident.id}:"
    running = 1 if latest is not None and latest.status == "running" else 0
    if outbox.unfinished(session, prefix) > running:
        outbox.hasten_all(session, prefix, to=now + timedelta(seconds=delay))
        return
    arguments = {"incident_id": incident.id, "is_asked": False}
    key = f"{prefix}{now.timestamp()}"
    outbox.enqueue(session, "diagnose", arguments, key=key, now=now, delay_seconds=delay)


def is_covered(incident: Incident, latest: Diagnosis | None) -> bool:
    """Whether the latest diagnosis names the commit, or began after the incident's newest finding was first seen."""
    if latest is None or latest.status == "running":
        return False
    newest = max((record.first_seen_at for record in incident.findings), default=incident.opened_at)
    return latest.suspect_commit is not None or latest.started_at > newest
