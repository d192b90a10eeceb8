"""Reading custom metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from detection.types import Floats, Integers, MetricPoint, MetricSeries


@dataclass(frozen=True, slots=True)
class MetricName:
    """The name of a series of a custom metric. attributes, is_rate: see MetricSeries."""

    service: str
    name: str
    attributes: str
    is_rate: bool


@dataclass(frozen=True, slots=True)
class MetricLevels:
    """Buckets of custom metrics in brief, (n,) each: enough to decide which series to read in full.

    names: (service, name, attributes), the same object as before while no series came or went. rows: indices into
    `names`. means, lows, highs: the mean, the smallest and the largest of each bucket's points.
    """

    names: Sequence[tuple[str, str, str]]
    rows: Integers
    bucket_starts: Floats
    means: Floats
    lows: Floats
    highs: Floats


class KeepsMetricMemories(Protocol):
    """What the watch of custom metrics needs of a store: all buckets in brief, and a place for its memories."""

    def metric_levels(self, *, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        """Return all buckets of custom metrics in brief, ordered by time."""
        ...

    def metric_memories(self, series: Sequence[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], bytes]:
        """Return what the watch remembered of these series (service, name, attributes), where it is stored."""
        ...

    def keep_metric_memories(self, memories: Mapping[tuple[str, str, str], bytes]) -> None:
        """Store what the watch remembers of these series. Series that are not known are left out."""
        ...


class ReadsMetrics(KeepsMetricMemories, Protocol):
    """Reads the series of custom metrics, and the points behind them."""

    def metric_samples(
        self, service: str, name: str, *, since: float, until: float, limit: int = 1000
    ) -> Sequence[MetricPoint]:
        """Return the points of one metric of one service in the hot store, newest first."""
        ...

    def metric_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        series: Sequence[tuple[str, str, str]] | None = None,
    ) -> Sequence[MetricSeries]:
        """Return series of custom metrics, by service, name and attributes.

        bucket_seconds: FINE_METRIC_SECONDS (kept for 3 hours) or COARSE_SECONDS (35 days); buckets without points are
        left out. series: only these (service, name, attributes), whose buckets are looked up one by one.
        """
        ...

    def metric_names(
        self, *, service: str | None = None, name: str | None = None, limit: int = 100, offset: int = 0
    ) -> Sequence[MetricName]:
        """List the known series of custom metrics, by service, name and attributes."""
        ...
