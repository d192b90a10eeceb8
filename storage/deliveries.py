"""Messages to channels. Every message ends as delivered, undelivered or muted; none is lost silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from storage.database.reading import readable
from storage.database.rows import get
from storage.database.upserts import insert_if_new
from storage.models import Delivery

SHOWN_IN, SHOWN_BEFORE = "shown_in", "shown_before"
"""In a root message's content: the id of the message that shows its card in its place, and the places it had."""

MOST_PLACES = 20


def create_delivery(
    session: Session,
    *,
    key: str,
    incident_id: int | None,
    purpose: str,
    channel: str,
    content: Mapping[str, Any],
    now: datetime,
) -> Delivery:
    """Create a message, pending from this transaction's commit on. A repeated key returns the existing message."""
    values = {
        "key": key,
        "incident_id": incident_id,
        "purpose": purpose,
        "channel": channel,
        "content": dict(content),
        "status": "pending",
        "attempts": 0,
        "created_at": now,
    }
    insert_if_new(session, Delivery, values, unique=["key"])
    return session.scalars(select(Delivery).where(Delivery.key == key)).one()


def get_delivery(session: Session, delivery_id: int) -> Delivery:
    """Return one delivery; raise NotFoundError if there is none."""
    return get(session, Delivery, delivery_id, "delivery")


def root_delivery(session: Session, incident_id: int) -> Delivery | None:
    """Return the incident's root message, which is edited in place; None if there is none."""
    query = select(Delivery).where(Delivery.incident_id == incident_id, Delivery.purpose == "root")
    return session.scalars(query.order_by(Delivery.id).limit(1)).one_or_none()


def places(root: Delivery) -> Sequence[tuple[str, str]]:
    """Return the channel and id of each message that shows the root message's card, or showed it earlier."""
    current = [] if root.message_id is None else [(root.channel, root.message_id)]
    if stand_in := root.content.get(SHOWN_IN):
        current.append((root.channel, stand_in))
    return [*current, *((channel, message_id) for channel, message_id in root.content.get(SHOWN_BEFORE, ()))]


def remembered(root: Delivery) -> dict[str, Any]:
    """Return what to store with a root message that is posted elsewhere: the places it had, whose buttons may stay."""
    return {SHOWN_BEFORE: [list(place) for place in dict.fromkeys(places(root))][:MOST_PLACES]}


def at(session: Session, channel: str, message_id: str) -> Delivery | None:
    """Return the message that was posted as this id in this channel; None if it is none of ours."""
    query = select(Delivery).where(Delivery.message_id == message_id, Delivery.channel == channel)
    return session.scalars(query.order_by(Delivery.id).limit(1)).one_or_none()


def newest(session: Session, purpose: str) -> Delivery | None:
    """Return the newest message of a purpose; None if there is none."""
    query = select(Delivery).where(Delivery.purpose == purpose).order_by(Delivery.id.desc()).limit(1)
    return session.scalars(query).one_or_none()


def held(session: Session, incident_id: int) -> Sequence[Delivery]:
    """Return and lock an incident's messages that its quiet time holds back, oldest first."""
    query = select(Delivery).where(Delivery.incident_id == incident_id, Delivery.status == "held")
    return readable(session, query.order_by(Delivery.id).with_for_update())


def incidents_with_held(session: Session) -> Sequence[int]:
    """Return the ids of incidents with messages held back."""
    query = select(Delivery.incident_id).where(Delivery.status == "held", Delivery.incident_id.is_not(None))
    return [found for found in session.scalars(query.distinct()) if found is not None]


def first_waiting(session: Session, incident_id: int) -> Delivery | None:
    """Return the message of the incident's thread whose turn it is: the oldest that is neither sent nor given up."""
    query = select(Delivery).where(*_waits_in_thread(incident_id))
    return session.scalars(query.order_by(Delivery.id).limit(1)).one_or_none()


def waiting_before(session: Session, delivery: Delivery) -> int:
    """Return how many messages of the same thread are to be sent before this one."""
    assert delivery.incident_id is not None
    query = select(func.count()).where(*_waits_in_thread(delivery.incident_id), Delivery.id < delivery.id)
    return session.scalar(query) or 0


def _waits_in_thread(incident_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.incident_id == incident_id,
        Delivery.purpose.in_(("thread", "answer")),
        Delivery.status.in_(("pending", "blocked")),
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """The messages that wait for one reason, which a person can mend; since: when the oldest was written."""

    reason: str
    count: int
    since: datetime


def waiting(session: Session) -> Sequence[Waiting]:
    """Return the messages that a channel does not take, by reason, the longest waiting first."""
    oldest = func.min(Delivery.created_at)
    query = (
        select(Delivery.error, func.count(), oldest)
        .where(Delivery.status.in_(("blocked", "refused")))
        .group_by(Delivery.error)
        .order_by(oldest)
    )
    return [Waiting(reason or "not known", count, since) for reason, count, since in session.execute(query)]


def mark_delivered(
    session: Session, delivery: Delivery, *, message_id: str, content_hash: str | None, now: datetime
) -> None:
    """Record that the channel shows the message, with the content of `content_hash`."""
    delivery.status = "delivered"
    delivery.message_id = message_id
    delivery.content_hash = content_hash
    delivery.attempts += 1
    delivery.error = None
    delivery.delivered_at = now
    session.flush()


def mark_undelivered(session: Session, delivery: Delivery, error: str) -> None:
    """Record that the channel refused the message, and why, for people to see."""
    delivery.status = "undelivered"
    delivery.attempts += 1
    delivery.error = error
    session.flush()
