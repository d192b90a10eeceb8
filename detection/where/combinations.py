"""Find the combination of up to three dimension values that carries a rise of a bad share, such as lost conversions.

The search scans every combination (one value in each of one, two or three dimensions; the literature calls it a
cuboid), as the scan statistic of Kulldorff (1997) scans every circle of a map. It shares two principles with the
attribution methods for such data (Adtributor, Bhagwan et al. 2014; HotSpot, Sun et al. 2018; Squeeze, Li et al. 2019;
RobustSpot, Zhang et al. 2021; RiskLoc, Kalander 2022): a cause affects all cells within it alike, and the simpler of
two explanations is better.

The likelihood is that of additional failures (a noisy-or): within a cause a share `broken` of those who would have
succeeded fails, besides those that always failed, so that p becomes p + (1 - p) * broken. For a conversion this is one
relative drop, whatever the rate of each kind of user. Every finest cell is compared with its own past, so a mere change
of the mix of users, or a cell that always did badly, is no cause.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from detection.statistics.baselines import Mask
from detection.types import Floats, Integers
from detection.where.cells import Cells, grouped

_LARGEST_COMBINATION = 3

_PAST_PRIOR = 50.0
"""The weight, in observations, of the overall past share against a cell's own: most cells are small."""

_ALIKENESS = 0.03
"""The intraclass correlation of outcomes within one cell (Williams 1982), per observation that is usually well. The
well ones then fluctuate by about a sixth of their number, whether they are many or few, and no cell has the weight of
more than 33 of them. So many cells that agree outweigh one huge cell."""

_SUCCINCTNESS = 0.9
"""The evidence of a combination is multiplied by this for every dimension it needs."""

_FURTHER = 0.3
"""A further cause must have at least this share of the first one's evidence."""

_LEAST_EVIDENCE = 3.0
"""The log-likelihood (odds of 20 to 1) below which no cause is named."""

_EVERYWHERE = 0.5
"""If the rest is broken by at least this share of the best combination's `broken`, everything is broken alike."""

_MOST_CAUSES = 3
_LARGEST_SHARE = 0.98


@dataclass(frozen=True, slots=True)
class Combination:
    """One combination of values and the excess it explains.

    where: (dimension, value) pairs. excess: the number of bad outcomes above `expected` from the cells' own past.
    share_of_excess: its part of the total excess. broken: the share of the formerly well that fails now. score:
    log-likelihood ratio after the penalty for its dimensions.
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

    ranked: the causes first. The change of the overall bad share is rate_effect + mix_effect: the cells themselves got
    worse, and more of the total lies in cells that were always bad (Kitagawa 1955).
    """

    causes: tuple[Combination, ...]
    ranked: tuple[Combination, ...]
    everywhere_alike: bool
    rate_effect: float
    mix_effect: float


@dataclass(frozen=True, slots=True)
class _Past:
    """The cells seen now, with the past bad share and the weight of one observation in each, (cells,)."""

    cells: Cells
    rate: Floats
    weight: Floats

    @property
    def expected(self) -> Floats:
        return self.cells.total * self.rate


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
    """Rank the combinations that explain why more is bad now than before; `keep` bounds the ranking.

    Causes are taken one after the other, each among the cells that those before it have left. With nothing counted
    in either period there is no candidate.
    """
    past = _with_past(cells)
    rate_effect, mix_effect = _effects(cells)
    families = _families(past.cells)
    left = np.ones(len(past.rate), dtype=bool)
    candidates = _best(past, families, left, keep)
    alike = bool(candidates) and _is_everywhere(past, candidates[0])
    causes: list[_Candidate] = []
    following = candidates[:1] if not alike else []
    while following and following[0].score >= _least(causes) and len(causes) < _MOST_CAUSES:
        causes.append(following[0])
        left &= ~following[0].inside()
        following = _best(past, families, left, 1)
    named = [_described(past, cause) for cause in causes]
    others = [_described(past, candidate) for candidate in candidates]
    places = {cause.where for cause in named}
    ranked = [*named, *(other for other in others if other.where not in places)][:keep]
    return RankedCombinations(tuple(named), tuple(ranked), alike, rate_effect, mix_effect)


