"""Knowledge entries: what was learnt from resolved incidents."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage.database.reading import readable
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
