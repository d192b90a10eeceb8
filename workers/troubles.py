"""The parts of a run that failed: of a tick, or of the housekeeping. Each part runs by itself, so that one bad item
stops no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from storage.cursors import read_cursor, save_cursor
from storage.database.reading import left_out_into
from storage.errors import UnreadableError

log = structlog.get_logger()

TICK, HOUSEKEEPING = "tick", "housekeeping"
"""The runs whose troubles are stored."""


@dataclass(slots=True)
class Troubles:
    """What failed in one run: the error of each part, by what the part does, such as "verifying incident #7"."""

    errors: dict[str, Exception] = field(default_factory=dict)

    @contextmanager
    def apart(self, what: str) -> Iterator[None]:
        """Run the block by itself: log and keep its error instead of raising it."""
        try:
            yield
        except Exception as error:
            log.exception("tick_part_failed", part=what)
            self.errors[what] = error

    @contextmanager
    def with_what_is_left_out(self) -> Iterator[None]:
        """Keep what the block leaves out, such as a row that cannot be read, with the errors of the parts."""
        with left_out_into(self.errors):
            yield

    def raise_all(self) -> None:
        """Raise an ExceptionGroup of all errors, if there are any."""
        if self.errors:
            raise ExceptionGroup("Not everything could be done", list(self.errors.values()))


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part of the last run that failed. since: when it first failed, without having worked in between."""

    what: str
    error: str
    since: datetime


@dataclass(frozen=True, slots=True)
class LastRun:
    """When the last run of a kind ended, and what failed in it."""

    ended_at: datetime
    troubles: tuple[Trouble, ...]


def store_run(session: Session, run: str, troubles: Troubles, *, now: datetime) -> None:
    """Store that a run of this kind ended now, and what failed in it, for `last_run`."""
    before = last_run(session, run)
    since = {one.what: one.since for one in before.troubles} if before else {}
    rows = [
        {"what": what, "error": _text(error)[:500], "since": since.get(what, now).timestamp()}
        for what, error in troubles.errors.items()
    ]
    save_cursor(session, run, {"ended_at": now.timestamp(), "troubles": rows}, now=now)


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, UnreadableError) else f"{type(error).__name__}: {error}"


def last_run(session: Session, run: str) -> LastRun | None:
    """Return when the last run of this kind ended and what failed in it; None before the first."""
    return read_cursor(session, run, _run)


def _run(stored: Mapping[str, Any]) -> LastRun:
    return LastRun(_moment(stored["ended_at"]), tuple(_trouble(row) for row in stored["troubles"]))


def _trouble(row: Mapping[str, Any]) -> Trouble:
    return Trouble(row["what"], row["error"], _moment(row["since"]))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
