"""Places are found in shops of many shapes: few and many dimensions, skewed sizes, hierarchies, noise, two causes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from detection.types import DELAY_EDGES_SECONDS, Attribution, Floats, FunnelCells, Integers, Place
from detection.where.attribution import attribute
from detection.where.cell_tables import merged

Where = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Shape:
    """sizes: values of each dimension. skew: how unequal their shares are. noise: how much the rates of kinds differ
    from what their values foretell, as log odds. nested: the second dimension follows from the first.
    """

    sizes: tuple[int, ...]
    skew: float = 0.7
    noise: float = 0.0
    nested: bool = False


SHAPES = {
    "two dimensions": Shape((3, 4)),
    "six dimensions": Shape((3, 5, 4, 2, 6, 3)),
    "very unequal shares": Shape((6, 8, 3), skew=1.8),
    "a hierarchy": Shape((8, 3, 4), nested=True),
    "kinds with rates of their own": Shape((4, 5, 3), noise=0.3),
    "many values": Shape((19, 18, 3)),
}


def drawn(shape: Shape, causes: int, seed: int) -> tuple[Attribution, frozenset[Where]]:
    """Break one or two combinations by half; return what is found of it, and where it truly broke."""
    random = np.random.default_rng(seed)
    shares = [1 / np.arange(1, size + 1) ** shape.skew for size in shape.sizes]
    codes = np.stack([random.choice(len(one), 3000, p=one / one.sum()) for one in shares], axis=1)
    if shape.nested:
        codes[:, 1] = codes[:, 0] % shape.sizes[1]
    kinds, counts = np.unique(codes, axis=0, return_counts=True)
    odds = sum(random.normal(0, 0.3, size)[column] for size, column in zip(shape.sizes, kinds.T, strict=True))
    rates = 1 / (1 + np.exp(0.5 - odds - random.normal(0, shape.noise, len(kinds))))
    # The commonest values break: of anything rarer there would be too little to tell.
    columns = [0] if seed % 2 else [0, len(shape.sizes) - 1]
    broken = [dict.fromkeys(columns, 0), {1: 1}][:causes]
    hit = np.any([np.all([kinds[:, c] == v for c, v in one.items()], axis=0) for one in broken], axis=0)
    now = _cells(kinds, random.multinomial(20_000, counts / counts.sum()), np.where(hit, rates / 2, rates), random)
    past = _cells(kinds, random.multinomial(400_000, counts / counts.sum()), rates, random)
    answer = attribute(now, merged([], 1), past, horizon_seconds=60.0)
    assert answer is not None
    return answer, frozenset(frozenset((f"d{c}", f"v{v}") for c, v in one.items()) for one in broken)


def without_what_follows(shape: Shape, place: Place) -> Where:
    """Return the place without a value that only repeats another one."""
    where = dict(place.where)
    if shape.nested and "d0" in where:
        where.pop("d1", None)
    return frozenset(where.items())


def _cells(kinds: Integers, entries: Integers, rates: Floats, random: np.random.Generator) -> FunnelCells:
    by_delay = np.zeros((len(kinds), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
    by_delay[:, 0] = random.binomial(entries, rates)
    seen = np.flatnonzero(entries)
    names = tuple({f"d{column}": f"v{value}" for column, value in enumerate(kinds[row])} for row in seen)
    return FunnelCells(1, names, entries[seen], by_delay[seen])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_broke_is_named_and_nothing_else(shape: Shape) -> None:
    found = [drawn(shape, 1, seed) for seed in range(10)]
    assert sum({without_what_follows(shape, place) for place in answer.places} == true for answer, true in found) >= 8


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_of_two_causes_one_at_least_is_among_the_three_places_that_are_told(shape: Shape) -> None:
    found = [drawn(shape, 2, seed) for seed in range(6)]
    told = [{without_what_follows(shape, place) for place in (*answer.places, *answer.possible)} for answer, _ in found]
    assert all(len(places) <= 3 for places in told)
    assert sum(bool(true & places) for places, (_, true) in zip(told, found, strict=True)) >= 5


def test_a_kind_that_was_rare_and_always_did_badly_is_not_blamed_when_more_of_them_come() -> None:
    """Simpson's paradox in cells whose own past is small."""
    random = np.random.default_rng(3)
    kinds = np.stack(np.meshgrid(range(2), range(20), range(12), indexing="ij"), axis=-1).reshape(-1, 3)
    rates = np.where(kinds[:, 0] == 1, 0.1, 0.5)
    usual = np.where(kinds[:, 0] == 1, 0.05, 0.95)
    more = np.where(kinds[:, 0] == 1, 0.6, 0.4)
    now = _cells(kinds, random.multinomial(6_000, more / more.sum()), rates, random)
    past = _cells(kinds, random.multinomial(20_000, usual / usual.sum()), rates, random)
    answer = attribute(now, merged([], 1), past, horizon_seconds=60.0)
    assert answer is not None
    assert (answer.verdict.value, answer.places, answer.possible) == ("mix", (), ())
