"""Ask the sources of a scene, and note what each of them answered: data, nothing, or that it could not be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storage.database.base import Base
from storage.database.rows import holds_any
from workers.diagnosis.model import DiagnosisSources
from workers.diagnosis.source_states import Source, SourceState

log = structlog.get_logger()

Read = TypeVar("Read")


def utc(seconds: float) -> datetime:
    """Return a time in seconds since the epoch as the stores take it; the epoch for what lies before it."""
    return datetime.fromtimestamp(max(seconds, 0.0), UTC)


@dataclass(slots=True)
class Reader:
    """Asks the sources one by one. asked: what each of them answered, in that order."""

    sources: DiagnosisSources
    asked: list[Source] = field(default_factory=list)

    def ask(
        self, name: str, read: Callable[[], Sequence[Read]], ever: Callable[[], bool] = lambda: True
    ) -> Sequence[Read]:
        """Return what a source gives, and note it; () where it fails, unless the database itself does.

        ever: whether it gave anything before; asked only where it has nothing now.
        """
        try:
            found = read()
            is_connected = bool(found) or ever()
        except DBAPIError:
            raise
        except Exception as error:
            log.warning("source_failed", source=name, exc_info=error)
            self.asked.append(Source(name, SourceState.FAILED, error=type(error).__name__))
            return ()
        self.asked.append(
            Source(name, SourceState.DATA if found else SourceState.EMPTY, len(found), is_connected=is_connected)
        )
        return found

    def stored(
        self, name: str, read: Callable[[Session], Sequence[Read]], table: type[Base] | None = None
    ) -> Sequence[Read]:
        """Return what the relational store gives, in a transaction of its own.

        table: where what it gave before is kept; None if it is known to be connected.
        """

        def within() -> Sequence[Read]:
            with self.sources.sessions.begin() as session:
                return read(session)

        def ever() -> bool:
            with self.sources.sessions.begin() as session:
                return table is None or holds_any(session, table)

        return self.ask(name, within, ever)
