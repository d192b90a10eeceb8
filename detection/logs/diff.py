"""Compare the log templates of two windows by the rates of their lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from detection.statistics.proportions import benjamini_hochberg, binomial_mid_p, jeffreys_interval
from detection.types import Floats, LogSeries


class Change(StrEnum):
    """How a template differs between two windows."""

    NEW = "new"
    GONE = "gone"
    MORE = "more"
    FEWER = "fewer"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Window:
    """A time from `since` up to, not including, `until`, in seconds."""

    since: float
    until: float

    @property
    def minutes(self) -> float:
        """The length in minutes."""
        return (self.until - self.since) / 60


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """Lines per minute of a template before and after, and their ratio with a 95 % confidence interval.

    The ratio is infinite when there were none before. p_value is corrected for the number of templates. A template is
    NEW or GONE whatever its p-value; the p-value then tells whether that could be chance.
    """

    series: LogSeries
    change: Change
    lines_before: int
    lines_after: int
    rate_before: float
    rate_after: float
    ratio: float
    ratio_low: float
    ratio_high: float
    p_value: float


def template_changes(
    series: Sequence[LogSeries],
    before: Window,
    after: Window,
    *,
    bucket_seconds: float = 60.0,
    significance: float = 0.01,
) -> list[TemplateChange]:
    """Return how each template with lines in either window changed, the most certain change first.

    Given the lines of both windows together, the lines of the second are binomial if nothing changed (Przyborowski and
    Wilenski 1940). Lines that come in bursts are overdispersed, so counts are divided by the variance of the buckets
    over their mean (McCullagh and Nelder, Generalized Linear Models, 1989, section 6.2). Windows shorter than a few
    buckets show little of that variance. Raises ValueError for an empty window.
    """
    if before.minutes <= 0 or after.minutes <= 0:
        raise ValueError("A window to compare must end after it begins.")
    first, second = _bucketed(series, before, bucket_seconds), _bucketed(series, after, bucket_seconds)
    lines = np.stack([first.sum(axis=1), second.sum(axis=1)])
    dispersion = _dispersion(first, second)
    share = after.minutes / (before.minutes + after.minutes)
    later, total = np.round(lines[1] / dispersion), np.round(lines.sum(axis=0) / dispersion)
    fewer = binomial_mid_p(later, total, share)
    with_lines = np.flatnonzero(lines.sum(axis=0))
    p_values = np.ones(len(series))
    p_values[with_lines] = benjamini_hochberg(np.minimum(2 * np.minimum(fewer, 1 - fewer), 1.0)[with_lines])
    bounds = jeffreys_interval(later, total)
    changes = [
        _template_change(
            series[row],
            lines[:, row],
            (before, after),
            _ratio_bounds(float(bounds[0][row]), float(bounds[1][row]), usual_odds=share / (1 - share)),
            float(p_values[row]),
            significance,
        )
        for row in map(int, with_lines)
    ]
    return sorted(changes, key=lambda one: (one.p_value, -abs(one.lines_after - one.lines_before), one.series.name))


def _template_change(
    series: LogSeries,
    lines: Floats,
    windows: tuple[Window, Window],
    ratio_bounds: tuple[float, float],
    p_value: float,
    significance: float,
) -> TemplateChange:
    rates = float(lines[0]) / windows[0].minutes, float(lines[1]) / windows[1].minutes
    if not lines[0] or not lines[1]:
        change = Change.GONE if lines[0] else Change.NEW
    elif p_value > significance:
        change = Change.SAME
    else:
        change = Change.MORE if rates[1] > rates[0] else Change.FEWER
    return TemplateChange(
        series=series,
        change=change,
        lines_before=int(lines[0]),
        lines_after=int(lines[1]),
        rate_before=rates[0],
        rate_after=rates[1],
        ratio=rates[1] / rates[0] if rates[0] else float("inf"),
        ratio_low=ratio_bounds[0],
        ratio_high=ratio_bounds[1],
        p_value=p_value,
    )


def _ratio_bounds(low_share: float, high_share: float, *, usual_odds: float) -> tuple[float, float]:
    """Convert bounds on the share of lines in the second window into bounds on the ratio of the rates."""
    low, high = (share / (1 - share) / usual_odds if share < 1 else float("inf") for share in (low_share, high_share))
    return low, high


def _bucketed(series: Sequence[LogSeries], window: Window, bucket_seconds: float) -> Floats:
    """Count the lines of each series in each bucket of the window, (series, buckets); the last may be shorter."""
    buckets = max(int(np.ceil((window.until - window.since) / bucket_seconds - 1e-9)), 1)
    counts = np.zeros((len(series), buckets))
    for row, one in enumerate(series):
        held = (one.bucket_starts >= window.since) & (one.bucket_starts < window.until)
        places = np.floor((one.bucket_starts[held] - window.since) / bucket_seconds + 1e-9).astype(np.int64)
        counts[row] = np.bincount(places, weights=one.line_count[held], minlength=buckets)
    return counts


def _dispersion(first: Floats, second: Floats) -> Floats:
    """Return the index of dispersion of bucket counts (variance over mean), pooled over both windows; at least 1."""
    surplus, freedom = np.zeros(len(first)), np.zeros(len(first))
    for counts in (first, second):
        mean = counts.mean(axis=1)
        scatter = ((counts - mean[:, None]) ** 2).sum(axis=1)
        surplus += np.divide(scatter, mean, out=np.zeros(len(mean)), where=mean > 0)
        freedom += np.where(mean > 0, counts.shape[1] - 1, 0)
    return np.maximum(surplus / np.maximum(freedom, 1), 1.0)
