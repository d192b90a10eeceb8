"""Where a loss is: told in the thread when it is first known, and kept though later sights of it say less."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import Attribution, Finding
from integrations.cards import Card
from storage import incidents
from storage.finding_details import attribution_to_json
from storage.models import FindingRecord, Incident
from workers.services import Services
from workers.telling.enqueue import changed, tell_thread
from workers.words.attribution import telling, where_sentences
from workers.words.attribution_details import attribution_of

_HOW = (
    "Each kind of user is held against its own past, in combinations of up to three dimensions; "
    "conversion falling and a different mix of users are counted apart."
)


def record(
    services: Services, session: Session, incident: Incident, finding: Finding, *, tell: bool, now: datetime
) -> bool:
    """Record a finding; returns whether it is now known where the loss is and was not before. tell: say it, too.

    The finding's figures are those of its worst sight, where it is what the first telling one said.
    """
    query = select(FindingRecord).where(
        FindingRecord.incident_id == incident.id, FindingRecord.fingerprint == finding.fingerprint
    )
    known = session.scalars(query).one_or_none()
    before = attribution_of(incidents.to_finding(known)) if known is not None else None
    row = incidents.record_finding(session, incident, finding, now=now)
    seen = attribution_of(finding)
    if telling(before)[0] >= telling(seen)[0]:
        if before is not None:
            row.details = {**row.details, **attribution_to_json(before)}
        return False
    assert seen is not None
    row.details = {**row.details, **attribution_to_json(seen)}
    if tell:
        _tell(services, session, incident.id, seen, now)
    return True


def _tell(services: Services, session: Session, incident_id: int, seen: Attribution, now: datetime) -> None:
    """Once for a place, however many findings it moved."""
    about = repr((seen.verdict, [place.where for place in seen.places]))
    key = f"where:{hashlib.sha256(about.encode()).hexdigest()[:16]}"
    text = "\n".join(f"- {sentence}" for sentence in where_sentences(seen))
    changed(session, incident_id, key=f"{incident_id}:{key}", now=now)
    tell_thread(
        session,
        incident_id,
        key=key,
        card=Card(title="Where", text=text, context=_HOW),
        channel=services.settings.slack_channel,
        now=now,
    )
