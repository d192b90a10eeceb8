"""Deliver messages: one root message per incident, edited in place, and its thread. Each is posted once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from integrations.cards import NOTHING, Card
from integrations.errors import PermanentError, RetryableError
from integrations.protocols import MessageReference
from integrations.text import Markup, ours, stored
from storage import deliveries, incidents
from storage.models import Delivery, Incident
from workers.errors import NotConfiguredError, NotYetError, RefusedError
from workers.locks import one_at_a_time
from workers.services import Services
from workers.telling.enqueue import CARD
from workers.telling.incident_view import incident_view
from workers.telling.picture import incident_picture
from workers.telling.quiet_reasons import quiet_time_of
from workers.telling.root_card import root_card
from workers.words.findings import duration_text

_QUIET_STATUSES = ("held", "muted")
"""The statuses of a delivery held back during a quiet time, and dropped after it."""


def refresh_incident(services: Services, incident_id: int) -> None:
    """Post the incident's root message, or edit it when its content has changed."""
    with one_at_a_time(services, f"root:{incident_id}"):
        with services.sessions.begin() as session:
            root = deliveries.root_delivery(session, incident_id) or deliveries.create_delivery(
                session,
                key=f"root:{incident_id}",
                incident_id=incident_id,
                purpose="root",
                channel=services.settings.slack_channel,
                content={},
                now=services.clock(),
            )
            if root.message_id is None and _hold_back_if_quiet(services, session, root):
                return
            tried_before = root.attempts > 0
            root.attempts += 1
            delivery_id, content = root.id, dict(root.content)
        with services.readers() as session:
            view = incident_view(session, incident_id)
            told_late = stored(content.get("told_late") or "") or _late_reason(services, view.incident, content)
            picture, content = incident_picture(services, view, content)
            content = {**content, "told_late": told_late}
            quiet = quiet_time_of(session, view.incident, services.clock())
            card = root_card(view, picture, quiet=quiet.text if quiet else NOTHING, told_late=told_late)
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


def message_given_up(services: Services, incident_id: int, reason: str) -> None:
    """Mark the root message undelivered after its last retry, so that no thread message waits for it."""
    with services.sessions.begin() as session:
        root = deliveries.root_delivery(session, incident_id)
        if root is not None and root.message_id is None:
            deliveries.mark_undelivered(session, root, reason)


def deliver(services: Services, delivery_id: int) -> None:
    """Post one thread message. Raise NotYetError, which postpones the job, while the root message is not posted."""
    with one_at_a_time(services, f"delivery:{delivery_id}"):
        with services.sessions.begin() as session:
            delivery = deliveries.get_delivery(session, delivery_id)
            if delivery.status == "delivered" or delivery.incident_id is None:
                return
            if _hold_back_if_quiet(services, session, delivery):
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


def _hold_back_if_quiet(services: Services, session: Session, delivery: Delivery) -> bool:
    """Hold a message back if its incident is quiet now; drop it if the incident was closed during its quiet time.

    Return whether the message was held back or dropped. This is the only place where maintenance windows and snoozes
    suppress anything; everything is recorded anyway. The answer to a person's own decision is always sent if the
    incident's root message is posted.
    """
    assert delivery.incident_id is not None
    if delivery.purpose == "answer" and _is_posted(deliveries.root_delivery(session, delivery.incident_id)):
        return False
    now = services.clock()
    incident = incidents.get_incident(session, delivery.incident_id)
    quiet = quiet_time_of(session, incident, now)
    if quiet is not None:
        if delivery.purpose == "root" and delivery.status != "held":
            incidents.add_timeline(
                session,
                incident.id,
                kind="quiet",
                actor=incidents.ARGUX,
                text=ours("Quiet: {quiet}.", quiet=quiet.text),
                now=now,
            )
        if delivery.purpose == "root":
            delivery.content = {**delivery.content, "kept_quiet": quiet.why}
        delivery.status = "held"
        return True
    root = deliveries.root_delivery(session, incident.id)
    was_quiet = delivery.status in _QUIET_STATUSES or (root is not None and root.status in _QUIET_STATUSES)
    if was_quiet and incident.status.is_closed:
        delivery.status = "muted"
        return True
    return False


def _is_posted(root: Delivery | None) -> bool:
    return root is not None and root.message_id is not None


def _late_reason(services: Services, incident: Incident, content: dict[str, Any]) -> Markup:
    """Return why the message is late, if it was held back; else an empty string."""
    if "kept_quiet" not in content:
        return NOTHING
    lasted = duration_text((services.clock() - incident.onset_at).total_seconds())
    return ours("Told only now: {why}. It has been going on for {lasted}.", why=content["kept_quiet"], lasted=lasted)


def refuse_while_quiet(session: Session, incident: Incident, now: datetime) -> None:
    """Raise RefusedError during a quiet time, when no more people may be called."""
    quiet = quiet_time_of(session, incident, now)
    if quiet is not None:
        raise RefusedError(ours("{quiet}: nobody is called. End that first.", quiet=quiet.text))


def _thread(session: Session, delivery: Delivery) -> MessageReference:
    assert delivery.incident_id is not None
    root = deliveries.root_delivery(session, delivery.incident_id)
    if root is not None and root.status == "undelivered":
        raise RetryableError("Slack", "the incident's message could not be posted")
    if root is None or root.message_id is None:
        raise NotYetError("the incident's message is not posted yet")
    return MessageReference(root.channel, root.message_id)


def post_privately(services: Services, channel: str, user_id: str, text: Markup, thread_id: str | None = None) -> None:
    """Post a message that only one person sees."""
    thread = MessageReference(channel, thread_id) if thread_id else None
    services.chat.post_ephemeral(channel, user_id, text, thread)


@contextmanager
def _undelivered_on_failure(services: Services, delivery_id: int) -> Iterator[None]:
    """Mark the delivery undelivered, with the reason, when the block raises a permanent error; re-raise it."""
    try:
        yield
    except (PermanentError, NotConfiguredError) as error:
        with services.sessions.begin() as session:
            deliveries.mark_undelivered(session, deliveries.get_delivery(session, delivery_id), str(error))
        raise


def _hash(card: Card) -> str:
    canonical = json.dumps(CARD.dump_python(card, mode="json"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
