"""Count attempts by the full combination of their dimension values: the cells that "where" searches.

One row holds all cells of one bucket of a funnel: the list of combinations, and their counts as one blob. Reading a
week therefore takes 168 rows, and the number of cells per bucket can be limited within the bucket.

A bucket never removes a combination, even if its counts fall to 0. So it need not be stored whether an attempt was
counted in its own cell or in the cell "other": if its combination is missing from the bucket, there was no room for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from sqlalchemy import Connection, select

from detection.types import DELAY_EDGES_SECONDS, Floats, FunnelDefinition, Integers
from storage.telemetry.funnels.attempts import Attempt, Changes
from storage.telemetry.funnels.segment_values import OTHER
from storage.telemetry.protocol import COARSE_SECONDS, FINE_CELL_SECONDS
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.histogram_blobs import Counts, pack, unpack
from storage.telemetry.rows.tables import funnel_cells

CELL_RETENTION_SECONDS = {FINE_CELL_SECONDS: 3 * 3600.0, COARSE_SECONDS: 35 * 86_400.0}
"""How long cells are kept, in seconds, by bucket size."""

MAX_CELLS_PER_BUCKET = 500
"""How many combinations get a cell of their own, most frequent first; the others share one, all values "other"."""

COUNTS_PER_CELL = len(DELAY_EDGES_SECONDS) + 2
"""Number of columns of a cell in the blob: its entries, then its conversions by delay as in funnel_buckets."""

_COLUMNS = ("funnel_id", "resolution", "bucket_start", "combinations", "counts")
_STARTS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class _Deltas:
    """Attempts to add or subtract, as columns, (n,) each. combination: index into `keys`. sign: 1 or -1."""

    keys: Sequence[bytes]
    entered_at: Floats
    combination: Integers
    delay_bin: Integers
    finished: Integers
    sign: Integers

    def since(self, oldest: float) -> _Deltas:
        """Return the deltas without attempts that entered before `oldest`."""
        kept = self.entered_at >= oldest
        return _Deltas(
            self.keys,
            self.entered_at[kept],
            self.combination[kept],
            self.delay_bin[kept],
            self.finished[kept],
            self.sign[kept],
        )


def add_to_cells(
    connection: Connection, funnel: FunnelDefinition, changes: Changes, dimensions: Sequence[str], now: float
) -> None:
    """Subtract removed attempts from their cells and add added ones; ignore attempts past the retention."""
    deltas = _deltas(changes, len(funnel.steps))
    for bucket_seconds in CELL_RETENTION_SECONDS:
        kept = deltas.since(oldest_cells(bucket_seconds, now))
        if len(kept.sign):
            _add(connection, funnel.funnel_id, bucket_seconds, kept, combination_key(dict.fromkeys(dimensions, OTHER)))


def oldest_cells(bucket_seconds: int, now: float) -> float:
    """Return the oldest bucket start that is kept; earlier buckets are neither kept nor written."""
    return float(np.floor((now - CELL_RETENTION_SECONDS[bucket_seconds]) / bucket_seconds) * bucket_seconds)


def combination_key(values: dict[str, str]) -> bytes:
    """Encode a combination canonically, independent of the order of its dimensions."""
    return msgspec.json.encode(values, order="sorted")


def _deltas(changes: Changes, step_count: int) -> _Deltas:
    attempts: list[Attempt] = [*changes.removed, *changes.added]
    keys: dict[bytes, int] = {}
    combination = [keys.setdefault(combination_key(dict(one.dimensions)), len(keys)) for one in attempts]
    delays = np.array([one.reached_at[-1] - one.entered_at for one in attempts])
    return _Deltas(
        keys=list(keys),
        entered_at=np.array([one.entered_at for one in attempts], dtype=np.float64),
        combination=np.array(combination, dtype=np.int64),
        delay_bin=np.searchsorted(DELAY_EDGES_SECONDS, delays, side="left"),
        finished=np.array([len(one.reached_at) == step_count for one in attempts], dtype=np.int64),
        sign=np.repeat(np.array([-1, 1]), [len(changes.removed), len(changes.added)]),
    )


def _add(connection: Connection, funnel_id: int, bucket_seconds: int, deltas: _Deltas, rest: bytes) -> None:
    starts, bucket = np.unique(np.floor(deltas.entered_at / bucket_seconds) * bucket_seconds, return_inverse=True)
    held, before = _existing(connection, funnel_id, bucket_seconds, starts)
    cell = _assign_cells(bucket, deltas, held, rest)
    converted = np.flatnonzero(deltas.finished)
    rows = np.concatenate([bucket, bucket[converted]])
    columns = np.concatenate([cell, cell[converted] + 1 + deltas.delay_bin[converted]])
    change = Counts(rows, columns, np.concatenate([deltas.sign, deltas.sign[converted]]))
    put(
        connection,
        funnel_cells,
        _COLUMNS,
        [
            (funnel_id, bucket_seconds, start, _encode_keys(known), counts)
            for start, known, counts in zip(starts.tolist(), held, pack([before, change], len(held)), strict=True)
        ],
    )


def _assign_cells(bucket: Integers, deltas: _Deltas, held: Sequence[dict[bytes, int]], rest: bytes) -> Integers:
    """Return the first column of each attempt's cell, (n,). Give new combinations a cell while there is room."""
    pairs, pair = np.unique(bucket * len(deltas.keys) + deltas.combination, return_inverse=True)
    arrivals = np.bincount(pair, deltas.sign > 0, len(pairs))
    cell = np.zeros(len(pairs), dtype=np.int64)
    for index in np.argsort(-arrivals, kind="stable").tolist():
        number, combination = divmod(int(pairs[index]), len(deltas.keys))
        cell[index] = _cell(held[number], deltas.keys[combination], rest, is_new=arrivals[index] > 0)
    return np.asarray(cell[pair] * COUNTS_PER_CELL)


def _cell(known: dict[bytes, int], key: bytes, rest: bytes, *, is_new: bool) -> int:
    found = known.get(key)
    if found is not None:
        return found
    has_room = len(known) - (rest in known) < MAX_CELLS_PER_BUCKET
    return known.setdefault(key if is_new and has_room else rest, len(known))


def _existing(
    connection: Connection, funnel_id: int, bucket_seconds: int, starts: Floats
) -> tuple[list[dict[bytes, int]], Counts]:
    """Read the buckets: for each one the cell number of each combination, and the counts of all cells."""
    position = {start: index for index, start in enumerate(starts.tolist())}
    held: list[dict[bytes, int]] = [{} for _ in position]
    blobs = [b""] * len(position)
    columns = funnel_cells.c
    query = select(columns.bucket_start, columns.combinations, columns.counts).where(
        columns.funnel_id == funnel_id, columns.resolution == bucket_seconds
    )
    touched = list(position)
    for first in range(0, len(touched), _STARTS_PER_QUERY):
        some = touched[first : first + _STARTS_PER_QUERY]
        for start, combinations, counts in connection.execute(query.where(columns.bucket_start.in_(some))):
            held[position[start]] = {key: index for index, key in enumerate(combination_keys(combinations))}
            blobs[position[start]] = counts
    return held, unpack(blobs)


def combination_keys(text: str) -> list[bytes]:
    """Decode the combinations of one bucket, in the order of their cells."""
    return [bytes(raw) for raw in msgspec.json.decode(text, type=list[msgspec.Raw])]


def _encode_keys(keys: Iterable[bytes]) -> str:
    return f"[{b','.join(keys).decode()}]"
