"""What the channel shows: one root message an incident, edited in place, and its thread. Each is posted once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from integrations.cards import Card
from integrations.errors import PermanentError, RetryableError
from integrations.protocols import MessageReference
from storage import deliveries, outbox
from storage.models import Delivery
from workers.charting import incident_picture
from workers.errors import NotConfiguredError
from workers.incident_cards import root_card
from workers.locks import one_at_a_time
from workers.services import Services
from workers.views import incident_view

CARD = TypeAdapter(Card)


def tell_thread(session: Session, incident_id: int, *, key: str, card: Card, channel: str, now: datetime) -> None:
    """Owe a message to the incident's thread; it goes out after the commit, and only once for a key."""
    delivery = deliveries.owe(
        session,
        key=f"thread:{incident_id}:{key}",
        incident_id=incident_id,
        purpose="thread",
        channel=channel,
        content=CARD.dump_python(card, mode="json"),
        now=now,
    )
    outbox.enqueue(session, "deliver", {"delivery_id": delivery.id}, key=f"deliver:{delivery.key}", now=now)


def changed(session: Session, incident_id: int, *, key: str, now: datetime) -> None:
    """The root message no longer says what is true: render it again after the commit."""
    outbox.enqueue(session, "refresh_incident", {"incident_id": incident_id}, key=f"refresh:{key}", now=now)


def refresh_incident(services: Services, incident_id: int) -> None:
    """Post the root message, or edit it where it no longer says what is true."""
    with one_at_a_time(services, f"root:{incident_id}"):
        with services.sessions.begin() as session:
            root = deliveries.root_delivery(session, incident_id) or deliveries.owe(
                session,
                key=f"root:{incident_id}",
                incident_id=incident_id,
                purpose="root",
                channel=services.settings.slack_channel,
                content={},
                now=services.clock(),
            )
            tried_before = root.attempts > 0
            root.attempts += 1
            delivery_id, content = root.id, dict(root.content)
        with services.readers() as session:
            view = incident_view(session, incident_id)
            picture, content = incident_picture(services, view, content)
            card = root_card(view, picture)
        _show_root(services, delivery_id, card, content, look_first=tried_before)


def _show_root(services: Services, delivery_id: int, card: Card, content: dict[str, Any], *, look_first: bool) -> None:
    with services.readers() as session:
        root = deliveries.get_delivery(session, delivery_id)
    content_hash = _hash(card)
    if root.message_id is not None and root.content_hash == content_hash:
        return
    with _undelivered_on_failure(services, delivery_id):
        if root.message_id is None:
            posted = services.chat.post(root.channel, card, idempotency_key=root.key, look_first=look_first)
        else:
            posted = MessageReference(root.channel, root.message_id)
            services.chat.update(posted, card)
    with services.sessions.begin() as session:
        root = deliveries.get_delivery(session, delivery_id)
        root.channel, root.content = posted.channel, content
        deliveries.mark_delivered(
            session, root, message_id=posted.message_id, content_hash=content_hash, now=services.clock()
        )


def deliver(services: Services, delivery_id: int) -> None:
    """Post one thread message; waits for the root message it answers."""
    with one_at_a_time(services, f"delivery:{delivery_id}"):
        with services.sessions.begin() as session:
            delivery = deliveries.get_delivery(session, delivery_id)
            if delivery.status == "delivered" or delivery.incident_id is None:
                return
            thread = _thread(session, delivery)
            tried_before = delivery.attempts > 0
            delivery.attempts += 1
            key, card = delivery.key, CARD.validate_python(delivery.content)
        with _undelivered_on_failure(services, delivery_id):
            posted = services.chat.post(
                thread.channel, card, idempotency_key=key, thread=thread, look_first=tried_before
            )
        with services.sessions.begin() as session:
            delivery = deliveries.get_delivery(session, delivery_id)
            deliveries.mark_delivered(
                session, delivery, message_id=posted.message_id, content_hash=_hash(card), now=services.clock()
            )


def _thread(session: Session, delivery: Delivery) -> MessageReference:
    assert delivery.incident_id is not None
    root = deliveries.root_delivery(session, delivery.incident_id)
    if root is None or root.message_id is None:
        raise RetryableError("Slack", "the incident's message is not posted yet", retry_after_seconds=0.5)
    return MessageReference(root.channel, root.message_id)


def say_privately(services: Services, channel: str, user_id: str, text: str, thread_id: str | None = None) -> None:
    """Tell one person something; nobody else sees it."""
    thread = MessageReference(channel, thread_id) if thread_id else None
    services.chat.post_ephemeral(channel, user_id, text, thread)


@contextmanager
def _undelivered_on_failure(services: Services, delivery_id: int) -> Iterator[None]:
    """What cannot be delivered is marked so, with the reason, and never silently gone."""
    try:
        yield
    except (PermanentError, NotConfiguredError) as error:
        with services.sessions.begin() as session:
            deliveries.mark_undelivered(session, deliveries.get_delivery(session, delivery_id), str(error))
        raise


def _hash(card: Card) -> str:
    canonical = json.dumps(CARD.dump_python(card, mode="json"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
