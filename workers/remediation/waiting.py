"""Wait for what passes by itself or once a person has acted, say so in the thread, and stop at a stated time."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integrations.cards import Card, CardLink, moment
from integrations.errors import RetryableError, WaitingError
from integrations.text import Markup, ours
from workers.errors import NotYetError
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message

LONGEST_WAIT = timedelta(minutes=30)
"""How long an approved merge, or the making of a fix, waits for GitHub before people are told that it is over."""

QUIET_SECONDS = 15.0
"""A hiccup that passes within this time is not worth a message."""

LONGEST_PAUSE_SECONDS = 30.0


def is_over(since: datetime, now: datetime) -> bool:
    """Whether LONGEST_WAIT has passed."""
    return now - since >= LONGEST_WAIT


def put_off(error: RetryableError, *, since: datetime, now: datetime) -> NotYetError:
    """Return the error that has the job run again: after as long as was asked for, else after a growing pause."""
    pause = error.retry_after_seconds
    if pause is None:
        pause = min(max((now - since).total_seconds() / 2, 1.0), LONGEST_PAUSE_SECONDS)
    return NotYetError(str(error), after_seconds=pause)


def tell(
    services: Services,
    session: Session,
    incident_id: int,
    *,
    key: str,
    title: str,
    error: RetryableError,
    since: datetime,
    links: tuple[CardLink, ...] = (),
) -> None:
    """Say in the thread, once for each thing waited for, what it is and until when; a short hiccup is not told."""
    now = services.clock()
    if not isinstance(error, WaitingError) and not is_worth_telling(error, since, now):
        return
    asked_for = timedelta(seconds=error.retry_after_seconds or 0.0)
    text = waiting_text(error, until=max(since + LONGEST_WAIT, now + asked_for))
    enqueue_thread_message(
        session,
        incident_id,
        key=f"waiting:{key}:{_name(error)}",
        card=Card(title=title, text=text, links=links),
        channel=services.settings.slack_channel,
        now=now,
        is_answer=True,
    )


def waiting_text(error: RetryableError, *, until: datetime) -> Markup:
    """Say what is waited for, and until when."""
    return ours(
        "Waiting for {what}. Argux goes on by itself as soon as it can, and stops waiting at {until}.",
        what=error.waits_for if isinstance(error, WaitingError) else f"GitHub to answer ({error})",
        until=moment(until.timestamp()),
    )


def is_worth_telling(
    error: RetryableError, since: datetime, now: datetime, *, quiet_seconds: float = QUIET_SECONDS
) -> bool:
    """Whether a wait lasts, or is asked to last, longer than a hiccup that passes by itself."""
    waited = (now - since).total_seconds()
    return max(waited, error.retry_after_seconds or 0.0) >= quiet_seconds


def _name(error: RetryableError) -> str:
    """Return a short name of what is waited for, the same whenever it is the same thing."""
    what = error.waits_for if isinstance(error, WaitingError) else "answer"
    return hashlib.sha256(what.encode()).hexdigest()[:12]
