"""Find which dimension=value carries a change of the conversion rate, guarded against Simpson's paradox.

Within each dimension the change of the overall rate is split exactly into rate effects (a segment converts worse than
before) and mix effects (a larger share of users is in a segment that always converted worse), after Kitagawa (1955). A
segment stands out when it lost more than the rest of the users. If everything broke alike, no segment stands out,
however large its share of the users.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from detection.funnels.cohorts import totals
from detection.types import Floats, FunnelSeries, SegmentLoss

_SIGNIFICANCE = 0.01
_SMALLEST_EXCESS = 0.1
"""By how much more than the rest, relatively, the rate of a segment must have fallen to be named."""


@dataclass(frozen=True, slots=True)
class Window:
    """A period of entry times, [since, until), in seconds."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class SegmentContribution:
    """The part of one dimension=value in the change of the overall rate.

    rate_effect, mix_effect: parts of the change of the overall rate. share_of_drop: rate_effect over that change.
    score: the segment's change against that of the rest, in standard deviations, negative when worse. p_value:
    corrected for the number of segments. lost: conversions lost beyond the relative loss of the rest.
    """

    dimension: str
    value: str
    entries: int
    converted: int
    baseline_entries: int
    baseline_converted: int
    recent_rate: float
    baseline_rate: float
    rate_effect: float
    mix_effect: float
    share_of_drop: float
    score: float
    p_value: float
    lost: float
    stands_out: bool


@dataclass(frozen=True, slots=True)
class SegmentAnswer:
    """The contributions of all segments: those that stand out first, by the conversions they lost.

    total_change: the change of the overall rate. mix_share: the largest part of it that the mix effect of any one
    dimension explains; near 1 the segments themselves are healthy and only the mix of users changed.
    """

    contributions: tuple[SegmentContribution, ...]
    total_change: float
    mix_share: float

    @property
    def standing_out(self) -> tuple[SegmentContribution, ...]:
        """The segments that lost more than the rest of the users."""
        return tuple(contribution for contribution in self.contributions if contribution.stands_out)

    @property
    def everywhere_alike(self) -> bool:
        """Whether no segment stands out."""
        return not self.standing_out


@dataclass(frozen=True, slots=True)
class _Counts:
    """Entries and conversions of each segment, before and after, (segments,) each."""

    entries: Floats
    converted: Floats
    baseline_entries: Floats
    baseline_converted: Floats

    def less(self, other: _Counts) -> _Counts:
        return _Counts(
            np.maximum(self.entries - other.entries, 0),
            np.maximum(self.converted - other.converted, 0),
            np.maximum(self.baseline_entries - other.baseline_entries, 0),
            np.maximum(self.baseline_converted - other.baseline_converted, 0),
        )


def segment_contributions(
    recent: Sequence[FunnelSeries],
    baseline: Sequence[FunnelSeries],
    *,
    recent_window: Window,
    baseline_window: Window,
    horizon_seconds: float,
) -> SegmentAnswer:
    """Compare every segment of `recent` with the same segment of `baseline`; both include the whole funnel's series.

    recent_window should begin at the onset, so that good entries do not dilute the change, and end where the entries
    are ripe. Without a series of the whole funnel, or without entries, there are no contributions.
    """
    before = {(series.dimension, series.value): series for series in baseline}
    keys = sorted(
        {(s.dimension, s.value) for s in recent if s.dimension is not None and s.value is not None and s.entries.size}
    )
    now = {(series.dimension, series.value): series for series in recent}
    everyone = _counted(
        [now.get((None, None))], [before.get((None, None))], recent_window, baseline_window, horizon_seconds
    )
    if not keys or not everyone.entries[0] or not everyone.baseline_entries[0]:
        return SegmentAnswer((), 0.0, 0.0)
    counts = _counted(
        [now[key] for key in keys], [before.get(key) for key in keys], recent_window, baseline_window, horizon_seconds
    )
    dimensions = np.array([dimension for dimension, _ in keys])
    return _answer([(str(d), str(v)) for d, v in keys], dimensions, counts, everyone)


def segment_loss(contribution: SegmentContribution) -> SegmentLoss:
    """Return what a finding's details keep of a segment."""
    return SegmentLoss(
        dimension=contribution.dimension,
        value=contribution.value,
        share_of_drop=contribution.share_of_drop,
        recent_rate=contribution.recent_rate,
        baseline_rate=contribution.baseline_rate,
        entries=contribution.entries,
    )


