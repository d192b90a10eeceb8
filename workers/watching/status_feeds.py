"""How far each provider's status page has been read, and why one cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage.cursors import read_cursor, save_cursor
from workers.services import Services

FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class FeedState:
    """One page: when it was read last, how often in a row it failed since, since when and why, and when it is due."""

    provider: str
    read_at: float | None = None
    failures: int = 0
    failing_since: float | None = None
    reason: str = ""
    due_at: float = 0.0

    def after_reading(self, now: float) -> FeedState:
        """Return the state once it was read."""
        return FeedState(self.provider, read_at=now)

    def after_failing(self, reason: str, now: float) -> FeedState:
        """Return the state once it failed: each failure in a row doubles the pause before the next look."""
        pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(self.failures, 10), LONGEST_PAUSE_SECONDS)
        since = now if self.failing_since is None else self.failing_since
        return FeedState(self.provider, self.read_at, self.failures + 1, since, reason.rstrip(".")[:300], now + pause)


def feed_states(services: Services, session: Session) -> list[FeedState]:
    """Return the state of each page of STATUS_FEEDS. One that was never read has no `read_at`."""
    return [feed_state(session, provider) for provider in services.settings.status_feeds]


def feed_state(session: Session, provider: str) -> FeedState:
    """Return the state of one page."""
    found = read_cursor(session, _cursor(provider), lambda position: _state(provider, position))
    return found or FeedState(provider)


def save_feed_state(session: Session, state: FeedState, *, now: datetime) -> None:
    """Store the state of one page."""
    position = {
        "read_at": state.read_at,
        "failures": state.failures,
        "failing_since": state.failing_since,
        "reason": state.reason,
        "due_at": state.due_at,
    }
    save_cursor(session, _cursor(state.provider), position, now=now)


def _cursor(provider: str) -> str:
    return f"status_feed:{provider}"[:300]


def _state(provider: str, position: Mapping[str, Any]) -> FeedState:
    def seconds(name: str) -> float | None:
        return None if position.get(name) is None else float(position[name])

    return FeedState(
        provider,
        seconds("read_at"),
        int(position.get("failures", 0)),
        seconds("failing_since"),
        str(position.get("reason", "")),
        seconds("due_at") or 0.0,
    )
