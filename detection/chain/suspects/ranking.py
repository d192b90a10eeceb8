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
from numpy.typing import NDArray
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
    MISSING_CALLS = "missing_calls"
    SUCCESS = "success"


_WEIGHTS = {
    ClueKind.METRIC: 0.3,
    ClueKind.NETWORK: 0.3,
    ClueKind.MISSING_CALLS: 0.5,
    ClueKind.SUCCESS: 0.1,
}
"""Metrics count less: every part has many, sampled once a minute, and some always deviate.

What fails at a part may have failed below it, so lost success decides only where nothing else is odd.
"""

_FEWEST_BLOCKS = 5


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
    clues += pattern_clues(patterns)
    best: dict[str, dict[ClueKind, Clue]] = {}
    for clue in clues:
        kinds = best.setdefault(clue.part, {})
        if clue.kind not in kinds or clue.surprise > kinds[clue.kind].surprise:
            kinds[clue.kind] = clue
    ranked = [_suspect(part, list(kinds.values())) for part, kinds in best.items()]
    return sorted(ranked, key=lambda suspect: (-suspect.score, -suspect.clues[0].surprise, suspect.part))


def reading_clue(reading: Reading) -> Clue | None:
    """Return the clue of a reading, from its medians; None if it is not above normal or has too few data.

    Several values during the incident are compared with as many normal ones at a time, as medians of more values
    fluctuate less. Normal values from so far back may hold unrecorded incidents, so those most apart are left out.
    """
    normal, during = (values[np.isfinite(values)] for values in (reading.normal, reading.during))
    if len(normal) < _FEWEST_WINDOWS or len(during) == 0:
        return None
    usual, now = float(np.median(normal)), float(np.median(during))
    if now <= usual:
        return None
    share = _USUAL_SHARE
    if len(during) > 1 and len(normal) >= _FEWEST_BLOCKS * len(during):
        normal, share = _blocks(normal, len(during)), _UNDISTURBED_SHARE
    reach = float(np.quantile(np.abs(normal - usual), share)) + reading.floor
    surprise = float(np.log((now - usual) / max(reach, 1e-9)))
    return Clue(reading.part, reading.kind, reading.name, surprise, usual, now)


def _blocks(values: Floats, size: int) -> Floats:
    """Return the median of each `size` values in a row, the newest values first to be used."""
    count = len(values) // size
    blocks: Floats = np.median(values[len(values) - count * size :].reshape(count, size), axis=1)
    return blocks


def pattern_clues(patterns: Sequence[Pattern]) -> list[Clue]:
    """Return the clues of patterns; none of one that hardly changed or has too few data.

    The surprise compares the likelihood ratio of the incident with the largest one of any normal window against the
    others.
    """
    clues = []
    for size in sorted({len(pattern.normal_times) for pattern in patterns}):
        clues += _clues_of([pattern for pattern in patterns if len(pattern.normal_times) == size])
    return clues


def _clues_of(patterns: Sequence[Pattern]) -> list[Clue]:
    """Return the clues of patterns that are known from the same number of windows, all at once."""
    times = np.array([pattern.normal_times for pattern in patterns])
    chances = np.array([pattern.normal_chances for pattern in patterns])
    now_times = np.array([pattern.times for pattern in patterns])
    now_chances = np.array([pattern.chances for pattern in patterns])
    judged = np.flatnonzero(((chances > 0).sum(axis=1) >= 2) & (now_chances > 0))
    if not len(judged):
        return []
    times, chances, now_times, now_chances = times[judged], chances[judged], now_times[judged], now_chances[judged]
    kept = _undisturbed(times, chances)
    times, chances = times * kept, chances * kept
    all_times, all_chances = times.sum(axis=1), chances.sum(axis=1)
    changed = _likelihood_ratio(all_times, all_chances, now_times, now_chances)
    against = _likelihood_ratio(all_times[:, None] - times, all_chances[:, None] - chances, times, chances)
    surprise = np.log(np.maximum(changed, 1e-9) / (np.where(kept, against, 0.0).max(axis=1) + _CHANCE))
    return [
        Clue(
            patterns[judged[place]].part,
            ClueKind.PATTERN,
            patterns[judged[place]].name,
            float(surprise[place]),
            float(all_times[place] / all_chances[place]),
            float(now_times[place] / now_chances[place]),
        )
        for place in np.flatnonzero(changed > 1.0)
    ]


def _suspect(part: str, clues: list[Clue]) -> Suspect:
    clues.sort(key=lambda clue: -clue.surprise)
    return Suspect(part, sum(_WEIGHTS.get(clue.kind, 1.0) * max(clue.surprise, 0.0) for clue in clues), tuple(clues))


def _undisturbed(times: Floats, chances: Floats) -> NDArray[np.bool_]:
    """Return which windows of each pattern, (patterns, n), are closest to the median share.

    The likelihood of the others is trimmed (Neykov and Neytchev 1990).
    """
    known = chances > 0
    shares = np.where(known, times / np.maximum(chances, 1e-9), np.nan)
    median = np.clip(np.nanmedian(shares, axis=1), 0.01, 0.99)
    apart = np.where(known, _divergence(times, chances, np.broadcast_to(median[:, None], times.shape)), np.inf)
    places = np.argsort(np.argsort(apart, axis=1, kind="stable"), axis=1, kind="stable")
    count = np.maximum(np.ceil(_UNDISTURBED_SHARE * known.sum(axis=1)), 2)
    return np.asarray(known & (places < count[:, None]))


def _likelihood_ratio(times: Floats, chances: Floats, other_times: Floats, other_chances: Floats) -> Floats:
    """Return half the G statistic of the test that two binomial samples share one rate (Wilks 1938); elementwise."""
    share = (times + other_times) / np.maximum(chances + other_chances, 1e-9)
    return _divergence(times, chances, share) + _divergence(other_times, other_chances, share)


def _divergence(times: Floats, chances: Floats, share: Floats) -> Floats:
    """Return by how much a binomial sample's own share explains it better than `share`, in log-likelihood."""
    own = times / np.maximum(chances, 1e-9)
    hit = xlogy(times, np.where(times > 0, own / np.maximum(share, 1e-12), 1.0))
    missed = xlogy(chances - times, np.where(chances > times, (1 - own) / np.maximum(1 - share, 1e-12), 1.0))
    return np.asarray(hit + missed)
