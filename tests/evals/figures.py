"""The output of the evaluation: one JSON line a figure, as the benchmarks print, with how sure the figure is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from detection.statistics.proportions import wilson_interval
from detection.types import Floats
from tests.benchmarks.figures import LOWER_IS_BETTER

_RESAMPLES = 1000
_SEED = 20260611


@dataclass(frozen=True, slots=True)
class EvalFigure:
    """A measured `value` in `unit` over `cases` cases, and the bound that it must keep, if it has one.

    interval: 95 %, None where it has none. peer, peer_value: what the value can be compared with, in the same run.
    """

    name: str
    value: float
    unit: str
    cases: int
    interval: tuple[float, float] | None = None
    at_least: float | None = None
    at_most: float | None = None
    peer: str | None = None
    peer_value: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the bound is kept; None without a bound, or where there was no case to measure it on."""
        if not self.cases:
            return None
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least

    def line(self) -> str:
        """Return a JSON line with the keys of a benchmark's, `interval` and `cases`."""
        lower_is_better = self.at_most is not None
        return json.dumps(
            {
                "name": self.name,
                "value": _printed(self.value),
                "unit": f"{self.unit} ({LOWER_IS_BETTER})" if lower_is_better else self.unit,
                "peer": self.peer,
                "peer_value": _printed(self.peer_value),
                "at_least": _printed(self.at_most if lower_is_better else self.at_least),
                "holds": self.holds,
                "interval": None if self.interval is None else [_printed(end) for end in self.interval],
                "cases": self.cases,
            },
            ensure_ascii=False,
        )


def share(
    name: str,
    hits: int,
    of: int,
    unit: str = "share of cases",
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    peer: tuple[str, float] | None = None,
) -> EvalFigure:
    """Return the figure hits / of with its Wilson interval."""
    low, high = (float(end) for end in wilson_interval(hits, of))
    value = hits / of if of else float("nan")
    who, theirs = peer or (None, None)
    return EvalFigure(name, value, unit, of, (low, high), at_least, at_most, who, theirs)


def count(name: str, hits: int, of: int, unit: str, *, at_most: float | None = None) -> EvalFigure:
    """Return how often something happened in `of` cases."""
    return EvalFigure(name, hits, unit, of, at_most=at_most)


def resampled(
    values: Sequence[tuple[float, float]], statistic: Callable[[Floats, Floats], float]
) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval (Efron 1979) of a statistic of pairs; None below two pairs."""
    if len(values) < 2:
        return None
    pairs = np.asarray(values, dtype=float)
    rng = np.random.default_rng(_SEED)
    found = [
        statistic(drawn[:, 0], drawn[:, 1])
        for drawn in (pairs[rng.integers(0, len(pairs), len(pairs))] for _ in range(_RESAMPLES))
    ]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _printed(value: float | None) -> float | None:
    """Round to four decimals; what is no finite number becomes None, since JSON has none."""
    return round(float(value), 4) if value is not None and math.isfinite(value) else None
