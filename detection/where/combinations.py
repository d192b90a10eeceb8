"""Find the combination of up to three dimension values that carries a rise of a bad share, such as lost conversions.

The search scans every combination (one value in each of one, two or three dimensions; the literature calls it a
cuboid), as the scan statistic of Kulldorff (1997) scans every circle of a map. It shares two principles with the
attribution methods for such data (Adtributor, Bhagwan et al. 2014; HotSpot, Sun et al. 2018; Squeeze, Li et al. 2019;
RobustSpot, Zhang et al. 2021; RiskLoc, Kalander 2022): a cause affects all cells within it alike, and the simpler of
two explanations is better. How much better is not tuned: a combination pays for its description (Rissanen 1978), the
logarithm of the number of sets of as many dimensions, and of the combinations in its set.

The likelihood is that of additional failures (a noisy-or): within a cause a share `broken` of those who would have
succeeded fails, besides those that always failed, so that p becomes p + (1 - p) * broken. For a conversion this is one
relative drop, whatever the rate of each kind of user. Every finest cell is compared with its own past, so a mere change
of the mix of users, or a cell that always did badly, is no cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb, log

import numpy as np

from detection.statistics.baselines import Mask
from detection.types import Floats, Integers
from detection.where.cells import Cells, grouped

_LARGEST_COMBINATION = 3

_ALIKENESS = 0.03
"""The intraclass correlation of outcomes within one cell (Williams 1982), per observation that is usually well. The
well ones then fluctuate by about a sixth of their number, whether they are many or few, and no cell has the weight of
more than 33 of them. So many cells that agree outweigh one huge cell."""

_FURTHER = 0.3
"""A further cause must have at least this share of the first one's evidence."""

_LEAST_EVIDENCE = 3.0
"""The log-likelihood (odds of 20 to 1) below which no cause is named."""

FURTHER_EVIDENCE = 7.0
"""The log-likelihood (odds of about a thousand to 1) below which none is named beside another explanation."""

_EVERYWHERE = 0.5
"""If the rest is broken by at least this share of the best combination's `broken`, everything is broken alike."""

_MOST_CAUSES = 3
_LARGEST_SHARE = 0.98

_COMPARED = 50
"""How many combinations the ranking is chosen from."""


@dataclass(frozen=True, slots=True)
class Combination:
    """One combination of values and the excess it explains.

    where: (dimension, value) pairs. excess: the number of bad outcomes above `expected` from the cells' own weighed.
    share_of_excess: its part of the total excess. broken: the share of the formerly well that fails now. score:
    log-likelihood ratio less the length of its description.
    """

    where: tuple[tuple[str, str], ...]
    bad: float
    total: float
    expected: float
    excess: float
    share_of_excess: float
    broken: float
    score: float


