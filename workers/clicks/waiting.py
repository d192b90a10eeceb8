"""Tell a person whose click waits for an outside system that it is kept, before they wonder."""

from __future__ import annotations

from integrations.errors import RetryableError
from integrations.text import ours
from storage import outbox
from workers.remediation.waiting import is_worth_telling
from workers.services import Services

QUIET_SECONDS = 10.0
"""A hiccup that passes within this time is not worth a message."""


def tell_waiting(
    services: Services, channel: str, user_id: str, error: RetryableError, *, response_url: str | None = None
) -> None:
    """Enqueue a private message, once for each click, that says what it waits for; a short hiccup is not told."""
    now = services.clock()
    with services.sessions.begin() as session:
        job = outbox.running_job(session)
        if job is None or not is_worth_telling(error, job.since, now, quiet_seconds=QUIET_SECONDS):
            return
        text = ours(
            "{error}. What you pressed is kept: Argux tries again by itself, and you need not press again.", error=error
        )
        arguments = {
            "channel": channel,
            "user_id": user_id,
            "text": text,
            "thread_id": None,
            "response_url": response_url,
            "since": now.timestamp(),
        }
        outbox.enqueue(session, "tell_person", arguments, key=f"waits:{job.key}", now=now)
