"""Tell one person something, privately: by the first of three ways that Slack does not refuse."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from integrations.cards import Card
from integrations.errors import IntegrationError
from integrations.protocols import MessageReference
from integrations.text import Markup, stored
from storage import outbox
from workers.errors import NotConfiguredError, NotYetError
from workers.services import Services

log = structlog.get_logger()

TRY_AGAIN_SECONDS = 20.0
WORTH_TELLING_SECONDS = 3600.0
"""How long an answer to a click is worth telling."""


def post_privately(
    services: Services,
    channel: str,
    user_id: str,
    text: Markup,
    thread_id: str | None = None,
    response_url: str | None = None,
) -> None:
    """Tell a person something that only they see. If no way works, a job tries again for an hour."""
    if _told(services, channel, user_id, text, thread_id, response_url):
        return
    now = services.clock()
    arguments = {
        "channel": channel,
        "user_id": user_id,
        "text": text,
        "thread_id": thread_id,
        "response_url": response_url,
        "since": now.timestamp(),
    }
    with services.sessions.begin() as session:
        key = f"tell:{user_id}:{now.timestamp()}"
        outbox.enqueue(session, "tell_person", arguments, key=key, now=now, delay_seconds=TRY_AGAIN_SECONDS / 4)


def tell_person(
    services: Services,
    channel: str,
    user_id: str,
    text: str,
    thread_id: str | None,
    response_url: str | None,
    since: float,
) -> None:
    """Try again to tell the person. Raise NotYetError while no way works, for an hour."""
    if _told(services, channel, user_id, stored(text), thread_id, response_url):
        with services.sessions.begin() as session:
            outbox.finish_running(session, services.clock())
        return
    if services.clock().timestamp() - since > WORTH_TELLING_SECONDS:
        log.warning("person_not_told", user_id=user_id)
        return
    raise NotYetError("no way to tell the person works", after_seconds=TRY_AGAIN_SECONDS)


def _told(
    services: Services, channel: str, user_id: str, text: Markup, thread_id: str | None, response_url: str | None
) -> bool:
    """Try an ephemeral message, then the click's response URL, then a direct message; return whether one worked."""
    thread = MessageReference(channel, thread_id) if thread_id else None
    card = Card(title="Argux", text=text)
    ways: list[tuple[str, Callable[[], object]]] = [
        ("ephemeral", lambda: services.chat.post_ephemeral(channel, user_id, text, thread))
    ]
    if response_url:
        ways.append(("response_url", lambda: services.chat.respond(response_url, card)))
    ways.append(("direct", lambda: _post_directly(services, user_id, card)))
    for way, tell in ways:
        try:
            tell()
        except (IntegrationError, NotConfiguredError) as error:
            log.warning("person_not_told_this_way", way=way, user_id=user_id, error=str(error))
        else:
            return True
    return False


def _post_directly(services: Services, user_id: str, card: Card) -> None:
    key = f"private:{user_id}:{services.clock().timestamp()}"
    services.chat.post(services.chat.direct_channel(user_id), card, idempotency_key=key)
