"""The cells of a simulated shop: kinds of users with different conversion rates, some of them hit by a break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from detection.types import DELAY_EDGES_SECONDS, Floats, FunnelCells, Integers

CONVERSION = 0.38
HORIZON_SECONDS = 60.0
DELAY_SECONDS = 5.0

KINDS: Mapping[str, Mapping[str, float]] = {
    "country": {"DE": 0.35, "US": 0.30, "FR": 0.15, "GB": 0.12, "IN": 0.08},
    "device": {"ios": 0.3, "android": 0.3, "web": 0.4},
    "browser": {"chrome": 0.5, "safari": 0.3, "firefox": 0.1, "edge": 0.1},
    "payment_method": {"card": 0.55, "paypal": 0.35, "klarna": 0.1},
}
"""The share of users with each value."""

CONVERTS = {"IN": 0.25, "US": 1.1, "web": 1.2, "klarna": 0.8, "firefox": 0.9}
"""The usual conversion rate of users with a value, relative to others."""

PROVIDERS = {"card": "stripe", "paypal": "paypal_inc", "klarna": "klarna_inc"}

Where = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Shop:
    """The shop in one period. broken: where the share `lost` of the conversions fails; None is nowhere.

    mix: shares of a dimension's values that replace those of KINDS. new_version: the share of users on version 2.0.
    busier: a factor on all conversion rates.
    """

    broken: Where | None = None
    lost: float = 0.8
    mix: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    new_version: float = 0.0
    busier: float = 1.0

    def cells(self, entries: int, seed: int) -> FunnelCells:
        """Draw entries by the shares of their kinds, and their conversions by the rates of their kinds."""
        random = np.random.default_rng(seed)
        combinations, shares, rates = self._kinds()
        counts = random.multinomial(entries, shares)
        converted = random.binomial(counts, rates)
        seen = np.flatnonzero(counts)
        return FunnelCells(1, tuple(combinations[row] for row in seen), counts[seen], _by_delay(converted[seen]))

    def _kinds(self) -> tuple[list[dict[str, str]], Floats, Floats]:
        names, mix = list(KINDS), {**KINDS, **self.mix}
        combinations, shares, rates = [], [], []
        for values in product(*mix.values(), ("1.0", "2.0")):
            kind = dict(zip([*names, "version"], values, strict=True))
            share = float(np.prod([mix[name][kind[name]] for name in names]))
            share *= self.new_version if kind["version"] == "2.0" else 1 - self.new_version
            if kind["device"] == "ios":
                kind["browser"] = "safari"
            kind["provider"] = PROVIDERS[kind["payment_method"]]
            combinations.append(kind)
            shares.append(share)
            rates.append(self._rate(kind))
        return _merged(combinations, np.array(shares), np.array(rates))

    def _rate(self, kind: Mapping[str, str]) -> float:
        rate = CONVERSION * float(np.prod([CONVERTS.get(value, 1.0) for value in kind.values()]))
        if kind["country"] == "FR" and kind["device"] == "web":
            rate *= 0.5
        hit = self.broken is not None and all(kind[name] == value for name, value in self.broken)
        return rate * self.busier * (1 - self.lost * hit)


def _merged(
    combinations: list[dict[str, str]], shares: Floats, rates: Floats
) -> tuple[list[dict[str, str]], Floats, Floats]:
    """Merge equal combinations, summing their shares."""
    numbers: dict[tuple[str, ...], int] = {}
    rows = np.array([numbers.setdefault(tuple(one.values()), len(numbers)) for one in combinations])
    _, first = np.unique(rows, return_index=True)
    summed = np.bincount(rows, shares)
    return [combinations[row] for row in first], summed / summed.sum(), rates[first]


def _by_delay(converted: Integers) -> Integers:
    table = np.zeros((len(converted), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
    table[:, int(np.searchsorted(DELAY_EDGES_SECONDS, DELAY_SECONDS))] = converted
    return table
