"""Where a loss is located: posted in the thread when first known, and kept when later findings know less."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import Attribution, Finding
from integrations.cards import Card
from integrations.text import bullets, ours
from storage import incidents
from storage.finding_details import attribution_to_json
from storage.models import FindingRecord, Incident
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.words.attribution import attribution_sentences, informativeness
from workers.words.attribution_details import attribution_of

_HOW = ours(
    "Each kind of user is held against its own past, in combinations of up to three dimensions; "
    "conversion falling and a different mix of users are counted apart."
)


def record_located_finding(
    services: Services, session: Session, incident: Incident, finding: Finding, *, tell: bool, now: datetime
) -> bool:
    """Record a finding; return whether its location is known now and was not before.

    tell: also post the location in the thread. The stored figures are those of the worst observation; the stored
    location is the first one known.
    """
    query = select(FindingRecord).where(
        FindingRecord.incident_id == incident.id, FindingRecord.fingerprint == finding.fingerprint
    )
    known = session.scalars(query).one_or_none()
    before = attribution_of(incidents.to_finding(known)) if known is not None else None
    row = incidents.record_finding(session, incident, finding, now=now)
    seen = attribution_of(finding)
    if informativeness(before)[0] >= informativeness(seen)[0]:
        if before is not None:
            row.details = {**row.details, **attribution_to_json(before)}
        return False
    assert seen is not None
    row.details = {**row.details, **attribution_to_json(seen)}
    if tell:
        _post_location(services, session, incident.id, seen, now)
    return True


def _post_location(services: Services, session: Session, incident_id: int, seen: Attribution, now: datetime) -> None:
    """Post the location once per place, however many findings share it."""
    about = repr((seen.verdict, [place.where for place in seen.places]))
    key = f"where:{hashlib.sha256(about.encode()).hexdigest()[:16]}"
    text = bullets(attribution_sentences(seen))
    enqueue_refresh(session, incident_id, key=f"{incident_id}:{key}", now=now)
    enqueue_thread_message(
        session,
        incident_id,
        key=key,
        card=Card(title="Where", text=text, context=_HOW),
        channel=services.settings.slack_channel,
        now=now,
    )
