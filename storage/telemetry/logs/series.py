"""Find or create the series that a service's lines are counted under: a template, a pattern or a severity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, select, update

from detection.types import Floats, Integers
from storage.telemetry.protocol import LOG_OTHER, LOG_SEVERITY, LOG_TEMPLATE
from storage.telemetry.rows.bulk import insert_new
from storage.telemetry.rows.tables import log_series
from storage.telemetry.rows.texts import severity_rank, storable_key

MAX_TEMPLATES = 2_000
"""How many templates of a service get a series of their own; lines of the others are counted as "other"."""

RESERVED_FOR_SEVERE = 500
"""How many of these series are reserved for warnings and worse, so that chatty templates cannot use them up."""

STALE_SECONDS = 8 * 86_400.0
"""A template without a line for this long (longer than any baseline) no longer counts towards MAX_TEMPLATES."""

SAMPLE_LENGTH = 1_000
TEXT_LENGTH = 2_000
_LAST_SEEN_STEP_SECONDS = 3_600.0
_SEVERE = severity_rank("warn")
_NAMES_PER_STATEMENT = 500


class Wanted(NamedTuple):
    """The series that a line counts for."""

    kind: str
    name: str
    text: str


class _NewSeries(NamedTuple):
    """A row to insert into `log_series`."""

    service: str
    kind: str
    name: str
    text: str
    severity_rank: int
    sample: str
    first_at: float
    last_at: float


@dataclass(slots=True)
class _Series:
    """The part of a row of `log_series` that counting needs."""

    series_id: int
    severity_rank: int
    first_at: float
    last_at: float
    counted_as: int | None
    text: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a batch says about each series, (series,) each.

    first, last: times of its first and last line. worst: its worst severity rank. worst_line: index of a line with it.
    """

    first: Floats
    last: Floats
    worst: Integers
    worst_line: Integers


_Key = tuple[str, str]
"""A series' kind and name."""

Sampler = Callable[[int], str]
"""Returns the line at an index as a sample text to show, or "" if it must not be shown."""


