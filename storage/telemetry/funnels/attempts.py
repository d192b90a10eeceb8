"""Find out how new events change people's attempts at a funnel.

Events arrive late and in any order, and which ids are one person's may be told after them, so attempts cannot be
counted incrementally. Instead, all attempts of every person with a new event or a new id are recomputed from the hot
store and compared with those counted before.

An attempt is counted from the pass on that takes its entry. A pass ends anywhere in a batch, and whoever has more
events in the batch is the likelier to have one in the pass: counted earlier, those who convert would be too many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import msgspec
from sqlalchemy import CTE, Connection, bindparam, delete, select

from detection.types import Event, FunnelDefinition, FunnelProgress
from storage.telemetry.funnels.segment_values import Segments
from storage.telemetry.people.whose import ids_of_people, person_of
from storage.telemetry.protocol import FunnelReader
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.records import STORED_EVENT, to_event
from storage.telemetry.rows.tables import events, funnel_progress

_PROGRESS_COLUMNS = ("funnel_id", "user_id", "entered_at", "reached_at", "dimensions")


class Attempt(NamedTuple):
    """An attempt as counted in the rollups. dimensions: bounded, rare values are replaced by "other".

    user_id: the id that stood for the person when the attempt was counted.
    """

    user_id: str
    entered_at: float
    reached_at: tuple[float, ...]
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """Attempts to subtract from and add to the rollups; an attempt that advanced is in both, old and new."""

    removed: list[Attempt] = field(default_factory=list)
    added: list[Attempt] = field(default_factory=list)


_Counted = dict[str, list[Attempt]]
"""By the id that stands for the person."""

_Read = dict[str, dict[float, FunnelProgress]]


def changed_attempts(
    connection: Connection,
    funnel: FunnelDefinition,
    reader: FunnelReader,
    dimensions: Sequence[str],
    *,
    since: int,
    top: int,
) -> Changes:
    """Recompute the attempts of people with events, or ids, above sequence `since` up to `top`; return what changed."""
    is_new = (events.c.sequence > since) & (events.c.sequence <= top) & events.c.event.in_(_event_names(funnel))
    ids = ids_of_people(select(events.c.user_id).where(is_new), since=since, top=top)
    counted = _counted(connection, funnel, ids)
    read: _Read = {}
    for person, history, waiting in _histories(connection, funnel, ids, top):
        readable = _without_expired(counted[person], history, funnel.window_seconds)
        found = reader(funnel, readable) if readable else ()
        read[person] = _best_per_entry([one for one in found if one.entered_at not in waiting])
    segments = Segments(connection, funnel.funnel_id, dimensions)
    segments.admit(progress.dimensions for attempts in read.values() for progress in attempts.values())
    return _compared(counted, read, segments)


def keep_progress(connection: Connection, funnel_id: int, changes: Changes) -> None:
    """Store the attempts that the rollups count now."""
    columns = funnel_progress.c
    removed, added = (
        {(attempt.user_id, attempt.entered_at) for attempt in attempts} for attempts in (changes.removed, changes.added)
    )
    gone = removed - added
    if gone:
        one = delete(funnel_progress).where(
            columns.funnel_id == funnel_id, columns.user_id == bindparam("user"), columns.entered_at == bindparam("at")
        )
        connection.execute(one, [{"user": user_id, "at": entered_at} for user_id, entered_at in sorted(gone)])
    rows = [
        (funnel_id, attempt.user_id, attempt.entered_at, _json(attempt.reached_at), _json(attempt.dimensions))
        for attempt in changes.added
    ]
    put(connection, funnel_progress, _PROGRESS_COLUMNS, rows)


def _event_names(funnel: FunnelDefinition) -> list[str]:
    return sorted({step.event for step in funnel.steps})


def _counted(connection: Connection, funnel: FunnelDefinition, ids: CTE) -> _Counted:
    """Return the attempts under these ids as the rollups count them now, by person."""
    person, attempts_of_people = person_of(funnel_progress.c.user_id)
    query = (
        select(person, *(funnel_progress.c[name] for name in _PROGRESS_COLUMNS[1:]))
        .select_from(attempts_of_people)
        .where(funnel_progress.c.funnel_id == funnel.funnel_id, funnel_progress.c.user_id.in_(select(ids.c.id)))
    )
    found: _Counted = defaultdict(list)
    for whose, user_id, entered_at, reached_at, dimensions in connection.execute(query):
        reached = msgspec.json.decode(reached_at, type=tuple[float, ...])
        found[whose].append(Attempt(user_id, entered_at, reached, msgspec.json.decode(dimensions)))
    return found


def _histories(
    connection: Connection, funnel: FunnelDefinition, ids: CTE, top: int
) -> Iterator[tuple[str, list[Event], set[float]]]:
    """Yield each person with their events of the funnel in the hot store, oldest first, and the times of those to come.

    All of them, not only those near the new ones, because the end of one attempt decides where the next may begin.
    The times are those at which there are only events above sequence `top`.
    """
    person, events_of_people = person_of(events.c.user_id)
    query = (
        select(*STORED_EVENT, events.c.sequence > top, person)
        .select_from(events_of_people)
        .where(events.c.user_id.in_(select(ids.c.id)), events.c.event.in_(_event_names(funnel)))
        .order_by(person, events.c.happened_at)
    )
    for whose, rows in groupby(connection.execute(query).all(), key=lambda row: row[-1]):
        history: list[Event] = []
        to_come, taken = set[float](), set[float]()
        for *stored, is_to_come, _ in rows:
            history.append(to_event(stored))
            (to_come if is_to_come else taken).add(history[-1].happened_at)
        yield whose, history, to_come - taken


def _best_per_entry(attempts: Sequence[FunnelProgress]) -> dict[float, FunnelProgress]:
    best: dict[float, FunnelProgress] = {}
    for attempt in attempts:
        before = best.get(attempt.entered_at)
        if before is None or len(attempt.reached_at) > len(before.reached_at):
            best[attempt.entered_at] = attempt
    return best


def _without_expired(counted: list[Attempt], history: Sequence[Event], window_seconds: float) -> Sequence[Event]:
    """Exclude attempts whose entry event was evicted from the hot store: they stay counted as they are.

    Removes them from `counted`, and returns the history without the events in their windows.
    """
    moments = {event.happened_at for event in history}
    expired = [attempt.entered_at for attempt in counted if attempt.entered_at not in moments]
    if not expired:
        return history
    counted[:] = [attempt for attempt in counted if attempt.entered_at in moments]
    return [
        event
        for event in history
        if not any(entered_at <= event.happened_at <= entered_at + window_seconds for entered_at in expired)
    ]


def _compared(counted: Mapping[str, Sequence[Attempt]], read: _Read, segments: Segments) -> Changes:
    changes = Changes()
    for person, attempts in read.items():
        after = {
            (person, at): Attempt(person, at, tuple(progress.reached_at), segments.bounded(progress.dimensions))
            for at, progress in attempts.items()
        }
        before = {(attempt.user_id, attempt.entered_at): attempt for attempt in counted[person]}
        changes.removed.extend(attempt for key, attempt in before.items() if after.get(key) != attempt)
        changes.added.extend(attempt for key, attempt in after.items() if before.get(key) != attempt)
    return changes


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
