"""The digest: once a day, what fired and could wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from integrations.cards import Card
from integrations.errors import PermanentError
from integrations.text import Markup, bullets, lines, ours, stored
from storage import outbox, triage
from storage.cursors import read_cursor, save_cursor
from storage.models import TriageDecision
from workers.errors import NotConfiguredError
from workers.services import Services
from workers.triage.answer import decision_line

log = structlog.get_logger()

JOB = "tell_digest"
_CURSOR = "triage_digest"
_LISTED = 20


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
        outbox.enqueue(session, JOB, {"title": title, "text": text, "key": key}, key=key, now=now)


def digest_text(waiting: Sequence[TriageDecision]) -> Markup:
    """Return the lines of the digest: the latest firing of each alert, and how often it fired."""
    latest: dict[str, TriageDecision] = {}
    times: dict[str, int] = {}
    for one in waiting:
        latest.setdefault(one.fingerprint, one)
        times[one.fingerprint] = times.get(one.fingerprint, 0) + 1
    shown = [decision_line(one, times[one.fingerprint]) for one in list(latest.values())[:_LISTED]]
    more = len(latest) - len(shown)
    parts = [bullets(shown)]
    if more > 0:
        parts.append(ours("… and {count} more: `GET /api/triage`", count=more))
    return lines(parts)


def tell_digest(services: Services, title: str, text: str, key: str) -> None:
    """Post the digest. A channel that refuses it is told elsewhere; `/argux triage` and the API show the same."""
    context = ours("Should one of these have woken you? `/argux woken` and its number; it counts the next time.")
    card = Card(title=title, text=stored(text), context=context)
    try:
        services.chat.post(services.settings.slack_channel, card, idempotency_key=key, look_first=True)
    except (PermanentError, NotConfiguredError) as error:
        log.warning("digest_not_told", error=str(error))
    with services.sessions.begin() as session:
        outbox.finish_running(session, services.clock())
