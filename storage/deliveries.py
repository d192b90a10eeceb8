"""Messages owed to a channel: delivered, or shown as undelivered, never silently gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database.rows import get
from storage.database.upserts import insert_if_new
from storage.models import Delivery


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
    """Owe a message from this transaction's commit on; the second time under a key gets the first one's row."""
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
    """One delivery, or NotFoundError."""
    return get(session, Delivery, delivery_id, "delivery")


def root_delivery(session: Session, incident_id: int) -> Delivery | None:
    """The incident's root message: the one that is edited in place."""
    query = select(Delivery).where(Delivery.incident_id == incident_id, Delivery.purpose == "root")
    return session.scalars(query.order_by(Delivery.id).limit(1)).one_or_none()


def held(session: Session, incident_id: int) -> Sequence[Delivery]:
    """What an incident's quiet time holds back, in order."""
    query = select(Delivery).where(Delivery.incident_id == incident_id, Delivery.status == "held")
    return session.scalars(query.order_by(Delivery.id).with_for_update()).all()


def incidents_with_held(session: Session) -> Sequence[int]:
    """The incidents of which something is held back."""
    query = select(Delivery.incident_id).where(Delivery.status == "held", Delivery.incident_id.is_not(None))
    return [found for found in session.scalars(query.distinct()) if found is not None]


def mark_delivered(
    session: Session, delivery: Delivery, *, message_id: str, content_hash: str | None, now: datetime
) -> None:
    """The channel shows it, as `content_hash`."""
    delivery.status = "delivered"
    delivery.message_id = message_id
    delivery.content_hash = content_hash
    delivery.attempts += 1
    delivery.error = None
    delivery.delivered_at = now
    session.flush()


def mark_undelivered(session: Session, delivery: Delivery, error: str) -> None:
    """The channel refused it; a person can see that, and why."""
    delivery.status = "undelivered"
    delivery.attempts += 1
    delivery.error = error
    session.flush()