@dataclass(frozen=True, slots=True)
class RankedCombinations:
    """The causes (none with too little evidence, or if everything is broken alike) and the ranked candidates.

    ranked: the causes first, then the best that is no part of one of them, then the others by their evidence.
    """

    causes: tuple[Combination, ...]
    ranked: tuple[Combination, ...]
    everywhere_alike: bool


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The cells seen now, with the weight of one observation in each, (cells,)."""

    cells: Cells
    weight: Floats

    @property
    def expected(self) -> Floats:
        return self.cells.total * self.cells.usual


@dataclass(frozen=True, slots=True)
class _Family:
    """All combinations of values of one set of dimensions.

    member: (cells,) the number of the combination that each cell belongs to. example: (combinations,) one cell of each.
    """

    columns: tuple[int, ...]
    member: Integers
    example: Integers


@dataclass(frozen=True, slots=True)
class _Candidate:
    family: _Family
    number: int
    score: float

    def inside(self) -> Mask:
        """Return which cells belong to it, (cells,)."""
        return np.asarray(self.family.member == self.number)


def rank_combinations(cells: Cells, *, keep: int = 10) -> RankedCombinations:
    """Rank the combinations that explain why more is bad now than usual; `keep` bounds the ranking.

    Causes are taken one after the other, each among the cells that those before it have left. With nothing counted
    there is no candidate.
    """
    weighed = _weighed(cells)
    families = _families(weighed.cells)
    left = np.ones(len(weighed.weight), dtype=bool)
    candidates = _best(weighed, families, left, _COMPARED)
    alike = bool(candidates) and _is_everywhere(weighed, candidates[0])
    causes: list[_Candidate] = []
    following = candidates[:1] if not alike else []
    while following and following[0].score >= _least(causes) and len(causes) < _MOST_CAUSES:
        causes.append(following[0])
        left &= ~following[0].inside()
        following = _best(weighed, families, left, 1)
    named = [_described(weighed, cause) for cause in causes]
    others = [_described(weighed, candidate) for candidate in candidates]
    return RankedCombinations(tuple(named), tuple(_ranking(named, others)[:keep]), alike)


def _ranking(named: list[Combination], others: list[Combination]) -> list[Combination]:
    """Put the best combination that is no part of a named one right behind the named ones: it tells the most."""
    known = [set(cause.where) for cause in named]
    rest = [one for one in others if set(one.where) not in known]
    other = [one for one in rest if not any(set(one.where) >= where for where in known)][:1]
    return [*named, *other, *(one for one in rest if one not in other)]


def _weighed(cells: Cells) -> _Weighed:
    seen = cells.total > 0
    total, usual = cells.total[seen], np.clip(cells.usual[seen], 1e-4, 1 - 1e-4)
    kept = Cells(cells.dimensions, cells.values, cells.codes[seen], cells.bad[seen], total, usual)
    return _Weighed(kept, 1 / (1 + total * (1 - usual) * _ALIKENESS))


def _families(cells: Cells) -> list[_Family]:
    dimensions = range(len(cells.dimensions))
    return [
        _Family(columns, *grouped(cells.codes[:, columns]))
        for size in range(1, _LARGEST_COMBINATION + 1)
        for columns in combinations(dimensions, size)
    ]


def _best(weighed: _Weighed, families: list[_Family], left: Mask, keep: int) -> list[_Candidate]:
    """Return the `keep` combinations with the most evidence among the cells that are left, the best first."""
    scores = [_scores(weighed, family, left) for family in families]
    best: list[_Candidate] = []
    for family, own in zip(families, scores, strict=True):
        top = np.argsort(-own, kind="stable")[:keep]
        best += [_Candidate(family, int(number), float(own[number])) for number in top if own[number] > 0]
    return sorted(best, key=lambda candidate: -candidate.score)[:keep]


def _scores(weighed: _Weighed, family: _Family, left: Mask) -> Floats:
    """Return the log-likelihood ratio of each combination less the length of its description, (combinations,).

    All cells of a combination share one `broken`: a cause affects everything within it alike.
    """
    bad, well = weighed.cells.bad, weighed.cells.total - weighed.cells.bad
    weight, size = weighed.weight * left, len(family.example)
    excess = np.bincount(family.member, weight * (bad - weighed.expected), size)
    formerly_well = np.bincount(family.member, weight * (weighed.cells.total - weighed.expected), size)
    broken = np.clip(excess / np.maximum(formerly_well, 1e-9), 0.0, _LARGEST_SHARE)[family.member]
    gain = bad * np.log1p((1 / weighed.cells.usual - 1) * broken) + well * np.log1p(-broken)
    description = log(comb(len(weighed.cells.dimensions), len(family.columns))) + log(max(size, 1))
    return np.asarray(np.bincount(family.member, weight * gain, size) - description)


def _is_everywhere(weighed: _Weighed, best: _Candidate) -> bool:
    inside = best.inside()
    return bool((~inside).any()) and _broken(weighed, ~inside) >= _EVERYWHERE * _broken(weighed, inside)


def _broken(weighed: _Weighed, inside: Mask) -> float:
    weight = weighed.weight * inside
    formerly_well = float((weight * (weighed.cells.total - weighed.expected)).sum())
    return float((weight * (weighed.cells.bad - weighed.expected)).sum()) / max(formerly_well, 1e-9)


def _least(causes: list[_Candidate]) -> float:
    return max(FURTHER_EVIDENCE, _FURTHER * causes[0].score) if causes else _LEAST_EVIDENCE


def _described(weighed: _Weighed, candidate: _Candidate) -> Combination:
    cells, inside = weighed.cells, candidate.inside()
    codes = cells.codes[candidate.family.example[candidate.number]]
    excess = float((cells.bad - weighed.expected)[inside].sum())
    everyone = float((cells.bad - weighed.expected).sum())
    return Combination(
        where=tuple(
            (cells.dimensions[column], cells.values[column][codes[column]]) for column in candidate.family.columns
        ),
        bad=float(cells.bad[inside].sum()),
        total=float(cells.total[inside].sum()),
        expected=float(weighed.expected[inside].sum()),
        excess=excess,
        share_of_excess=excess / everyone if everyone > 0 else 0.0,
        broken=_broken(weighed, inside),
        score=candidate.score,
    )
