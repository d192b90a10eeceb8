"""Say on the incident that its alert had waited for the digest, since when, and why it does no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from detection.types import IncidentStatus
from integrations.cards import Card, moment
from integrations.text import ours
from storage import incidents
from storage.models import FindingRecord, Incident, TriageDecision
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message

_ACTIVE = [status for status in IncidentStatus if not status.is_closed]


def tell_turned(services: Services, turned: Sequence[TriageDecision], now: datetime) -> None:
    """Post it in the thread of the incident that the alert has opened or joined; without one, nobody was woken."""
    for decision in turned:
        with services.sessions.begin() as session:
            incident_id = session.scalars(
                select(FindingRecord.incident_id)
                .join(Incident, Incident.id == FindingRecord.incident_id)
                .where(FindingRecord.fingerprint == decision.fingerprint, Incident.status.in_(_ACTIVE))
                .order_by(Incident.id.desc())
                .limit(1)
            ).one_or_none()
            if incident_id is None:
                continue
            card = turned_card(decision)
            incidents.add_timeline(session, incident_id, kind="turned", actor=incidents.ARGUX, text=card.text, now=now)
            enqueue_thread_message(
                session,
                incident_id,
                key=f"turned:{decision.id}",
                card=card,
                channel=services.settings.slack_channel,
                now=now,
            )


def turned_card(decision: TriageDecision) -> Card:
    """Such as "DiskFull had waited for the digest since 14:02. Now it wakes you: It is still rising, now at 91."."""
    assert decision.waiting_since is not None
    text = ours(
        "{name} had waited for the digest since {since}. Now it wakes you: {reason}",
        name=decision.name,
        since=moment(decision.waiting_since.timestamp()),
        reason=decision.reason,
    )
    return Card(title="It could wait, and now it cannot", text=text)
