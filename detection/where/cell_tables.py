"""Funnel cells of several stretches of time side by side, with what each kind of user should convert at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import DELAY_EDGES_SECONDS, VERSION_DIMENSION, Floats, FunnelCells, Integers

_NEARLY_ALL = 0.98
_NEARLY_ALL_DEPLOYED = 0.95
"""A dimension of which one value has this share of the entries cannot tell anybody apart."""

_PAST_PRIOR = 50.0
"""How many entries at what its dimensions foretell a cell's own past is pulled toward."""

_SWEEPS = 10
_DAMPING = 5.0
"""Conversions, as few as which a value's own rate is pulled toward everyone's."""

_FEWEST_KNOWN = 20.0
"""Past entries below which a value is a new kind of user, of whom nothing is expected."""


@dataclass(frozen=True, slots=True)
class CellTable:
    """One row a combination of `dimensions`; values[d] are those of dimension d, codes: (cells, dimensions).

    entries, converted: now. usual_entries: of the times that now should resemble. past_entries, past_converted: of
    the whole baseline. (cells,) each; conversions within one horizon.
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
    """Lay the three side by side, over the dimensions that tell users of now apart."""
    dimensions = _telling(now)
    rows: dict[tuple[str, ...], int] = {}
    places = [
        np.array(
            [rows.setdefault(tuple(one.get(name, "") for name in dimensions), len(rows)) for one in cells.combinations],
            dtype=np.int64,
        )
        for cells in (now, usual, past)
    ]
    coded = [_coded(column) for column in zip(*rows, strict=True)] if rows else []
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
    """(cells,) what each cell used to convert at, 0 to 1.

    A cell with little past is pulled toward what its dimensions foretell together: everyone's rate times a factor
    for each value, fitted by iterative proportional scaling (Bailey and Simon 1960), so that two dimensions that say
    the same count once. A version never seen before has no factor, and so expects of its users what was expected.
    """
    everyone = (table.past_converted.sum() + 0.5) / (table.past_entries.sum() + 1.0)
    foretold = np.full(len(table.codes), everyone)
    for _ in range(_SWEEPS):
        for column in table.codes.T:
            seen = np.bincount(column, table.past_converted) + _DAMPING
            foretold = foretold * (seen / (np.bincount(column, table.past_entries * foretold) + _DAMPING))[column]
    pulled = table.past_converted + _PAST_PRIOR * np.clip(foretold, 0.0, 1.0)
    return np.asarray(pulled / (table.past_entries + _PAST_PRIOR))


def unknown_kinds(table: CellTable) -> Integers:
    """Which cells hold a value, other than a version, that hardly had a past: their numbers."""
    found = np.zeros(len(table.codes), dtype=bool)
    for name, column in zip(table.dimensions, table.codes.T, strict=True):
        if name != VERSION_DIMENSION:
            found |= (np.bincount(column, table.past_entries) < _FEWEST_KNOWN)[column]
    return np.flatnonzero(found)


def _telling(now: FunnelCells) -> tuple[str, ...]:
    total = int(now.entries.sum())
    names = sorted({name for one in now.combinations for name in one})
    return tuple(
        name
        for name in names
        if _largest(now, name) < total * (_NEARLY_ALL_DEPLOYED if name == VERSION_DIMENSION else _NEARLY_ALL)
    )


def _largest(cells: FunnelCells, name: str) -> int:
    """How many entries the commonest value of a dimension has."""
    counts: dict[str, int] = {}
    for one, entries in zip(cells.combinations, cells.entries.tolist(), strict=True):
        value = one.get(name, "")
        counts[value] = counts.get(value, 0) + entries
    return max(counts.values(), default=0)


def _in_time(cells: FunnelCells, horizon_seconds: float) -> Integers:
    """(cells,) conversions whose delay bucket ends by the horizon, or by the first edge past it."""
    buckets = int(np.searchsorted(DELAY_EDGES_SECONDS, horizon_seconds - 1e-9)) + 1
    return np.asarray(cells.converted_by_delay[:, :buckets].sum(axis=1), dtype=np.int64)


def _summed(rows: Integers, counts: Integers, size: int) -> Floats:
    return np.bincount(rows, counts, size).astype(np.float64)


def _coded(column: Sequence[str]) -> tuple[Integers, tuple[str, ...]]:
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(value, len(numbers)) for value in column], dtype=np.int64)
    return codes, tuple(numbers)


def merged(parts: Sequence[FunnelCells], funnel_id: int) -> FunnelCells:
    """Several stretches of time as one, each combination once."""
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
