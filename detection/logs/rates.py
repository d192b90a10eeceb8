"""The normal number of log lines at this time of the day, and the p-value of a count.

Lines come in bursts, so counts of log lines are overdispersed. A count is therefore compared with a negative binomial
distribution. Its mean is that of this time of the day over the past days; its dispersion is estimated by the method of
moments (Hilbe, Negative Binomial Regression, 2nd ed. 2011, section 8.2) and widened by the uncertainty of the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammaincinv

from detection.types import Floats, LogSeries, TimeSpans

DAY_SECONDS = 86_400.0

_NEIGHBOURHOOD_SECONDS = 3600.0
"""Windows this close in the time of day are pooled; this also bridges a daylight saving change."""

_PSEUDO_WINDOWS = 6.0
"""The weight of the overall mean, in windows of this time of the day."""

_HALF_A_LINE = 0.5
"""Lines added to each series' total, so that a series without lines has a mean above zero (Jeffreys's prior)."""

SPIKES_FORGIVEN = 2
"""The highest windows that are ignored for the peak: this few high counts do not make a high count usual."""


@dataclass(frozen=True, slots=True)
class LineCounts:
    """Lines per window, the last window first: counts (series, windows); each window lasts `window_seconds`.

    known (series, windows): 1 where the service was already known and the window is not excluded, else 0.
    """

    counts: Floats
    known: Floats
    window_seconds: float
    until: float


@dataclass(frozen=True, slots=True)
class NormalCounts:
    """The distribution of the count of one window: negative binomial with `mean` and `shape`; all are (series,).

    peak: the highest count without the SPIKES_FORGIVEN highest windows. highest: the highest count of all. windows:
    the number of windows that were used.
    """

    mean: Floats
    shape: Floats
    peak: Floats
    highest: Floats
    windows: Floats

    def upper_tail(self, counts: Floats) -> Floats:
        """Return P(X >= counts), elementwise."""
        share = self.mean / (self.mean + self.shape)
        return np.where(counts > 0, betainc(np.maximum(counts, 1.0), self.shape, share), 1.0)

    def range(self) -> tuple[Floats, Floats]:
        """Return the bounds that hold the expected count of 95 % of windows."""
        scale = self.mean / self.shape
        low, high = (np.asarray(gammaincinv(self.shape, share)) * scale for share in (0.025, 0.975))
        return low, high


def line_counts(
    series: Sequence[LogSeries],
    *,
    until: float,
    window_seconds: float,
    windows: int,
    excluded: Sequence[TimeSpans] = (),
    heard_since: Mapping[str, float] | None = None,
) -> LineCounts:
    """Count the lines of each series in the windows that end at `until`.

    A bucket belongs to the window that holds its start. excluded: for each series the (begin, end) of past incidents,
    whose windows are not used as normal. heard_since: since when each service is known; a missing service is known
    since the first bucket of any of its series.
    """
    counts = np.zeros((len(series), windows))
    for row, one in enumerate(series):
        places = np.floor((until - one.bucket_starts) / window_seconds - 1e-9).astype(np.int64)
        held = (places >= 0) & (places < windows)
        counts[row] = np.bincount(places[held], weights=one.line_count[held], minlength=windows)
    ends = until - np.arange(windows) * window_seconds
    since = {**_known_since(series), **(heard_since or {})}
    known = ends[None, :] - window_seconds >= np.array([since[one.service] for one in series])[:, None]
    for row, spans in enumerate(excluded):
        for begin, end in spans:
            known[row, (ends > begin) & (ends - window_seconds < end)] = False
    known[:, :1] = True
    return LineCounts(counts, known.astype(np.float64), window_seconds, until)


def _known_since(series: Sequence[LogSeries]) -> dict[str, float]:
    since: dict[str, float] = {}
    for one in series:
        if len(one.bucket_starts):
            since[one.service] = min(since.get(one.service, np.inf), float(one.bucket_starts[0]))
        else:
            since.setdefault(one.service, np.inf)
    return since


def normal_counts(lines: LineCounts) -> NormalCounts:
    """Fit the normal count of the last window (index 0) from the windows before it."""
    counts, known = lines.counts[:, 1:], lines.known[:, 1:]
    kept = counts * known
    total = np.maximum(known.sum(axis=1), 1.0)
    overall = (kept.sum(axis=1) + _HALF_A_LINE) / total
    expected, weight = _by_time_of_day(kept, known, overall, lines.window_seconds)
    fitted = expected[:, (np.arange(counts.shape[1]) + 1) % expected.shape[1]]
    surplus = (((kept - fitted) ** 2 - fitted) * known).sum(axis=1)
    dispersion = np.maximum(surplus / np.maximum((fitted**2 * known).sum(axis=1), 1e-12), 0.0)
    mean, share_known = expected[:, 0], weight[:, 0]
    single = mean + dispersion * mean**2
    variance = single * (1.0 + 1.0 / share_known)
    ordered = np.sort(kept, axis=1)
    return NormalCounts(
        mean=mean,
        shape=mean**2 / np.maximum(variance - mean, 1e-9 * mean),
        peak=ordered[:, -1 - SPIKES_FORGIVEN] if counts.shape[1] > SPIKES_FORGIVEN else 0.0 * mean,
        highest=ordered[:, -1] if counts.shape[1] else 0.0 * mean,
        windows=known.sum(axis=1),
    )


def _by_time_of_day(kept: Floats, known: Floats, overall: Floats, window_seconds: float) -> tuple[Floats, Floats]:
    """Return the mean count at each time of the day and its weight in windows; slot 0 is that of the last window."""
    slots = max(round(DAY_SECONDS / window_seconds), 1)
    slot = (np.arange(kept.shape[1]) + 1) % slots
    sums, seen = np.zeros((len(kept), slots)), np.zeros((len(kept), slots))
    for first in range(0, kept.shape[1], slots):
        part = slice(first, first + slots)
        sums[:, slot[part]] += kept[:, part]
        seen[:, slot[part]] += known[:, part]
    reach = min(round(_NEIGHBOURHOOD_SECONDS / window_seconds), (slots - 1) // 2)
    sums, seen = _around(sums, reach), _around(seen, reach)
    weight = seen + _PSEUDO_WINDOWS
    return (sums + _PSEUDO_WINDOWS * overall[:, None]) / weight, weight


def _around(values: Floats, reach: int) -> Floats:
    """Sum each column with its neighbours within `reach`, wrapping around the day."""
    if reach == 0:
        return values
    wrapped = np.concatenate([values[:, -reach:], values, values[:, :reach]], axis=1)
    running = np.concatenate([np.zeros((len(values), 1)), np.cumsum(wrapped, axis=1)], axis=1)
    width = 2 * reach + 1
    return np.asarray(running[:, width:] - running[:, :-width])
