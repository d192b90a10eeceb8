"""Enqueue a channel message in the transaction that causes it; workers.telling.delivery delivers it."""

from __future__ import annotations

from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from integrations.cards import Card
from storage import deliveries, outbox
from storage.models import Delivery

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
        key=thread_key(incident_id, key),
        incident_id=incident_id,
        purpose="answer" if is_answer else "thread",
        channel=channel,
        content=CARD.dump_python(card, mode="json"),
        now=now,
    )
    outbox.enqueue(session, "deliver", {"delivery_id": delivery.id}, key=deliver_key(delivery), now=now)


def thread_key(incident_id: int, key: str) -> str:
    """Return the key of the delivery of a thread's message."""
    return f"thread:{incident_id}:{key}"


def enqueue_refresh(session: Session, incident_id: int, *, key: str, now: datetime, delay_seconds: float = 0.0) -> None:
    """Enqueue an update of the incident's root message, rendered again after the commit."""
    arguments = {"incident_id": incident_id}
    outbox.enqueue(session, "refresh_incident", arguments, key=f"refresh:{key}", now=now, delay_seconds=delay_seconds)


def deliver_key(delivery: Delivery) -> str:
    """Return the key of the job that delivers a thread message."""
    return f"deliver:{delivery.key}"


def wake_thread(session: Session, incident_id: int, now: datetime) -> None:
    """Have the thread's next message sent at once, because what it waited for is done."""
    waiting = deliveries.first_waiting(session, incident_id)
    if waiting is not None:
        outbox.hasten(session, deliver_key(waiting), now=now)
