"""Read many rows so that one that cannot be read hides no other, and is told.

A row cannot be read when a column holds what its type does not know (broken JSON, an unknown state, no date), or when
`check` cannot make of it what it stands for. It is left out and told by `leave_out`; once mended it is read again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import structlog
from sqlalchemy import Select, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from storage.database.base import Base
from storage.errors import UnreadableError

log = structlog.get_logger()


Row = TypeVar("Row", bound=Base)
Item = TypeVar("Item")
Found = TypeVar("Found")

_LONGEST_REASON = 200

_told: ContextVar[dict[str, Exception] | None] = ContextVar("told", default=None)


@contextmanager
def left_out_into(troubles: dict[str, Exception]) -> Iterator[None]:
    """Collect what is left out within the block: its error, by what was to be done, such as "reading alert 7"."""
    token = _told.set(troubles)
    try:
        yield
    finally:
        _told.reset(token)


def leave_out(what: str, error: Exception) -> None:
    """Log that something is left out, and collect it for those who tell people."""
    log.error("left_out", part=what, error=str(error), error_type=type(error).__name__)
    troubles = _told.get()
    if troubles is not None:
        troubles[what] = error


@contextmanager
def one_by_itself(what: str) -> Iterator[None]:
    """Run the block for one of many things: when it fails, the thing is left out."""
    try:
        yield
    except Exception as error:
        log.exception("one_failed", part=what)
        leave_out(what, error)


def together_or_each(items: Sequence[Item], work: Callable[[Sequence[Item]], Sequence[Found]]) -> list[Found]:
    """Return what `work` finds of all items at once; if that fails, of each by itself, without those that fail."""
    try:
        return list(work(items))
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("together_failed", count=len(items))
    found: list[Found] = []
    for item in items:
        with one_by_itself(f"watching {item}"):
            found += work([item])
    return found


def readable(session: Session, query: Select[Row], check: Callable[[Row], object] | None = None) -> list[Row]:
    """Return the rows of the query that can be read, and for which `check` raises nothing; leave out the others.

    The query selects one entity, without loader options. A row that it locks is locked although it cannot be read.
    """
    try:
        rows = list(session.scalars(query))
    except SQLAlchemyError:
        raise
    except Exception:  # noqa: BLE001 - a column type may raise anything at what it does not know
        rows = _one_by_one(session, query)
    return rows if check is None else [row for row in rows if _passes(row, check)]


def _one_by_one(session: Session, query: Select[Row]) -> list[Row]:
    model: type[Row] = query.column_descriptions[0]["entity"]
    mapper = inspect(model)
    names = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
    keys = session.execute(query.with_only_columns(*(getattr(model, name) for name in names))).all()
    rows = []
    for key in keys:
        try:
            row = session.get(model, tuple(key))
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            _leave_out_row(model, ", ".join(str(part) for part in key), error)
        else:
            rows += [row] if row is not None else []
    return rows


def _passes(row: Row, check: Callable[[Row], object]) -> bool:
    try:
        check(row)
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 - what a row holds may be wrong in any way
        identity = inspect(row).identity or ()
        _leave_out_row(type(row), ", ".join(str(part) for part in identity), error)
        return False
    return True


def _leave_out_row(model: type[Base], key: str, error: Exception) -> None:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__).lower()
    said = str(error).partition("\n")[0][:_LONGEST_REASON]
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    leave_out(f"reading {words} {key}", UnreadableError(model.__tablename__, key, reason))
