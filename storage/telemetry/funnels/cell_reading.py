"""Read the cells, summed over a time range."""

from __future__ import annotations

import msgspec
import numpy as np
from sqlalchemy import Connection, select

from detection.types import DELAY_EDGES_SECONDS, FunnelCells
from storage.telemetry.funnels.cell_rollup import COUNTS_PER_CELL, combination_keys
from storage.telemetry.rows.histogram_blobs import unpack
from storage.telemetry.rows.tables import funnel_cells


def read_cells(
    connection: Connection, funnel_id: int, *, since: float, until: float, bucket_seconds: int
) -> FunnelCells:
    """Sum the buckets that start in [since, until) by combination; return no combinations if there are no entries."""
    columns = funnel_cells.c
    query = (
        select(columns.combinations, columns.counts)
        .where(columns.funnel_id == funnel_id, columns.resolution == bucket_seconds)
        .where(columns.bucket_start >= since, columns.bucket_start < until)
        .order_by(columns.bucket_start)
    )
    found = connection.execute(query).all()
    known: dict[bytes, int] = {}
    # The cells of all buckets in one array: for each cell, the index of its combination in `known`.
    numbers = [[known.setdefault(key, len(known)) for key in combination_keys(text)] for text, _ in found]
    first = np.cumsum([0, *map(len, numbers)])[:-1]
    combination = np.array([number for row in numbers for number in row], dtype=np.int64)
    rows, places, counts = unpack([blob for _, blob in found])
    cell, column = combination[first[rows] + places // COUNTS_PER_CELL], places % COUNTS_PER_CELL
    sums = np.bincount(cell * COUNTS_PER_CELL + column, counts, len(known) * COUNTS_PER_CELL).astype(np.int64)
    table = sums.reshape(len(known), COUNTS_PER_CELL)
    # An attempt counted before cells existed has a conversion but no entry in a cell, so raise entries to conversions.
    entries = np.maximum(table[:, 0], table[:, 1:].sum(axis=1))
    kept = entries > 0
    return FunnelCells(
        funnel_id=funnel_id,
        combinations=tuple(
            msgspec.json.decode(key, type=dict[str, str]) for key, keep in zip(known, kept, strict=True) if keep
        ),
        entries=entries[kept],
        converted_by_delay=table[kept, 1:].reshape(-1, len(DELAY_EDGES_SECONDS) + 1),
    )
