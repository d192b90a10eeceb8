"""Select the rows of a funnel's history that need the full detector, by the same quick check as a worker's tick."""

from __future__ import annotations

import numpy as np

from detection.funnels.cohorts import FINE_SECONDS
from detection.funnels.normal import baseline_since
from detection.funnels.screening import Reached, Usual, usual, worth_reading
from detection.funnels.undisturbed import outside
from detection.options import FunnelOptions
from detection.statistics.baselines import HOUR_SECONDS, hours_of_week
from detection.types import FunnelSeries, TimeSpans

_ALL_USERS = np.ones(1, dtype=bool)


class FunnelScreen:
    """The quick check on a funnel's total counts. The baseline is fitted once per hour and reused."""

    def __init__(self, fine: FunnelSeries, hours: FunnelSeries, options: FunnelOptions) -> None:
        self._fine, self._hours, self._options = fine, hours, options
        self._fitted: tuple[object, Usual] | None = None

    def may_have_finding(self, now: float, broken: TimeSpans) -> bool:
        """Return whether there may be a drop or a rise at the end of a row. broken: the times of earlier drops."""
        since = now - self._options.recent_window_seconds
        normal = self._usual((since + now) / 2, since, broken)
        recent = _counts(self._fine, FINE_SECONDS, since, now)
        return bool(normal.usable.any()) and worth_reading(recent, normal, _ALL_USERS, self._options)

    def _usual(self, at: float, until: float, broken: TimeSpans) -> Usual:
        options = self._options
        since = baseline_since(at, options.baseline_window_hours)
        weekly = int(hours_of_week(np.array([at]), options.timezone)[0])
        state = (weekly, since, until // HOUR_SECONDS, tuple(broken))
        if self._fitted is None or self._fitted[0] != state:
            past = _counts(self._hours, HOUR_SECONDS, since, until)
            kept = Reached(past.bucket_starts, past.counts * outside(past.bucket_starts, broken))
            self._fitted = state, usual(kept, at=at, timezone=options.timezone, fewest=options.min_sample_size)
        return self._fitted[1]


def _counts(series: FunnelSeries, seconds: float, since: float, until: float) -> Reached:
    """Return the counts of all complete buckets in [since, until), with zeros for empty ones."""
    first, stop = int(np.ceil(since / seconds - 1e-9)), int(np.floor(until / seconds + 1e-9))
    begin, end = np.searchsorted(series.bucket_starts, [first * seconds, stop * seconds])
    counts = np.zeros((series.reached.shape[1], 1, max(stop - first, 0)))
    places = np.rint(series.bucket_starts[begin:end] / seconds).astype(np.int64) - first
    counts[:, 0, places] = series.reached[begin:end].T
    return Reached(np.arange(first, max(stop, first), dtype=np.float64) * seconds, counts)
