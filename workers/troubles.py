"""The parts of a tick that failed. Each part runs by itself, so that one bad item stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from storage.cursors import read_cursor, save_cursor

log = structlog.get_logger()

_CURSOR = "tick"


@dataclass(slots=True)
class Troubles:
    """What failed at one tick: the error of each part, by what the part does, such as "verifying incident #7"."""

    errors: dict[str, Exception] = field(default_factory=dict)

    @contextmanager
    def apart(self, what: str) -> Iterator[None]:
        """Run the block by itself: log and keep its error instead of raising it."""
        try:
            yield
        except Exception as error:
            log.exception("tick_part_failed", part=what)
            self.errors[what] = error

    def raise_all(self) -> None:
        """Raise an ExceptionGroup of all errors, if there are any."""
        if self.errors:
            raise ExceptionGroup("Not everything could be done at this tick", list(self.errors.values()))


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part of the last tick that failed. since: when it first failed, without having worked in between."""

    what: str
    error: str
    since: datetime


@dataclass(frozen=True, slots=True)
class LastTick:
    """When the last tick ended, and what failed in it."""

    ended_at: datetime
    troubles: tuple[Trouble, ...]


def store_tick(session: Session, troubles: Troubles, *, now: datetime) -> None:
    """Store that a tick ended now, and what failed in it, for `last_tick`."""
    before = last_tick(session)
    since = {one.what: one.since for one in before.troubles} if before else {}
    rows = [
        {"what": what, "error": f"{type(error).__name__}: {error}"[:500], "since": since.get(what, now).timestamp()}
        for what, error in troubles.errors.items()
    ]
    save_cursor(session, _CURSOR, {"ended_at": now.timestamp(), "troubles": rows}, now=now)


def last_tick(session: Session) -> LastTick | None:
    """Return when the last tick ended and what failed in it; None before the first."""
    stored = read_cursor(session, _CURSOR)
    if stored is None:
        return None
    return LastTick(_moment(stored["ended_at"]), tuple(_trouble(row) for row in stored["troubles"]))


def _trouble(row: dict[str, Any]) -> Trouble:
    return Trouble(row["what"], row["error"], _moment(row["since"]))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
