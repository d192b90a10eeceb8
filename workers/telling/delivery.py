"""Deliver the messages of an incident's thread: each is posted once, and in the order in which they were enqueued."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from integrations.cards import Card
from integrations.errors import ChannelRefusedError, MessageGoneError, PictureNotReadyError, ThreadRefusedError
from integrations.protocols import MessageReference
from storage import deliveries
from storage.models import Delivery
from workers.errors import NotYetError
from workers.locks import one_at_a_time
from workers.services import Services
from workers.telling.channels import pace
from workers.telling.channels.sending import sending, take_turn
from workers.telling.enqueue import CARD, wake_thread
from workers.telling.holding_back import hold_back_if_quiet
from workers.telling.root_message import card_hash, post_anew

log = structlog.get_logger()

WAIT_SECONDS = 5.0
"""When a message looks again whether it is its turn; usually the message before it wakes it earlier."""

BLOCKED_SECONDS = 60.0
"""The same, while the channel takes no messages, and at most."""

PICTURE_SETTLES = timedelta(seconds=30)
"""How long a message waits, from when it was enqueued, for the channel to accept its picture."""


def deliver(services: Services, delivery_id: int) -> None:
    """Post one thread message. Raise NotYetError, which postpones the job, while it is not its turn.

    Each message waits for the root message and for those enqueued before it. One that was given up holds up no other.
    """
    with one_at_a_time(services, f"delivery:{delivery_id}"):
        with services.sessions.begin() as session:
            delivery = deliveries.get_delivery(session, delivery_id)
            if delivery.status == "delivered" or delivery.incident_id is None:
                return
            if hold_back_if_quiet(services, session, delivery):
                wake_thread(session, delivery.incident_id, services.clock())
                return
            place = _place(services, session, delivery)
            session.flush()
            session.expunge(delivery)
        if isinstance(place, NotYetError):
            raise place
        lane = pace.Lane.FIRST if delivery.purpose == "answer" else pace.Lane.LATER
        take_turn(services, delivery, place.pace, delivery.key, lane)
        card = CARD.validate_python(delivery.content)
        with sending(services, delivery, place.pace, delivery.key):
            posted = _post_with_its_picture(services, delivery, place, card)
        _mark_posted(services, delivery_id, posted, card)


def delivery_given_up(services: Services, delivery_id: int, reason: str) -> None:
    """Mark a thread message undelivered after its last try, so that the later ones do not wait for it."""
    with services.sessions.begin() as session:
        delivery = deliveries.get_delivery(session, delivery_id)
        if delivery.status != "delivered" and delivery.incident_id is not None:
            deliveries.mark_undelivered(session, delivery, reason)
            wake_thread(session, delivery.incident_id, services.clock())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a thread message goes. pace: the channel whose pace it keeps. thread: None to post beside the thread."""

    channel: str
    pace: str
    thread: MessageReference | None


def _place(services: Services, session: Session, delivery: Delivery) -> _Place | NotYetError:
    """Return the incident's thread, the channel itself if its root message was given up, or why it must wait."""
    assert delivery.incident_id is not None
    if earlier := deliveries.waiting_before(session, delivery):
        first = deliveries.first_waiting(session, delivery.incident_id)
        return _later(delivery, first, f"{earlier} earlier messages of the thread are not posted yet", earlier)
    configured = services.settings.slack_channel
    root = deliveries.root_delivery(session, delivery.incident_id)
    if root is not None and root.message_id is not None:
        thread = MessageReference(root.channel, root.message_id)
        return _Place(root.channel, root.content.get("configured", configured), thread)
    if root is not None and root.status in ("undelivered", "refused"):
        return _Place(configured, configured, None)
    return _later(delivery, root, "the incident's message is not posted yet")


def _later(delivery: Delivery, before: Delivery | None, why: str, earlier: int = 1) -> NotYetError:
    """Return the error that postpones the delivery; it is blocked by what blocks the message before it.

    The message before it wakes it, so it seldom looks by itself, the more seldom the more are to be sent before.
    """
    wait = min(WAIT_SECONDS * earlier, BLOCKED_SECONDS)
    if before is not None and before.status == "blocked":
        delivery.status, delivery.error = before.status, before.error
        wait = BLOCKED_SECONDS
    return NotYetError(why, after_seconds=wait)


def _post_with_its_picture(services: Services, delivery: Delivery, place: _Place, card: Card) -> MessageReference:
    """Post the card. Raises NotYetError while the channel does not accept its picture, which later is left out."""
    try:
        return _post(services, delivery, place, card)
    except PictureNotReadyError as error:
        if services.clock() - delivery.created_at < PICTURE_SETTLES:
            raise NotYetError(str(error), after_seconds=error.retry_after_seconds or WAIT_SECONDS) from error
        log.info("picture_left_out", delivery_id=delivery.id, error=str(error))
        return _post(services, delivery, place, replace(card, picture=None))


def _post(services: Services, delivery: Delivery, place: _Place, card: Card) -> MessageReference:
    """Post in the thread; if the thread takes nothing, beside it, with the incident's number in front.

    Raises NotYetError when the incident's root message is posted anew, and its new thread is to be used.
    """
    look_first = delivery.attempts > 0
    if place.thread is not None:
        try:
            return services.chat.post(
                place.channel, card, idempotency_key=delivery.key, thread=place.thread, look_first=look_first
            )
        except MessageGoneError as error:
            _raise_if_posted_anew(services, delivery, place.thread, error)
        except ChannelRefusedError as error:
            if place.pace == services.settings.slack_channel:
                raise
            # Another channel is set by now: the incident's messages move there.
            _raise_if_posted_anew(services, delivery, place.thread, error)
            raise
        except ThreadRefusedError as error:
            log.warning("thread_refused", delivery_id=delivery.id, error=str(error))
    beside = replace(card, title=f"#{delivery.incident_id} {card.title}")
    return services.chat.post(place.channel, beside, idempotency_key=delivery.key, look_first=look_first)


def _raise_if_posted_anew(
    services: Services, delivery: Delivery, thread: MessageReference, error: MessageGoneError | ChannelRefusedError
) -> None:
    assert delivery.incident_id is not None
    if post_anew(services, delivery.incident_id, thread):
        raise NotYetError(f"the incident's message is posted anew: {error}", after_seconds=WAIT_SECONDS) from error


def _mark_posted(services: Services, delivery_id: int, posted: MessageReference, card: Card) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        delivery = deliveries.get_delivery(session, delivery_id)
        deliveries.mark_delivered(
            session, delivery, message_id=posted.message_id, content_hash=card_hash(card), now=now
        )
        assert delivery.incident_id is not None
        wake_thread(session, delivery.incident_id, now)
