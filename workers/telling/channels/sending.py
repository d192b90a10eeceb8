"""Send one message: take its turn, and decide what a failure means for it and for its channel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog

from integrations.errors import AuthenticationError, ChannelRefusedError, PermanentError, RetryableError
from storage import deliveries
from storage.models import Delivery
from workers.errors import NotConfiguredError, NotYetError
from workers.services import Services
from workers.telling.channels import pace
from workers.telling.channels.outages import close_channel, tell_elsewhere
from workers.telling.enqueue import wake_thread

log = structlog.get_logger()

REFUSED_PAUSE_SECONDS = 300.0
GIVEN_UP_AFTER = timedelta(hours=24)
"""How long a message that Slack refuses for a reason of its own is tried again."""


def take_turn(services: Services, delivery: Delivery, channel: str, name: str, lane: pace.Lane) -> None:
    """Take the delivery's turn in the channel; raise NotYetError until it comes.

    While the channel takes nothing, the delivery is marked as blocked, with the reason.
    """
    try:
        pace.take_turn(services, channel, name, lane)
    except NotYetError:
        reason = pace.outage_of(services, channel)
        if reason is not None and (delivery.status, delivery.error) != ("blocked", reason):
            _wait(services, delivery.id, "blocked", reason, was_refused=False)
        raise


@contextmanager
def sending(services: Services, delivery: Delivery, channel: str, name: str) -> Iterator[None]:
    """Send the delivery in the block. A failure postpones the job, and says in the delivery why it waits.

    channel: whose pace is kept. name: the message's name there. Raises NotYetError for what is tried again;
    PermanentError for a message that was refused alone, for a day.
    """
    _begin_try(services, delivery.id)
    try:
        yield
    except (NotConfiguredError, AuthenticationError, ChannelRefusedError, RetryableError) as error:
        wait, is_outage = close_channel(services, channel, name, error)
        is_answered = not isinstance(error, RetryableError) or error.retry_after_seconds is not None
        _wait(services, delivery.id, "blocked" if is_outage else None, str(error), was_refused=is_answered)
        raise NotYetError(str(error), after_seconds=wait) from error
    except PermanentError as error:
        raise _refused_alone(services, delivery.id, error) from error
    pace.note_success(services, channel)


def _begin_try(services: Services, delivery_id: int) -> None:
    with services.sessions.begin() as session:
        deliveries.get_delivery(session, delivery_id).attempts += 1


def _wait(services: Services, delivery_id: int, status: str | None, reason: str, *, was_refused: bool) -> None:
    """Record why the delivery waits. A refusal posted nothing, so the next try need not look for an earlier post."""
    with services.sessions.begin() as session:
        delivery = deliveries.get_delivery(session, delivery_id)
        delivery.error = reason
        if status is not None:
            delivery.status = status
        if was_refused:
            delivery.attempts -= 1


def _refused_alone(services: Services, delivery_id: int, error: PermanentError) -> Exception:
    """Hold a message that Slack refuses while it takes others, and tell somebody; return the error to raise."""
    with services.sessions.begin() as session:
        delivery = deliveries.get_delivery(session, delivery_id)
        if services.clock() - delivery.created_at > GIVEN_UP_AFTER:
            deliveries.mark_undelivered(session, delivery, str(error))
            return error
        delivery.status, delivery.error = "refused", str(error)
        title = f"Slack refuses a message about incident #{delivery.incident_id}"
        if delivery.incident_id is not None:
            wake_thread(session, delivery.incident_id, services.clock())
        tell_elsewhere(services, session, f"delivery:{delivery_id}", title, str(error))
        wait = min(2.0**delivery.attempts, REFUSED_PAUSE_SECONDS)
    log.warning("message_refused", delivery_id=delivery_id, error=str(error), again_in_seconds=wait)
    return NotYetError(str(error), after_seconds=wait)
