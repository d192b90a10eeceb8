"""Count log lines in buckets of a minute and of an hour; an hour also holds the counts of its ten-minute windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, select

from detection.types import Floats, Integers
from storage.telemetry.protocol import COARSE_SECONDS, FINE_LOG_SECONDS, LOG_WINDOW_SECONDS
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.tables import log_buckets

LOG_RETENTION_SECONDS = {FINE_LOG_SECONDS: 3 * 3600.0, COARSE_SECONDS: 35 * 86_400.0}
"""How long buckets of each size are kept, in seconds."""

WINDOWS = COARSE_SECONDS // LOG_WINDOW_SECONDS
_COLUMNS = ("resolution", "bucket_start", "series_id", "line_count", "by_window")
_WINDOW_COUNTS = np.dtype("<u4")
_MAX_COUNT = np.iinfo(_WINDOW_COUNTS).max
_STARTS_PER_QUERY = 500

_Key = tuple[float, int]
"""bucket_start, series_id."""


def oldest_log_bucket(bucket_seconds: int, now: float) -> float:
    """Return the oldest bucket start that is kept; earlier buckets are neither kept nor written."""
    return float(np.floor((now - LOG_RETENTION_SECONDS[bucket_seconds]) / bucket_seconds) * bucket_seconds)


def add_lines(connection: Connection, series_ids: Integers, happened_at: Floats, now: float) -> None:
    """Add lines, (n,) each, to the buckets in which they happened; ignore lines older than the retention."""
    minutes, counts = _count_lines(series_ids, happened_at, FINE_LOG_SECONDS, oldest_log_bucket(FINE_LOG_SECONDS, now))
    _add(connection, FINE_LOG_SECONDS, minutes, counts[:, None])
    oldest = oldest_log_bucket(COARSE_SECONDS, now)
    windows, counts = _count_lines(series_ids, happened_at, LOG_WINDOW_SECONDS, oldest)
    hours: dict[_Key, int] = {}
    starts = [(start // COARSE_SECONDS * COARSE_SECONDS, series_id) for start, series_id in windows]
    rows = np.array([hours.setdefault(key, len(hours)) for key in starts], dtype=np.int64)
    places = np.array([start % COARSE_SECONDS // LOG_WINDOW_SECONDS for start, _ in windows], dtype=np.int64)
    by_window = np.zeros((len(hours), WINDOWS), dtype=np.int64)
    np.add.at(by_window, (rows, places), counts)
    _add(connection, COARSE_SECONDS, list(hours), by_window)


def unpacked(blobs: Sequence[bytes]) -> Integers:
    """Decode the window counts of hours: (hours, WINDOWS)."""
    return np.frombuffer(b"".join(blobs), dtype=_WINDOW_COUNTS).reshape(-1, WINDOWS).astype(np.int64)


def _count_lines(
    series_ids: Integers, happened_at: Floats, bucket_seconds: int, oldest: float
) -> tuple[list[_Key], Integers]:
    """Count lines by bucket and series; ignore buckets before `oldest`."""
    numbers = np.floor(happened_at / bucket_seconds).astype(np.int64)
    kept = numbers * bucket_seconds >= oldest
    cells = np.stack([numbers[kept], series_ids[kept]], axis=1)
    order = np.lexsort((cells[:, 1], cells[:, 0]))
    cells = cells[order]
    first = np.flatnonzero(np.any(np.diff(cells, axis=0, prepend=-1) != 0, axis=1))
    counts = np.diff(first, append=len(cells))
    keys = [(float(number * bucket_seconds), series_id) for number, series_id in cells[first].tolist()]
    return keys, counts.astype(np.int64)


def _add(connection: Connection, bucket_seconds: int, keys: Sequence[_Key], counts: Integers) -> None:
    """Add counts (keys, windows) to the stored buckets. Minutes have one window, which is not stored separately."""
    if not keys:
        return
    rows = {key: row for row, key in enumerate(keys)}
    counts = counts.copy()
    columns = log_buckets.c
    query = select(columns.bucket_start, columns.series_id, columns.line_count, columns.by_window).where(
        columns.resolution == bucket_seconds
    )
    touched = sorted({start for start, _ in keys})
    for first in range(0, len(touched), _STARTS_PER_QUERY):
        some = columns.bucket_start.in_(touched[first : first + _STARTS_PER_QUERY])
        for start, series_id, line_count, by_window in connection.execute(query.where(some)):
            row = rows.get((start, series_id))
            if row is not None:
                counts[row] += unpacked([by_window])[0] if by_window else line_count
    keeps_windows = counts.shape[1] > 1
    written = np.minimum(counts, _MAX_COUNT).astype(_WINDOW_COUNTS)
    values = [
        (bucket_seconds, *key, int(total), written[row].tobytes() if keeps_windows else b"")
        for row, (key, total) in enumerate(zip(keys, counts.sum(axis=1), strict=True))
    ]
    put(connection, log_buckets, _COLUMNS, values)
