"""When a channel takes no messages: hold them, try again, and tell somebody by another way."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from integrations.cards import Card, moment
from integrations.errors import AuthenticationError, ChannelRefusedError, PermanentError, RetryableError
from integrations.text import Markup, ours
from storage import deliveries, outbox
from storage.deliveries import Waiting
from workers.errors import NotConfiguredError
from workers.services import Services
from workers.telling.channels import pace

log = structlog.get_logger()

TEAMS = "teams"
"""The recipient that stands for the Teams webhook; every other one is a person's id."""

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0
TELL_AFTER_SECONDS = 60.0
"""How long what passes by itself may last before somebody is told."""

Trouble = NotConfiguredError | AuthenticationError | ChannelRefusedError | RetryableError
"""What concerns the whole channel: a person can mend it, or it passes by itself."""


def close_channel(services: Services, channel: str, message: str, error: Trouble) -> tuple[float, bool]:
    """Close the channel for a growing pause; return its seconds, and whether this is an outage that was told.

    What a person can mend is an outage at once; what passes by itself becomes one after TELL_AFTER_SECONDS.
    """
    failures, since = pace.count_failure(services, channel)
    if isinstance(error, RetryableError):
        grown = min(2.0 ** (failures - 1), LONGEST_PAUSE_SECONDS)
        wait = grown if error.retry_after_seconds is None else error.retry_after_seconds
    else:
        wait = min(FIRST_PAUSE_SECONDS * 2.0 ** (failures - 1), LONGEST_PAUSE_SECONDS)
    pace.close(services, channel, message, wait)
    lasting = services.clock().timestamp() + wait - since
    is_outage = not isinstance(error, RetryableError) or lasting >= TELL_AFTER_SECONDS
    log.warning("messages_wait", channel=channel, reason=str(error), again_in_seconds=wait)
    if is_outage:
        pace.note_outage(services, channel, str(error))
        with services.sessions.begin() as session:
            tell_elsewhere(services, session, f"{channel}:{since:.0f}", f"Argux can't post to {channel}", str(error))
    return wait, is_outage


def tell_elsewhere(services: Services, session: Session, about: str, title: str, reason: str) -> None:
    """Enqueue a message to the Teams webhook and to each approver, once for what it is about."""
    recipients = [TEAMS] if services.settings.teams_webhook_url is not None else []
    if services.settings.slack_bot_token is not None:
        recipients += services.settings.approver_ids
    now = services.clock()
    for recipient in recipients:
        key = f"outage:{about}:{recipient}"
        arguments = {"recipient": recipient, "title": title, "reason": reason, "key": key}
        outbox.enqueue(session, "tell_outage", arguments, key=key, now=now)


def tell_outage(services: Services, recipient: str, title: str, reason: str, key: str) -> None:
    """Tell one recipient by another way. Whoever cannot be told so either still finds it with `argux doctor`."""
    with services.readers() as session:
        held = deliveries.waiting(session)
    card = outage_card(title, reason, held)
    try:
        if recipient == TEAMS:
            services.escalation.escalate(card)
        else:
            services.chat.post(services.chat.direct_channel(recipient), card, idempotency_key=key)
    except (PermanentError, NotConfiguredError) as error:
        log.warning("outage_not_told", recipient=recipient, error=str(error))
    with services.sessions.begin() as session:
        outbox.finish_running(session, services.clock())


def outage_card(title: str, reason: str, held: Sequence[Waiting]) -> Card:
    """Return the message that says why a channel takes no messages, and how many it holds since when."""
    count = sum(one.count for one in held)
    fields: tuple[tuple[str, Markup], ...] = ()
    if held:
        messages = f"{count} message{'' if count == 1 else 's'}"
        since = moment(held[0].since.timestamp())
        fields = (("Held", ours("{messages} since {since}", messages=messages, since=since)),)
    return Card(
        title=title,
        text=ours("{reason}.", reason=reason),
        fields=fields,
        context=ours("Nothing is lost: what is held is posted, in order, once this is mended."),
    )


def held_texts(session: Session, zone: ZoneInfo) -> list[str]:
    """Return a line for each reason why messages are held, such as "3 messages since 12:40 CET: Slack: is_archived"."""
    return [
        f"{one.count} message{'' if one.count == 1 else 's'} since {one.since.astimezone(zone):%Y-%m-%d %H:%M %Z}: "
        f"{one.reason}"
        for one in deliveries.waiting(session)
    ]
