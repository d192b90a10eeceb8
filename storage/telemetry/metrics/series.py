"""Find or create the series that a metric's point belongs to. The number of series per metric is bounded."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from detection.types import JsonValue
from storage.telemetry.rollups.marks import mark, set_mark
from storage.telemetry.rows.bulk import insert_new
from storage.telemetry.rows.people_named import NAMES_OF_PEOPLE
from storage.telemetry.rows.tables import metric_series
from storage.telemetry.rows.texts import decode, encode, storable

MAX_SETS_PER_METRIC = 50
"""How many attribute sets of a metric get a series of their own, first come; all others share the series "other"."""

OTHER = "other"
INSTANCE_ATTRIBUTES = frozenset({"service.instance.id"})
"""Attributes that tell counters apart but make no series of their own, because they change with every deploy."""

SCOPE_PREFIX = "otel.scope."
"""Attributes that name OpenTelemetry's instrumentation scope; they make another series only where two scopes meet."""

NO_SCOPE = "no scope"
_IDS = "metric_series"
_LONGEST_VALUE = 60
_LONGEST = 150
_NAMES_PER_QUERY = 500

Key = tuple[str, str, str]
"""service, name, attributes."""


@dataclass(frozen=True, slots=True)
class Labels:
    """A point's attributes, read: `text` names the series within its metric.

    source: tells apart several counters that share one series; "" where nothing tells them apart. scope: names the
    instrumentation scope; "" without one.
    """

    text: str
    source: str
    scope: str = ""


def labels(attributes: str) -> Labels:
    """Parse attributes as stored (JSON). The text leaves out attributes that name people."""
    found = decode(attributes)
    if not found:
        return Labels("", "")
    scope = {name: value for name, value in found.items() if name.startswith(SCOPE_PREFIX)}
    own = {name: value for name, value in found.items() if name not in scope}
    named = {name: value for name, value in own.items() if name not in INSTANCE_ATTRIBUTES | NAMES_OF_PEOPLE}
    source = _digest(encode(own) if scope else attributes) if len(named) < len(own) else ""
    shown = {name.removeprefix(SCOPE_PREFIX).replace("name", "scope"): value for name, value in scope.items()}
    return Labels(within(_text(named)), source, _text(shown))


def _text(named: Mapping[str, JsonValue]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in sorted(named.items()))


def within(text: str) -> str:
    """Shorten text to fit a series' key; a shortened text ends in its digest, so that it stays distinct."""
    safe = storable(text)
    return safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 17]}…{_digest(safe)[:16]}"


def source_within_other(attributes: str) -> str:
    """Return what tells counters apart within the series "other"."""
    return _digest(attributes)


def _value(value: JsonValue) -> str:
    if isinstance(value, str):
        return value[:_LONGEST_VALUE]
    return msgspec.json.encode(value).decode()[:_LONGEST_VALUE]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


class SeriesNames:
    """The known series of some metrics; creates missing ones. The caller holds Lock.ROLL_UP."""

    def __init__(self, connection: Connection, metrics: Iterable[tuple[str, str]]) -> None:
        self._connection = connection
        self._ids: dict[Key, int] = {}
        self._seen: dict[int, float] = {}
        self._count: Counter[tuple[str, str]] = Counter()
        self._scopes: dict[Key, str] = {}
        self._adopted: list[dict[str, Any]] = []
        wanted = set(metrics)
        names = sorted({name for _, name in wanted})
        columns = metric_series.c
        query = select(columns.id, columns.service, columns.name, columns.attributes, columns.seen_at, columns.scope)
        for start in range(0, len(names), _NAMES_PER_QUERY):
            for row in connection.execute(query.where(columns.name.in_(names[start : start + _NAMES_PER_QUERY]))):
                if (row.service, row.name) in wanted:
                    self._ids[row.service, row.name, row.attributes] = row.id
                    self._seen[row.id] = row.seen_at
                    if row.scope is not None:
                        self._scopes[row.service, row.name, row.attributes] = row.scope
                    self._count[row.service, row.name] += row.attributes != OTHER

    def key_within(self, key: Key, scope: str) -> Key:
        """Return the key of the series for a scope: the metric's first scope has the plain key, others name themselves.

        A series from before scopes were kept is the first one's that comes.
        """
        if key not in self._scopes:
            self._scopes[key] = scope
            if key in self._ids:
                self._adopted.append({"one": self._ids[key], "first_scope": scope})
        if self._scopes[key] == scope:
            return key
        service, name, text = key
        return service, name, within(", ".join(part for part in (text, scope or NO_SCOPE) if part))

    def admit(self, points: Sequence[tuple[Key, bool]], *, now: float) -> None:
        """Create the missing series, most frequent first, while there is room. points: (key, whether it is a rate)."""
        kinds = dict(reversed(points))
        new: dict[Key, bool] = {}
        for key, _ in Counter(key for key, _ in points if key not in self._ids).most_common():
            metric = key[:2]
            if self._count[metric] < MAX_SETS_PER_METRIC:
                self._count[metric] += 1
                new[key] = kinds[key]
            elif (*metric, OTHER) not in self._ids:
                new.setdefault((*metric, OTHER), kinds[key])
        first = mark(self._connection, _IDS) + 1
        rows = [
            (number, *key, is_rate, now, self._scopes.get(key))
            for number, (key, is_rate) in enumerate(new.items(), start=first)
        ]
        if rows:
            columns = ("id", "service", "name", "attributes", "is_rate", "seen_at", "scope")
            insert_new(self._connection, metric_series, columns, rows)
            set_mark(self._connection, _IDS, first + len(rows) - 1)
        for number, key in enumerate(new, start=first):
            self._ids[key], self._seen[number] = number, now
        if self._adopted:
            statement = update(metric_series).where(metric_series.c.id == bindparam("one"))
            self._connection.execute(statement.values(scope=bindparam("first_scope")), self._adopted)
            self._adopted = []

    def series_of(self, key: Key) -> tuple[int, bool]:
        """Return the id of the series for a key, and whether that is its metric's series "other"."""
        found = self._ids.get(key)
        return (found, False) if found is not None else (self._ids[*key[:2], OTHER], True)

    def update_last_seen(self, hours: dict[int, float]) -> None:
        """Store the newest hour in which each series had a point. hours: hour start by series id."""
        later = [{"one": one, "hour": hour} for one, hour in hours.items() if hour > self._seen[one]]
        if later:
            statement = update(metric_series).where(metric_series.c.id == bindparam("one"))
            self._connection.execute(statement.values(seen_at=bindparam("hour")), later)
