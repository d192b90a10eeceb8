"""Whether an outside source that is to be read, Elasticsearch, can be read: since when not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from integrations.cards import moment
from integrations.text import Markup, ours
from storage.cursors import read_cursor, save_cursor

_CURSOR = "unread:elasticsearch"


@dataclass(frozen=True, slots=True)
class Unread:
    """Why the source cannot be read, and since when."""

    reason: str
    since: datetime

    @property
    def sentence(self) -> Markup:
        """Say so, and what becomes of what could not be read."""
        return ours(
            "Log lines of Elasticsearch have not been read since {since}: {reason}. "
            "They are read from there on once that is mended.",
            since=moment(self.since.timestamp()),
            reason=self.reason,
        )


def unread(session: Session) -> Unread | None:
    """Return why Elasticsearch cannot be read; None if it can, or is not to be read."""
    return read_cursor(session, _CURSOR, _unread)


def _unread(position: Mapping[str, Any]) -> Unread | None:
    reason = position.get("reason")
    return Unread(str(reason), datetime.fromtimestamp(float(position["since"]), UTC)) if reason else None


def note_unread(session: Session, reason: str, *, now: datetime) -> None:
    """Store that it could not be read; the time of the first failure in a row is kept."""
    before = unread(session)
    since = before.since if before is not None else now
    save_cursor(session, _CURSOR, {"reason": reason.rstrip(".")[:300], "since": since.timestamp()}, now=now)


def note_read(session: Session, *, now: datetime) -> None:
    """Store that it could be read again."""
    save_cursor(session, _CURSOR, {}, now=now)
