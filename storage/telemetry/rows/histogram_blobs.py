"""Store histograms as compact blobs, and read many of them at a time.

A blob is a list of (column, count) pairs of little-endian unsigned 32-bit integers, only for counts above 0, because
most columns of most histograms are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from detection.types import Integers

_BYTES_PER_PAIR = 8
_Words = np.ndarray[tuple[int], np.dtype[np.uint32]]


class Counts(NamedTuple):
    """Entries of a sparse table, (n,) each: counts[i] is at row rows[i], column columns[i]. Repeated cells add up."""

    rows: Integers
    columns: Integers
    counts: Integers


def pack(parts: Sequence[Counts], row_count: int) -> list[bytes]:
    """Add the parts up and return one blob per row. Cells whose sum is 0 or less are left out."""
    rows, columns, counts = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    width = int(columns.max(initial=0)) + 1
    cells, inverse = np.unique(rows * width + columns, return_inverse=True)
    sums = np.bincount(inverse, weights=counts, minlength=len(cells)).astype(np.int64)
    cells, sums = cells[sums > 0], sums[sums > 0]
    pairs = np.column_stack([cells % width, sums]).astype("<u4")
    edges = np.searchsorted(cells // width, np.arange(row_count + 1))
    return [pairs[start:end].tobytes() for start, end in pairwise(edges.tolist())]


def unpack(blobs: Sequence[bytes]) -> Counts:
    """Decode blobs to sparse entries; row i is blobs[i]."""
    columns, counts, lengths = _joined(blobs)
    return Counts(np.repeat(np.arange(len(blobs)), lengths), columns.astype(np.int64), counts.astype(np.int64))


def quantile_columns(blobs: Sequence[bytes], share: float) -> Integers:
    """Return the column in which each histogram's quantile lies, (len(blobs),); 0 for an empty one. share: 0 to 1."""
    columns, counts, lengths = _joined(blobs)
    running = np.append(0, np.cumsum(counts, dtype=np.int64))
    upto = running[np.append(0, np.cumsum(lengths))]
    before, after = upto[:-1], upto[1:]
    # Counts are integers, so rounding the wanted rank up gives the first column that reaches it.
    wanted = before + np.ceil(share * (after - before) - 1e-9)
    found = np.append(columns, 0)[np.searchsorted(running[1:], wanted)]
    return np.where(after > before, found.astype(np.int64), 0)


def dense(blobs: Sequence[bytes], width: int) -> Integers:
    """Decode blobs to a dense table: (len(blobs), width)."""
    table = np.zeros((len(blobs), width), dtype=np.int64)
    rows, columns, counts = unpack(blobs)
    table[rows, columns] = counts
    return table


def _joined(blobs: Sequence[bytes]) -> tuple[_Words, _Words, Integers]:
    """Return the columns and counts of all blobs, concatenated, and the number of pairs of each blob, (len(blobs),)."""
    pairs = np.frombuffer(b"".join(blobs), dtype="<u4").reshape(-1, 2)
    sizes = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs))
    return pairs[:, 0], pairs[:, 1], sizes // _BYTES_PER_PAIR