class SeriesBook:
    """The series of one service, as seen in the current transaction."""

    def __init__(self, connection: Connection, service: str, now: float) -> None:
        self._connection, self._service, self._now = connection, service, now
        self._known: dict[_Key, _Series] = {}
        self._read()

    def ids(
        self, wanted: Sequence[Wanted], lines: Integers, happened_at: Floats, ranks: Integers, sample: Sampler
    ) -> Integers:
        """Return the id of each line's series, (n,); create new series while there is room.

        wanted: the series, each once. lines: the index in `wanted` of each line's series, (n,). happened_at, ranks: of
        each line, (n,).
        """
        keys = [(one.kind, storable_key(one.name)) for one in wanted]
        seen = _seen(lines, len(wanted), happened_at, ranks)
        self._create([place for place, key in enumerate(keys) if key not in self._known], keys, wanted, seen, sample)
        self._update_seen(keys, seen)
        found = np.array([self._id(key) for key in keys], dtype=np.int64)
        return found[lines]

    def replace(self, kind: str, resolve: Callable[[str], str], alive: Mapping[str, str]) -> None:
        """Count the lines of merged templates, past ones included, for their successors, and keep every text current.

        resolve: maps the name of a template to its successor's. alive: the texts of the names in use.
        """
        gone = {key: resolve(key[1]) for key in self._known if key[0] == kind and key[1] not in alive}
        successors = {key: (kind, name) for key, name in gone.items() if name in alive}
        missing = sorted({name for _, name in successors.values() if (kind, name) not in self._known})
        self._insert([self._empty_series(kind, name, alive[name]) for name in missing])
        for key, series in self._known.items():
            if key in successors:
                self._count_as(series, self._known[successors[key]].series_id)
            elif key[0] == kind and key[1] in alive:
                self._count_as(series, None)
                self._rename(series, alive[key[1]][:TEXT_LENGTH])

    def _count_as(self, series: _Series, counted_as: int | None) -> None:
        if series.counted_as != counted_as:
            series.counted_as = counted_as
            self._update(series, counted_as=counted_as)

    def _rename(self, series: _Series, text: str) -> None:
        if series.text != text:
            series.text = text
            self._update(series, text=text)

    def _id(self, key: _Key) -> int:
        return self._known[key if key in self._known else (LOG_TEMPLATE, LOG_OTHER)].series_id

    def _read(self) -> None:
        columns = log_series.c
        query = select(
            columns.kind,
            columns.name,
            columns.id,
            columns.severity_rank,
            columns.first_at,
            columns.last_at,
            columns.counted_as,
            columns.text,
        ).where(columns.service == self._service)
        for row in self._connection.execute(query):
            self._known[row.kind, row.name] = _Series(
                series_id=row.id,
                severity_rank=row.severity_rank,
                first_at=row.first_at,
                last_at=row.last_at,
                counted_as=row.counted_as,
                text=row.text,
            )

    def _create(
        self,
        new: Sequence[int],
        keys: Sequence[_Key],
        wanted: Sequence[Wanted],
        seen: _Seen,
        sample: Sampler,
    ) -> None:
        rows: list[_NewSeries] = []
        room = self._room()
        for place in new:
            kind, name = keys[place]
            rank = int(seen.worst[place])
            if kind == LOG_TEMPLATE:
                if room <= (0 if rank >= _SEVERE else RESERVED_FOR_SEVERE):
                    continue
                room -= 1
            text = "" if kind == LOG_SEVERITY else sample(int(seen.worst_line[place]))
            rows.append(
                _NewSeries(
                    service=self._service,
                    kind=kind,
                    name=name,
                    text=wanted[place].text[:TEXT_LENGTH],
                    severity_rank=rank,
                    sample=text[:SAMPLE_LENGTH],
                    first_at=float(seen.first[place]),
                    last_at=float(seen.last[place]),
                )
            )
        if len(rows) < len(new) and (LOG_TEMPLATE, LOG_OTHER) not in self._known:
            rows.append(self._empty_series(LOG_TEMPLATE, LOG_OTHER, LOG_OTHER))
        self._insert(rows)

    def _room(self) -> int:
        oldest = self._now - STALE_SECONDS
        taken = sum(
            kind == LOG_TEMPLATE and series.counted_as is None and series.last_at >= oldest
            for (kind, _), series in self._known.items()
        )
        return MAX_TEMPLATES - taken

    def _empty_series(self, kind: str, name: str, text: str) -> _NewSeries:
        """Return a row for a series without any line yet: no sample, severity rank 0, first and last time now."""
        return _NewSeries(
            service=self._service,
            kind=kind,
            name=name,
            text=text[:TEXT_LENGTH],
            severity_rank=0,
            sample="",
            first_at=self._now,
            last_at=self._now,
        )

    def _insert(self, rows: Sequence[_NewSeries]) -> None:
        if rows:
            insert_new(self._connection, log_series, _NewSeries._fields, rows)
            self._read()

    def _update_seen(self, keys: Sequence[_Key], seen: _Seen) -> None:
        """Extend the stored first and last times and raise the worst severity of known series where needed."""
        for place, key in enumerate(keys):
            series = self._known.get(key)
            if series is None:
                continue
            changed: dict[str, float] = {}
            if seen.first[place] < series.first_at:
                changed["first_at"] = series.first_at = float(seen.first[place])
            if seen.last[place] >= series.last_at + _LAST_SEEN_STEP_SECONDS:
                changed["last_at"] = series.last_at = float(seen.last[place])
            if seen.worst[place] > series.severity_rank:
                changed["severity_rank"] = series.severity_rank = int(seen.worst[place])
            if changed:
                self._update(series, **changed)

    def _update(self, series: _Series, **values: float | str | None) -> None:
        self._connection.execute(update(log_series).where(log_series.c.id == series.series_id).values(**values))


def _seen(lines: Integers, count: int, happened_at: Floats, ranks: Integers) -> _Seen:
    first, last = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(first, lines, happened_at)
    np.maximum.at(last, lines, happened_at)
    worst = np.zeros(count, dtype=np.int64)
    np.maximum.at(worst, lines, ranks)
    worst_line = np.zeros(count, dtype=np.int64)
    order = np.argsort(ranks, kind="stable")
    worst_line[lines[order]] = order
    return _Seen(first, last, worst, worst_line)
