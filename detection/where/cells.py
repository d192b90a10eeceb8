"""Counts per full combination of dimension values, before and now, with values as integer codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from detection.types import Floats, Integers


@dataclass(frozen=True, slots=True)
class Cells:
    """The number of bad outcomes and the total for each combination of values that occurs, before and now.

    values[d]: the values of dimension d. codes: (cells, dimensions) indices into them. Counts: (cells,), with
    bad <= total.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: Integers
    bad: Floats
    total: Floats
    bad_before: Floats
    total_before: Floats


def counted_cells(
    columns: Mapping[str, Sequence[str]], bad: ArrayLike, total: ArrayLike, *, is_now: ArrayLike
) -> Cells:
    """Sum rows into cells.

    columns: the values of each dimension, (rows,). bad, total, is_now: (rows,); rows that are not now are the past.
    Raises ValueError when the lengths differ or when bad is negative or exceeds total in a row.
    """
    now = np.asarray(is_now, dtype=bool)
    bad_counts, totals = np.asarray(bad, dtype=np.float64), np.asarray(total, dtype=np.float64)
    if any(len(part) != len(now) for part in (bad_counts, totals, *columns.values())):
        raise ValueError("every column must have one entry a row")
    if np.any(bad_counts > totals) or np.any(bad_counts < 0):
        raise ValueError("bad must lie between 0 and total in every row")
    coded = [coded_values(column) for column in columns.values()]
    rows = np.stack([codes for codes, _ in coded], axis=1) if coded else np.zeros((len(now), 0), dtype=np.int64)
    cell, first_row = grouped(rows)
    size = len(first_row)
    return Cells(
        dimensions=tuple(columns),
        values=tuple(values for _, values in coded),
        codes=rows[first_row],
        bad=_summed(cell, bad_counts * now, size),
        total=_summed(cell, totals * now, size),
        bad_before=_summed(cell, bad_counts * ~now, size),
        total_before=_summed(cell, totals * ~now, size),
    )


def grouped(codes: Integers) -> tuple[Integers, Integers]:
    """Group equal rows of codes, (rows, columns): return the group of each row, (rows,), and each group's first row."""
    if codes.shape[1] == 0 or len(codes) == 0:
        return np.zeros(len(codes), dtype=np.int64), np.zeros(min(len(codes), 1), dtype=np.int64)
    keys = codes[:, 0]
    for column in codes.T[1:]:
        # Renumbering at every step keeps the key from overflowing with many dimensions.
        keys = np.unique(keys, return_inverse=True)[1] * (int(column.max()) + 1) + column
    _, first_row, group = np.unique(keys, return_index=True, return_inverse=True)
    return group.astype(np.int64), first_row.astype(np.int64)


def _summed(cell: Integers, counts: Floats, size: int) -> Floats:
    return np.bincount(cell, counts, size).astype(np.float64)


def coded_values(column: Sequence[str]) -> tuple[Integers, tuple[str, ...]]:
    """Return the code of each value, and the values, in the order of their first occurrence."""
    number: dict[str, int] = {}
    codes = np.fromiter((number.setdefault(value, len(number)) for value in column), np.int64, len(column))
    return codes, tuple(number)
