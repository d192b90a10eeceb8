"""Enqueue a channel message in the transaction that causes it; workers.telling.delivery delivers it."""

from __future__ import annotations

from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from integrations.cards import Card
from storage import deliveries, outbox

CARD = TypeAdapter(Card)


def enqueue_thread_message(
    session: Session,
    incident_id: int,
    *,
    key: str,
    card: Card,
    channel: str,
    now: datetime,
    is_answer: bool = False,
) -> None:
    """Enqueue a message for the incident's thread. It is sent after the commit, and only once per key.

    is_answer: the message reports the result of a person's own decision, so no quiet time holds it back.
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


def enqueue_refresh(session: Session, incident_id: int, *, key: str, now: datetime) -> None:
    """Enqueue an update of the incident's root message, rendered again after the commit."""
    outbox.enqueue(session, "refresh_incident", {"incident_id": incident_id}, key=f"refresh:{key}", now=now)
