"""Knowledge entries: what was learnt from resolved incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from storage.database.reading import readable
from storage.models import FindingRecord, Incident, KnowledgeEntry


def remember(
    session: Session,
    incident_id: int,
    *,
    symptom: str,
    root_cause: str,
    fix: str,
    recovery: str,
    now: datetime,
) -> KnowledgeEntry:
    """Store the knowledge entry of an incident. An incident has one entry; a newer one overwrites it."""
    texts = {"symptom": symptom, "root_cause": root_cause, "fix": fix, "recovery": recovery}
    earlier = select(KnowledgeEntry).where(KnowledgeEntry.incident_id == incident_id)
    found = next(iter(readable(session, earlier)), None)
    if found is None:
        # One that cannot be read goes; what is learnt now takes its place.
        session.execute(delete(KnowledgeEntry).where(KnowledgeEntry.incident_id == incident_id))
        found = KnowledgeEntry(incident_id=incident_id, created_at=now)
        session.add(found)
    for name, text in texts.items():
        setattr(found, name, text)
    session.flush()
    return found


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """What was learnt from a resolved incident. metrics: those of its findings. ended_at: seconds UTC.

    symptom, root_cause, fix, recovery: as told then; each may be empty.
    """

    incident_id: int
    service: str | None
    ended_at: float
    symptom: str
    root_cause: str
    fix: str
    recovery: str
    metrics: frozenset[str]


def known_incidents(session: Session, *, since: datetime, but: int, limit: int = 200) -> list[KnownIncident]:
    """Return what was learnt since then, newest first, without that of the incident `but` and of false alarms."""
    query = select(KnowledgeEntry).where(KnowledgeEntry.created_at >= since, KnowledgeEntry.incident_id != but)
    entries = readable(session, query.order_by(KnowledgeEntry.created_at.desc(), KnowledgeEntry.id.desc()).limit(limit))
    ids = [entry.incident_id for entry in entries]
    resolved = select(Incident.id, Incident.service).where(
        Incident.id.in_(ids), Incident.status == IncidentStatus.RESOLVED
    )
    services = {row.id: row.service for row in session.execute(resolved)}
    metrics: dict[int, set[str]] = {}
    for incident_id, metric in session.execute(
        select(FindingRecord.incident_id, FindingRecord.metric).where(FindingRecord.incident_id.in_(ids))
    ):
        metrics.setdefault(incident_id, set()).add(metric)
    return [
        KnownIncident(
            incident_id=entry.incident_id,
            service=services[entry.incident_id],
            ended_at=entry.created_at.timestamp(),
            symptom=entry.symptom,
            root_cause=entry.root_cause,
            fix=entry.fix,
            recovery=entry.recovery,
            metrics=frozenset(metrics.get(entry.incident_id, ())),
        )
        for entry in entries
        if entry.incident_id in services
    ]