def _counted(
    recent: Sequence[FunnelSeries | None],
    baseline: Sequence[FunnelSeries | None],
    recent_window: Window,
    baseline_window: Window,
    horizon_seconds: float,
) -> _Counts:
    def column(series: Sequence[FunnelSeries | None], window: Window) -> Floats:
        rows = [
            totals(one, horizon_seconds, since=window.since, until=window.until)[:2] if one is not None else (0, 0)
            for one in series
        ]
        return np.array(rows, dtype=np.float64).T

    after, before = column(recent, recent_window), column(baseline, baseline_window)
    return _Counts(after[0], after[1], before[0], before[1])


def _answer(
    keys: Sequence[tuple[str, str]],
    dimensions: np.ndarray[tuple[int], np.dtype[np.str_]],
    counts: _Counts,
    everyone: _Counts,
) -> SegmentAnswer:
    overall, overall_before = (
        _rate(everyone.converted, everyone.entries),
        _rate(everyone.baseline_converted, everyone.baseline_entries),
    )
    change = float(overall[0] - overall_before[0])
    rate_before = np.where(
        counts.baseline_entries > 0, _rate(counts.baseline_converted, counts.baseline_entries), overall_before
    )
    rate = np.where(counts.entries > 0, _rate(counts.converted, counts.entries), rate_before)
    weight, weight_before = counts.entries / everyone.entries, counts.baseline_entries / everyone.baseline_entries
    rate_effect = (weight + weight_before) / 2 * (rate - rate_before)
    mix_effect = (weight - weight_before) * ((rate + rate_before) / 2 - (overall + overall_before) / 2)
    ratio, score = _against_the_rest(counts, everyone.less(counts))
    p_value = np.minimum(ndtr(score) * len(keys), 1.0)
    lost = counts.entries * np.maximum(rate_before * ratio - rate, 0.0)
    stands_out = (p_value <= _SIGNIFICANCE) & (rate <= rate_before * ratio * (1 - _SMALLEST_EXCESS))
    share = rate_effect / change if change else np.zeros(len(keys))
    mixes = [
        float(mix_effect[dimensions == dimension].sum()) / change if change else 0.0
        for dimension in np.unique(dimensions)
    ]
    contributions = [
        SegmentContribution(
            dimension=keys[row][0],
            value=keys[row][1],
            entries=int(counts.entries[row]),
            converted=int(counts.converted[row]),
            baseline_entries=int(counts.baseline_entries[row]),
            baseline_converted=int(counts.baseline_converted[row]),
            recent_rate=float(rate[row]),
            baseline_rate=float(rate_before[row]),
            rate_effect=float(rate_effect[row]),
            mix_effect=float(mix_effect[row]),
            share_of_drop=float(share[row]),
            score=float(score[row]),
            p_value=float(p_value[row]),
            lost=float(lost[row]),
            stands_out=bool(stands_out[row]),
        )
        for row in np.lexsort((rate_effect, -lost, ~stands_out))
    ]
    return SegmentAnswer(tuple(contributions), change, max(mixes, default=0.0))


def _against_the_rest(segment: _Counts, rest: _Counts) -> tuple[Floats, Floats]:
    """Return the ratio by which the rest's rate changed (at most 1), and the score of the segment's change against it.

    The score is the difference of two log rate ratios over its standard error (Katz et al. 1978). Half an observation
    is added to each count so that an empty cell stays finite.
    """
    own, own_variance = _log_ratio(segment)
    others, others_variance = _log_ratio(rest)
    others = np.where((rest.entries > 0) & (rest.baseline_entries > 0), np.minimum(others, 0.0), 0.0)
    known = (segment.entries > 0) & (segment.baseline_entries > 0)
    return np.exp(others), np.where(known, (own - others) / np.sqrt(own_variance + others_variance), 0.0)


def _log_ratio(counts: _Counts) -> tuple[Floats, Floats]:
    k, n = counts.converted + 0.5, counts.entries + 0.5
    k_before, n_before = counts.baseline_converted + 0.5, counts.baseline_entries + 0.5
    variance = 1 / k - 1 / n + 1 / k_before - 1 / n_before
    return np.log(k / n) - np.log(k_before / n_before), np.maximum(variance, 1e-12)


def _rate(successes: Floats, trials: Floats) -> Floats:
    return np.asarray(successes / np.maximum(trials, 1))
