"""Owing the channel a message, in the same transaction as what it tells of; workers.telling.delivery hands it over."""

from __future__ import annotations

from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from integrations.cards import Card
from storage import deliveries, outbox

CARD = TypeAdapter(Card)


def tell_thread(
    session: Session,
    incident_id: int,
    *,
    key: str,
    card: Card,
    channel: str,
    now: datetime,
    is_answer: bool = False,
) -> None:
    """Owe a message to the incident's thread; it goes out after the commit, and only once for a key.

    is_answer: it is what became of a person's own decision, so no quiet time holds it back.
    """
    delivery = deliveries.create_delivery(
        session,
        key=f"thread:{incident_id}:{key}",
        incident_id=incident_id,
        purpose="answer" if is_answer else "thread",
        channel=channel,
        content=CARD.dump_python(card, mode="json"),
        now=now,
    )
    outbox.enqueue(session, "deliver", {"delivery_id": delivery.id}, key=f"deliver:{delivery.key}", now=now)


def changed(session: Session, incident_id: int, *, key: str, now: datetime) -> None:
    """The root message no longer says what is true: render it again after the commit."""
    outbox.enqueue(session, "refresh_incident", {"incident_id": incident_id}, key=f"refresh:{key}", now=now)
