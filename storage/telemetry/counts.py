"""Histograms as compact blobs, many at a time.

A blob is a list of (column, count) pairs of little-endian unsigned 32-bit integers, only for counts above 0: most
buckets of most histograms are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from detection.types import Integers

_BYTES_A_PAIR = 8


class Counts(NamedTuple):
    """Entries of a sparse table: counts[i] stands in row rows[i], column columns[i]; doubles add up. Each (n,)."""

    rows: Integers
    columns: Integers
    counts: Integers


def pack(parts: Sequence[Counts], row_count: int) -> list[bytes]:
    """Add the parts up and make one blob a row; what comes to 0 or less is left out."""
    rows, columns, counts = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    width = int(columns.max(initial=0)) + 1
    cells, inverse = np.unique(rows * width + columns, return_inverse=True)
    sums = np.bincount(inverse, weights=counts, minlength=len(cells)).astype(np.int64)
    cells, sums = cells[sums > 0], sums[sums > 0]
    pairs = np.column_stack([cells % width, sums]).astype("<u4")
    edges = np.searchsorted(cells // width, np.arange(row_count + 1))
    return [pairs[start:end].tobytes() for start, end in pairwise(edges.tolist())]


def unpack(blobs: Sequence[bytes]) -> Counts:
    """Read blobs; row i is blobs[i]."""
    pairs = np.frombuffer(b"".join(blobs), dtype="<u4").astype(np.int64).reshape(-1, 2)
    rows = np.repeat(np.arange(len(blobs)), [len(blob) // _BYTES_A_PAIR for blob in blobs])
    return Counts(rows, pairs[:, 0], pairs[:, 1])


def dense(blobs: Sequence[bytes], width: int) -> Integers:
    """Read blobs as a full table: (len(blobs), width)."""
    table = np.zeros((len(blobs), width), dtype=np.int64)
    rows, columns, counts = unpack(blobs)
    table[rows, columns] = counts
    return table
