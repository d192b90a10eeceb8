"""Knowledge entries: what was learnt from resolved incidents."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import KnowledgeEntry


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
    entry = session.scalars(select(KnowledgeEntry).where(KnowledgeEntry.incident_id == incident_id)).one_or_none()
    if entry is None:
        entry = KnowledgeEntry(incident_id=incident_id, created_at=now)
        session.add(entry)
    entry.symptom = symptom
    entry.root_cause = root_cause
    entry.fix = fix
    entry.recovery = recovery
    session.flush()
    return entry
