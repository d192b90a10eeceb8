"""Choose which values of a dimension get a series of their own: the first twenty, more frequent ones first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from storage.telemetry.rows.bulk import insert_new
from storage.telemetry.rows.tables import segment_values
from storage.telemetry.rows.texts import storable_key

MAX_VALUES_PER_DIMENSION = 20
OTHER = "other"


class Segments:
    """The admitted values of one funnel's dimensions. An admitted value keeps its place while it has buckets."""

    def __init__(self, connection: Connection, funnel_id: int, dimensions: Iterable[str]) -> None:
        self._connection = connection
        self._funnel_id = funnel_id
        self._admitted: dict[str, set[str]] = {dimension: set() for dimension in dimensions}
        known = select(segment_values.c.dimension, segment_values.c.value)
        for dimension, value in connection.execute(known.where(segment_values.c.funnel_id == funnel_id)):
            self._admitted.setdefault(dimension, set()).add(value)
        self._dimensions = tuple(dict.fromkeys(dimensions))

    def admit(self, attempts: Iterable[Mapping[str, str]]) -> None:
        """Admit new values while there is room, the most frequent in these attempts first."""
        seen = Counter(
            (name, storable_key(attempt[name])) for attempt in attempts for name in self._dimensions if name in attempt
        )
        new = []
        for (name, value), _ in seen.most_common():
            admitted = self._admitted[name]
            if value not in admitted and len(admitted) < MAX_VALUES_PER_DIMENSION:
                admitted.add(value)
                new.append((self._funnel_id, name, value))
        insert_new(self._connection, segment_values, ("funnel_id", "dimension", "value"), new)

    def bounded(self, attempt: Mapping[str, str]) -> dict[str, str]:
        """Return the attempt's watched dimensions, with values that are not admitted replaced by "other"."""
        found = {name: storable_key(attempt[name]) for name in self._dimensions if name in attempt}
        return {name: value if value in self._admitted[name] else OTHER for name, value in found.items()}
