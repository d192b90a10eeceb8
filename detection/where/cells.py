"""Counts per full combination of dimension values, with values as integer codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import Floats, Integers


@dataclass(frozen=True, slots=True)
class Cells:
    """The number of bad outcomes now, the total, and the usual bad share, for each combination of values that occurs.

    values[d]: the values of dimension d. codes: (cells, dimensions) indices into them. bad, total: (cells,), with
    bad <= total. usual: (cells,), 0 to 1.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: Integers
    bad: Floats
    total: Floats
    usual: Floats


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


def coded_values(column: Sequence[str]) -> tuple[Integers, tuple[str, ...]]:
    """Return the code of each value, and the values, in the order of their first occurrence."""
    number: dict[str, int] = {}
    codes = np.fromiter((number.setdefault(value, len(number)) for value in column), np.int64, len(column))
    return codes, tuple(number)
