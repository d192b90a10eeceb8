"""The digest: once a day, what fired and could wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import structlog

from integrations.cards import Card, CardAction
from integrations.errors import PermanentError
from integrations.text import Markup, bullets, lines, ours, stored
from storage import deliveries, outbox, triage
from storage.cursors import read_cursor, save_cursor
from storage.models import TriageDecision
from workers.errors import NotConfiguredError
from workers.services import Services
from workers.triage.answer import SHOULD_HAVE_WOKEN, decision_line

log = structlog.get_logger()

JOB = "tell_digest"
_CURSOR = "triage_digest"
_LISTED = 20
PURPOSE, LISTED = "digest", "listed"
"""Of the digest's message: what it is for, and the ids of the decisions that it lists, whose buttons stand under it."""


def enqueue_digest(services: Services, now: datetime) -> None:
    """Enqueue the digest of the day, once its hour has come, if anything waited. Nothing is listed twice."""
    local = now.astimezone(services.settings.timezone)
    day = local.date().isoformat()
    if local.hour < services.settings.triage_digest_hour:
        return
    with services.readers() as session:
        if read_cursor(session, _CURSOR, lambda position: str(position["day"])) == day:
            return
        waiting = triage.unlisted(session, limit=1000)
        text = digest_text(waiting) if waiting else None
    with services.sessions.begin() as session:
        save_cursor(session, _CURSOR, {"day": day}, now=now)
        if text is None:
            return
        triage.mark_listed(session, [one.id for one in waiting], now=now)
        alerts = len({one.fingerprint for one in waiting})
        title = "1 alert could wait" if alerts == 1 else f"{alerts} alerts could wait"
        key = f"digest:{day}"
        listed = [one.id for one in _latest(waiting)[:_LISTED]]
        outbox.enqueue(session, JOB, {"title": title, "text": text, "key": key, LISTED: listed}, key=key, now=now)


def digest_text(waiting: Sequence[TriageDecision]) -> Markup:
    """Return the lines of the digest: the latest firing of each alert, and how often it fired."""
    latest = _latest(waiting)
    times = Counter(one.fingerprint for one in waiting)
    shown = [decision_line(one, times[one.fingerprint]) for one in latest[:_LISTED]]
    more = len(latest) - len(shown)
    parts = [bullets(shown)]
    if more > 0:
        parts.append(ours("… and {count} more: `GET /api/triage`", count=more))
    return lines(parts)


def _latest(waiting: Sequence[TriageDecision]) -> list[TriageDecision]:
    """Return the latest decision about each alert, in the order of the decisions, which is the latest first."""
    found: dict[str, TriageDecision] = {}
    for one in waiting:
        found.setdefault(one.fingerprint, one)
    return list(found.values())


def digest_card(title: str, text: Markup, listed: Sequence[int]) -> Card:
    """Return the digest with a button for each decision that it lists. listed: their ids."""
    return Card(
        title=title,
        text=text,
        actions=tuple(
            CardAction(
                SHOULD_HAVE_WOKEN,
                f"#{number} should have woken us",
                str(number),
                confirm="People will be told the next time it fires, whatever speaks against it.",
            )
            for number in listed
        ),
        context=ours("Should one of these have woken you? Say so, or `/argux woken` and its number: it counts."),
    )


def tell_digest(services: Services, title: str, text: str, key: str, listed: Sequence[int] = ()) -> None:
    """Post the digest. A channel that refuses it is told elsewhere; `/argux triage` and the API show the same."""
    card, channel = digest_card(title, stored(text), listed), services.settings.slack_channel
    with services.sessions.begin() as session:
        # So that a click on it can be told from one on another message.
        message = deliveries.create_delivery(
            session,
            key=key,
            incident_id=None,
            purpose=PURPOSE,
            channel=channel,
            content={LISTED: list(listed)},
            now=services.clock(),
        )
    try:
        posted = services.chat.post(channel, card, idempotency_key=key, look_first=True)
    except (PermanentError, NotConfiguredError) as error:
        log.warning("digest_not_told", error=str(error))
        with services.sessions.begin() as session:
            deliveries.mark_undelivered(session, deliveries.get_delivery(session, message.id), str(error))
            outbox.finish_running(session, services.clock())
        return
    with services.sessions.begin() as session:
        row, now = deliveries.get_delivery(session, message.id), services.clock()
        row.channel = posted.channel
        deliveries.mark_delivered(session, row, message_id=posted.message_id, content_hash=None, now=now)
        outbox.finish_running(session, now)
