"""Which series a point of a metric belongs to: bounded, so that no attribute can make endlessly many."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from detection.types import JsonValue
from storage.telemetry.rollups.marks import mark, set_mark
from storage.telemetry.rows.bulk import insert_new
from storage.telemetry.rows.people_named import NAMES_OF_PEOPLE
from storage.telemetry.rows.tables import metric_series
from storage.telemetry.rows.texts import decode, storable

SETS_A_METRIC = 50
"""So many attribute sets of a metric have a series of their own, the first come; the rest are "other" together."""

OTHER = "other"
WHO_COUNTS = frozenset({"service.instance.id"})
"""Tells counters apart but makes no series: it is another one after every deploy."""

_IDS = "metric_series"
_LONGEST_VALUE = 60
_LONGEST = 150
_NAMES_A_QUERY = 500

Key = tuple[str, str, str]
"""service, name, attributes."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What a point's attributes come to: the series' text, and who counted, where several count for one series."""

    text: str
    source: str


def labels(attributes: str) -> Labels:
    """Read attributes as they are stored, JSON. Names of people are in no series' text."""
    found = decode(attributes)
    if not found:
        return Labels("", "")
    told = {name: value for name, value in found.items() if name not in WHO_COUNTS | NAMES_OF_PEOPLE}
    text = ", ".join(f"{name}={_value(value)}" for name, value in sorted(told.items()))
    return Labels(within(text), _digest(attributes) if len(told) < len(found) else "")


def within(text: str) -> str:
    """The text, short enough for a series' key; what is longer ends in its digest."""
    safe = storable(text)
    return safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 17]}…{_digest(safe)[:16]}"


def source_within_other(attributes: str) -> str:
    """Who counted a point of the set "other"."""
    return _digest(attributes)


def _value(value: JsonValue) -> str:
    if isinstance(value, str):
        return value[:_LONGEST_VALUE]
    return msgspec.json.encode(value).decode()[:_LONGEST_VALUE]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


class SeriesNames:
    """The series there are of some metrics, and those that are made now; use it alone (Lock.ROLL_UP)."""

    def __init__(self, connection: Connection, metrics: Iterable[tuple[str, str]]) -> None:
        self._connection = connection
        self._ids: dict[Key, int] = {}
        self._seen: dict[int, float] = {}
        self._count: Counter[tuple[str, str]] = Counter()
        wanted = set(metrics)
        names = sorted({name for _, name in wanted})
        columns = metric_series.c
        query = select(columns.id, columns.service, columns.name, columns.attributes, columns.seen_at)
        for start in range(0, len(names), _NAMES_A_QUERY):
            for row in connection.execute(query.where(columns.name.in_(names[start : start + _NAMES_A_QUERY]))):
                if (row.service, row.name) in wanted:
                    self._ids[row.service, row.name, row.attributes] = row.id
                    self._seen[row.id] = row.seen_at
                    self._count[row.service, row.name] += row.attributes != OTHER

    def admit(self, points: Sequence[tuple[Key, bool]], *, now: float) -> None:
        """Make the series that are missing, the commonest of these (key, is a rate) first, while there is room."""
        kinds = dict(reversed(points))
        new: dict[Key, bool] = {}
        for key, _ in Counter(key for key, _ in points if key not in self._ids).most_common():
            metric = key[:2]
            if self._count[metric] < SETS_A_METRIC:
                self._count[metric] += 1
                new[key] = kinds[key]
            elif (*metric, OTHER) not in self._ids:
                new.setdefault((*metric, OTHER), kinds[key])
        first = mark(self._connection, _IDS) + 1
        rows = [(number, *key, is_rate, now) for number, (key, is_rate) in enumerate(new.items(), start=first)]
        if rows:
            columns = ("id", "service", "name", "attributes", "is_rate", "seen_at")
            insert_new(self._connection, metric_series, columns, rows)
            set_mark(self._connection, _IDS, first + len(rows) - 1)
        for number, key in enumerate(new, start=first):
            self._ids[key], self._seen[number] = number, now

    def series_of(self, key: Key) -> tuple[int, bool]:
        """The id of the series a key's points count in, and whether that is its metric's "other"."""
        found = self._ids.get(key)
        return (found, False) if found is not None else (self._ids[*key[:2], OTHER], True)

    def see(self, hours: dict[int, float]) -> None:
        """Note the newest hour in which each series had a point, by the series' id."""
        later = [{"one": one, "hour": hour} for one, hour in hours.items() if hour > self._seen[one]]
        if later:
            statement = update(metric_series).where(metric_series.c.id == bindparam("one"))
            self._connection.execute(statement.values(seen_at=bindparam("hour")), later)