def _with_past(cells: Cells) -> _Past:
    """Keep the cells seen now, each past share shrunk toward the overall one (Laplace's rule with a stronger prior)."""
    everyone = (cells.bad_before.sum() + 0.5) / (cells.total_before.sum() + 1.0)
    rate = (cells.bad_before + _PAST_PRIOR * everyone) / (cells.total_before + _PAST_PRIOR)
    seen = cells.total > 0
    kept = replace(
        cells,
        codes=cells.codes[seen],
        bad=cells.bad[seen],
        total=cells.total[seen],
        bad_before=cells.bad_before[seen],
        total_before=cells.total_before[seen],
    )
    bad = np.clip(rate[seen], 1e-4, 1 - 1e-4)
    return _Past(kept, bad, 1 / (1 + kept.total * (1 - bad) * _ALIKENESS))


def _effects(cells: Cells) -> tuple[float, float]:
    """Split the change of the overall bad share exactly; a cell without past is compared with the overall past."""
    total, total_before = cells.total.sum(), cells.total_before.sum()
    if not total or not total_before:
        return 0.0, 0.0
    everyone = cells.bad_before.sum() / total_before
    rate_before = np.where(cells.total_before > 0, cells.bad_before / np.maximum(cells.total_before, 1), everyone)
    rate_effect = (cells.bad - cells.total * rate_before).sum() / total
    mix_effect = ((cells.total / total - cells.total_before / total_before) * rate_before).sum()
    return float(rate_effect), float(mix_effect)


def _families(cells: Cells) -> list[_Family]:
    dimensions = range(len(cells.dimensions))
    return [
        _Family(columns, *grouped(cells.codes[:, columns]))
        for size in range(1, _LARGEST_COMBINATION + 1)
        for columns in combinations(dimensions, size)
    ]


def _best(past: _Past, families: list[_Family], left: Mask, keep: int) -> list[_Candidate]:
    """Return the `keep` combinations with the most evidence among the cells that are left, the best first."""
    scores = [_scores(past, family, left) for family in families]
    best: list[_Candidate] = []
    for family, own in zip(families, scores, strict=True):
        top = np.argsort(-own, kind="stable")[:keep]
        best += [_Candidate(family, int(number), float(own[number])) for number in top if own[number] > 0]
    return sorted(best, key=lambda candidate: -candidate.score)[:keep]


def _scores(past: _Past, family: _Family, left: Mask) -> Floats:
    """Return the penalised log-likelihood ratio of each combination, (combinations,).

    All cells of a combination share one `broken`: a cause affects everything within it alike.
    """
    bad, well = past.cells.bad, past.cells.total - past.cells.bad
    weight, size = past.weight * left, len(family.example)
    excess = np.bincount(family.member, weight * (bad - past.expected), size)
    formerly_well = np.bincount(family.member, weight * (past.cells.total - past.expected), size)
    broken = np.clip(excess / np.maximum(formerly_well, 1e-9), 0.0, _LARGEST_SHARE)[family.member]
    gain = bad * np.log1p((1 / past.rate - 1) * broken) + well * np.log1p(-broken)
    return np.asarray(np.bincount(family.member, weight * gain, size) * _SUCCINCTNESS ** len(family.columns))


def _is_everywhere(past: _Past, best: _Candidate) -> bool:
    inside = best.inside()
    return bool((~inside).any()) and _broken(past, ~inside) >= _EVERYWHERE * _broken(past, inside)


def _broken(past: _Past, inside: Mask) -> float:
    weight = past.weight * inside
    formerly_well = float((weight * (past.cells.total - past.expected)).sum())
    return float((weight * (past.cells.bad - past.expected)).sum()) / max(formerly_well, 1e-9)


def _least(causes: list[_Candidate]) -> float:
    return max(_LEAST_EVIDENCE, _FURTHER * causes[0].score) if causes else _LEAST_EVIDENCE


def _described(past: _Past, candidate: _Candidate) -> Combination:
    cells, inside = past.cells, candidate.inside()
    codes = cells.codes[candidate.family.example[candidate.number]]
    excess = float((cells.bad - past.expected)[inside].sum())
    everyone = float((cells.bad - past.expected).sum())
    return Combination(
        where=tuple(
            (cells.dimensions[column], cells.values[column][codes[column]]) for column in candidate.family.columns
        ),
        bad=float(cells.bad[inside].sum()),
        total=float(cells.total[inside].sum()),
        expected=float(past.expected[inside].sum()),
        excess=excess,
        share_of_excess=excess / everyone if everyone > 0 else 0.0,
        broken=_broken(past, inside),
        score=candidate.score,
    )
