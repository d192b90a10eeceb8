"""Funnel cells of several periods in one table, and the conversion rate expected in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import DELAY_EDGES_SECONDS, VERSION_DIMENSION, Floats, FunnelCells, Integers
from detection.where.cells import coded_values

_NEARLY_ALL = 0.98
_NEARLY_ALL_DEPLOYED = 0.95
"""A dimension is dropped when one of its values has at least this share of the entries."""

_PAST_PRIOR = 50.0
"""The weight, in entries, of the rate that others foretell against the cell's own past."""

_SWEEPS = 10
_DAMPING = 5.0
"""The weight, in conversions, of the overall rate against the rate of a single dimension value."""

_FEWEST_KNOWN = 20.0
"""A value with fewer past entries is a new kind of user without an expected rate."""


@dataclass(frozen=True, slots=True)
class CellTable:
    """One row per combination of `dimensions`; values[d]: the values of dimension d; codes: (cells, dimensions).

    entries, converted: now. usual_entries: in the periods that should have the same mix of users as now. past_entries,
    past_converted: in the whole baseline. All are (cells,); conversions count within one horizon.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: Integers
    entries: Floats
    converted: Floats
    usual_entries: Floats
    past_entries: Floats
    past_converted: Floats


def cell_table(now: FunnelCells, usual: FunnelCells, past: FunnelCells, *, horizon_seconds: float) -> CellTable:
    """Build a table of the three periods over the dimensions that distinguish the current users."""
    dimensions = _distinguishing_dimensions(now)
    rows: dict[tuple[str, ...], int] = {}
    places = [
        np.array(
            [rows.setdefault(tuple(one.get(name, "") for name in dimensions), len(rows)) for one in cells.combinations],
            dtype=np.int64,
        )
        for cells in (now, usual, past)
    ]
    coded = [coded_values(column) for column in zip(*rows, strict=True)] if rows else []
    return CellTable(
        dimensions=dimensions,
        values=tuple(values for _, values in coded),
        codes=np.stack([codes for codes, _ in coded], axis=1) if coded else np.zeros((len(rows), 0), dtype=np.int64),
        entries=_summed(places[0], now.entries, len(rows)),
        converted=_summed(places[0], _in_time(now, horizon_seconds), len(rows)),
        usual_entries=_summed(places[1], usual.entries, len(rows)),
        past_entries=_summed(places[2], past.entries, len(rows)),
        past_converted=_summed(places[2], _in_time(past, horizon_seconds), len(rows)),
    )


def past_rates(table: CellTable) -> Floats:
    """Return the past conversion rate of each cell, (cells,), 0 to 1.

    The rate of a cell with little past is shrunk toward the rate predicted from its dimension values: the overall rate
    times a factor per value, fitted by iterative proportional scaling (Bailey and Simon 1960), so that two dimensions
    with the same information count once. A version never seen before gets no factor of its own, so its users are
    expected to convert as before.
    """
    overall = (table.past_converted.sum() + 0.5) / (table.past_entries.sum() + 1.0)
    predicted = np.full(len(table.codes), overall)
    for _ in range(_SWEEPS):
        for column in table.codes.T:
            seen = np.bincount(column, table.past_converted) + _DAMPING
            predicted = predicted * (seen / (np.bincount(column, table.past_entries * predicted) + _DAMPING))[column]
    converted = table.past_converted + _PAST_PRIOR * np.clip(predicted, 0.0, 1.0)
    return np.asarray(converted / (table.past_entries + _PAST_PRIOR))


def own_rates(table: CellTable, rates: Floats) -> Floats:
    """Return the past conversion rate of each cell by itself, (cells,); `rates`, as of `past_rates`, where it has none.

    A small cell is pulled toward everybody's rate, not toward what its values foretell: a value that did badly already
    before it broke would foretell just that, and hide where it broke.
    """
    overall = (table.past_converted.sum() + 0.5) / (table.past_entries.sum() + 1.0)
    own = (table.past_converted + _PAST_PRIOR * overall) / (table.past_entries + _PAST_PRIOR)
    return np.asarray(np.where(table.past_entries > 0, own, rates))


def unknown_kinds(table: CellTable) -> Integers:
    """Return the indices of cells with a value, other than a version, that has hardly any past entries."""
    found = np.zeros(len(table.codes), dtype=bool)
    for name, column in zip(table.dimensions, table.codes.T, strict=True):
        if name != VERSION_DIMENSION:
            found |= (np.bincount(column, table.past_entries) < _FEWEST_KNOWN)[column]
    return np.flatnonzero(found)


def _distinguishing_dimensions(now: FunnelCells) -> tuple[str, ...]:
    total = int(now.entries.sum())
    names = sorted({name for one in now.combinations for name in one})
    return tuple(
        name
        for name in names
        if _largest(now, name) < total * (_NEARLY_ALL_DEPLOYED if name == VERSION_DIMENSION else _NEARLY_ALL)
    )


def _largest(cells: FunnelCells, name: str) -> int:
    """Return the number of entries of the most frequent value of a dimension."""
    counts: dict[str, int] = {}
    for one, entries in zip(cells.combinations, cells.entries.tolist(), strict=True):
        value = one.get(name, "")
        counts[value] = counts.get(value, 0) + entries
    return max(counts.values(), default=0)


def _in_time(cells: FunnelCells, horizon_seconds: float) -> Integers:
    """Return the conversions within the horizon, rounded up to the next edge of the delay buckets, (cells,)."""
    buckets = int(np.searchsorted(DELAY_EDGES_SECONDS, horizon_seconds - 1e-9)) + 1
    return np.asarray(cells.converted_by_delay[:, :buckets].sum(axis=1), dtype=np.int64)


def _summed(rows: Integers, counts: Integers, size: int) -> Floats:
    return np.bincount(rows, counts, size).astype(np.float64)


def merged(parts: Sequence[FunnelCells], funnel_id: int) -> FunnelCells:
    """Sum the cells of several periods; each combination then occurs once."""
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    rows = np.array(
        [numbers.setdefault(tuple(one.items()), len(numbers)) for part in parts for one in part.combinations],
        dtype=np.int64,
    )
    entries = np.zeros(len(numbers), dtype=np.int64)
    by_delay = np.zeros((len(numbers), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
    if len(rows):
        np.add.at(entries, rows, np.concatenate([part.entries for part in parts]))
        np.add.at(by_delay, rows, np.concatenate([part.converted_by_delay for part in parts]))
    return FunnelCells(funnel_id, tuple(dict(one) for one in numbers), entries, by_delay)
