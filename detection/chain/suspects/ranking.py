"""Rank the parts of a system as root causes, by how far their metrics, logs and traces deviate from normal.

Each deviation is scaled by the usual fluctuation of the same quantity, so that one that always fluctuates counts little
however large it is. There are two sorts of clues: a reading (a metric, or the time an operation itself takes) that is
too high, and a pattern (a transition between log events within one call) that changed its frequency. Changed event
patterns as pointers to the broken code come from Nezha (Yu et al. 2023). The frequencies are conditional on the
preceding event, so they do not depend on how many calls there are, or on which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import xlogy

from detection.types import Floats

_USUAL_SHARE = 0.95
_UNDISTURBED_SHARE = 0.8
"""The share of a pattern's normal windows that is used: those that agree best. Others may hold unrecorded incidents."""

_FEWEST_WINDOWS = 3
_CHANCE = 3.0
"""The log-likelihood ratio that the largest among the patterns of one part reaches by chance alone."""


class ClueKind(StrEnum):
    """The source of a clue. Clues of one kind often share a reason, so only the best of each kind counts."""

    PATTERN = "pattern"
    OWN_TIME = "own_time"
    WAIT = "wait"
    METRIC = "metric"
    NETWORK = "network"


_WEIGHTS = {ClueKind.METRIC: 0.5, ClueKind.NETWORK: 0.5}
"""Metrics count half: every part has many, sampled once a minute, and some always deviate."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A measurement of a part: normal values, (n,), and values during the incident, (m,), in the same unit.

    floor: a difference that is negligible even if all normal values are equal.
    """

    part: str
    kind: ClueKind
    name: str
    normal: Floats
    during: Floats
    floor: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """How often one event followed another: `times` of `chances`, in each normal window, (n,), and in the incident."""

    part: str
    name: str
    normal_times: Floats
    normal_chances: Floats
    times: float
    chances: float


@dataclass(frozen=True, slots=True)
class Clue:
    """A deviation: surprise is the log of its size over the usual size; normal and now are values to show to people."""

    part: str
    kind: ClueKind
    name: str
    surprise: float
    normal: float
    now: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """A part with the best clue of each kind, the strongest first."""

    part: str
    score: float
    clues: tuple[Clue, ...]


def suspects(readings: Sequence[Reading], patterns: Sequence[Pattern]) -> list[Suspect]:
    """Rank the parts, the likeliest root cause first; parts without any clue are left out."""
    clues = [clue for reading in readings if (clue := reading_clue(reading)) is not None]
    clues += [clue for pattern in patterns if (clue := pattern_clue(pattern)) is not None]
    best: dict[str, dict[ClueKind, Clue]] = {}
    for clue in clues:
        kinds = best.setdefault(clue.part, {})
        if clue.kind not in kinds or clue.surprise > kinds[clue.kind].surprise:
            kinds[clue.kind] = clue
    ranked = [_suspect(part, list(kinds.values())) for part, kinds in best.items()]
    return sorted(ranked, key=lambda suspect: (-suspect.score, -suspect.clues[0].surprise, suspect.part))


def reading_clue(reading: Reading) -> Clue | None:
    """Return the clue of a reading, from its medians; None if it is not above normal or has too few data."""
    normal, during = (values[np.isfinite(values)] for values in (reading.normal, reading.during))
    if len(normal) < _FEWEST_WINDOWS or len(during) == 0:
        return None
    usual, now = float(np.median(normal)), float(np.median(during))
    if now <= usual:
        return None
    reach = float(np.quantile(np.abs(normal - usual), _USUAL_SHARE)) + reading.floor
    surprise = float(np.log((now - usual) / max(reach, 1e-9)))
    return Clue(reading.part, reading.kind, reading.name, surprise, usual, now)


def pattern_clue(pattern: Pattern) -> Clue | None:
    """Return the clue of a pattern; None if it hardly changed or has too few data.

    Its surprise compares the likelihood ratio of the incident with the largest one of any normal window against the
    others.
    """
    known = pattern.normal_chances > 0
    if known.sum() < 2 or pattern.chances <= 0:
        return None
    times, chances = _undisturbed(pattern.normal_times[known], pattern.normal_chances[known])
    all_times, all_chances = times.sum(), chances.sum()
    now_times, now_chances = np.array([pattern.times]), np.array([pattern.chances])
    changed = float(_likelihood_ratio(all_times, all_chances, now_times, now_chances)[0])
    if changed <= 1.0:
        return None
    usual = float(_likelihood_ratio(all_times - times, all_chances - chances, times, chances).max())
    surprise = float(np.log(changed / (usual + _CHANCE)))
    normal, now = float(all_times / all_chances), pattern.times / pattern.chances
    return Clue(pattern.part, ClueKind.PATTERN, pattern.name, surprise, normal, now)


def _suspect(part: str, clues: list[Clue]) -> Suspect:
    clues.sort(key=lambda clue: -clue.surprise)
    return Suspect(part, sum(_WEIGHTS.get(clue.kind, 1.0) * max(clue.surprise, 0.0) for clue in clues), tuple(clues))


def _undisturbed(times: Floats, chances: Floats) -> tuple[Floats, Floats]:
    """Keep the windows closest to the median share (a trimmed likelihood; Neykov and Neytchev 1990)."""
    median = np.clip(np.median(times / chances), 0.01, 0.99)
    apart = _divergence(times, chances, np.full(len(times), median))
    kept = np.argsort(apart, kind="stable")[: max(int(np.ceil(_UNDISTURBED_SHARE * len(times))), 2)]
    return times[kept], chances[kept]


def _likelihood_ratio(
    times: Floats | np.float64, chances: Floats | np.float64, other_times: Floats, other_chances: Floats
) -> Floats:
    """Return half the G statistic of the test that two binomial samples share one rate (Wilks 1938); elementwise."""
    share = (times + other_times) / np.maximum(chances + other_chances, 1e-9)
    return _divergence(times, chances, share) + _divergence(other_times, other_chances, share)


def _divergence(times: Floats | np.float64, chances: Floats | np.float64, share: Floats) -> Floats:
    """Return by how much a binomial sample's own share explains it better than `share`, in log-likelihood."""
    own = times / np.maximum(chances, 1e-9)
    hit = xlogy(times, np.where(times > 0, own / np.maximum(share, 1e-12), 1.0))
    missed = xlogy(chances - times, np.where(chances > times, (1 - own) / np.maximum(1 - share, 1e-12), 1.0))
    return np.asarray(hit + missed)
