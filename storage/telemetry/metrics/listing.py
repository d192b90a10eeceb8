"""The names of all series of custom metrics, kept from one read of their buckets to the next."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection, func, select

from detection.types import Integers
from storage.telemetry.rows.tables import metric_series

Key = tuple[str, str, str]
"""service, name, attributes."""

_columns = metric_series.c
_VERSION = select(func.count(_columns.id), func.max(_columns.id))
_NAMES = select(_columns.id, _columns.service, _columns.name, _columns.attributes).order_by(_columns.id)


class SeriesListing:
    """All series by their id. They are read again only when one was added or deleted.

    Ten thousand names take as long to read as their buckets of a minute. A series is never renamed, and no id is given
    twice: each is larger than all before. So the number of series and the largest id tell whether they are the same.
    """

    def __init__(self) -> None:
        self._known: tuple[tuple[int, int | None], Integers, tuple[Key, ...]] | None = None

    def read(self, connection: Connection) -> tuple[Integers, tuple[Key, ...]]:
        """Return the ids, ascending, and the names; the same object as before if there is no change."""
        count, largest = connection.execute(_VERSION).one()
        known = self._known
        if known is None or known[0] != (count, largest):
            rows = [tuple(row) for row in connection.execute(_NAMES)]
            ids = np.array([row[0] for row in rows], dtype=np.int64)
            known = self._known = ((count, largest), ids, tuple((row[1], row[2], row[3]) for row in rows))
        return known[1], known[2]
