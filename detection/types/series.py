"""Series: records rolled up into time buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detection.types.values import Floats, Integers

DELAY_EDGES_SECONDS: Floats = np.round(np.geomspace(1.0, 86_400.0, 48), 3)
"""Upper edges (inclusive) of the time-to-convert buckets; one more bucket holds the rest."""

DURATION_EDGES_MS: Floats = np.round(np.geomspace(0.5, 120_000.0, 130), 4)
"""Upper edges (inclusive) of the latency buckets, each 10 % above the last; one more bucket holds the rest."""

QUERY_EDGES: Floats = np.unique(np.concatenate([np.arange(0, 21), np.round(np.geomspace(22, 10_000, 50))])).astype(
    np.float64
)
"""Upper edges (inclusive) of the queries-per-request buckets; one more bucket holds the rest."""


@dataclass(frozen=True, slots=True)
class FunnelSeries:
    """Rolled-up funnel cohorts by the time of entry, for one segment (`dimension` None is the whole funnel).

    bucket_starts: (n,) seconds. entries: (n,). reached: (n, steps) users who reached at least that step.
    converted_by_delay: (n, len(DELAY_EDGES_SECONDS) + 1) users who converted, by the time they took.
    """

    funnel_id: int
    dimension: str | None
    value: str | None
    bucket_starts: Floats
    entries: Integers
    reached: Integers
    converted_by_delay: Integers

    def only(self, buckets: slice | NDArray[np.bool_]) -> FunnelSeries:
        """Return the series restricted to these buckets."""
        return replace(
            self,
            bucket_starts=self.bucket_starts[buckets],
            entries=self.entries[buckets],
            reached=self.reached[buckets],
            converted_by_delay=self.converted_by_delay[buckets],
        )


@dataclass(frozen=True, slots=True)
class FunnelCells:
    """Rolled-up funnel cohorts by the full combination of dimension values, summed over a period of entry times.

    combinations: (cells,) distinct {dimension: value}, without dimensions that an entry did not have. entries:
    (cells,), 1 or more. converted_by_delay: (cells, len(DELAY_EDGES_SECONDS) + 1), as in FunnelSeries.
    """

    funnel_id: int
    combinations: tuple[Mapping[str, str], ...]
    entries: Integers
    converted_by_delay: Integers


@dataclass(frozen=True, slots=True)
class EndpointSeries:
    """Rolled-up requests of one endpoint of one service, by their start time.

    bucket_starts: (n,) seconds. request_count, error_count, query_sum: (n,).
    duration_histogram: (n, len(DURATION_EDGES_MS) + 1); query_histogram: (n, len(QUERY_EDGES) + 1).
    """

    service: str
    endpoint: str
    bucket_starts: Floats
    request_count: Integers
    error_count: Integers
    query_sum: Integers
    duration_histogram: Integers
    query_histogram: Integers


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """A custom metric of one service, rolled up: the mean and the number of its points in each bucket.

    bucket_starts: (n,) seconds, oldest first. means: (n,) in the metric's own unit. counts: (n,), 1 or more.
    attributes: identify the series of the metric, such as "device=sda1, state=used"; "" without attributes. is_rate:
    whether the values are the increase of a counter per second. lows, highs: (n,) the smallest and the largest point of
    each bucket, if known.
    """

    name: str
    service: str
    bucket_starts: Floats
    means: Floats
    counts: Integers
    attributes: str = ""
    is_rate: bool = False
    lows: Floats | None = None
    highs: Floats | None = None


@dataclass(frozen=True, slots=True)
class LogSeries:
    """Rolled-up log lines of one service with one template (`kind` "log_template") or matching one named pattern.

    name: the template's id or the pattern's name. text: the template, or the pattern's meaning. severity: the worst of
    its lines. bucket_starts: (n,) seconds, ascending. line_count: (n,); missing buckets had no lines. sample: one of
    the lines, or "" if none may be shown.
    """

    kind: str
    name: str
    service: str
    text: str
    severity: str
    bucket_starts: Floats
    line_count: Integers
    sample: str = ""
