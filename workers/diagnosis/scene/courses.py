"""The courses of metrics and of endpoints around an incident, from the telemetry store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from detection.symptoms import metric_meaning
from detection.types import DURATION_EDGES_MS, EndpointSeries, Floats, SymptomKind
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS, FINE_METRIC_SECONDS, TelemetryStore
from workers.diagnosis.scene.model import Course

MOST_SERIES = 4_000
"""How many series are read: those of a large system, in a few seconds."""

MOST_DAILY = 200
ONE_DAY_SECONDS = 24 * 3600.0
DAILY_SECONDS = 7.5 * 24 * 3600.0
"""Seven days, and the hours around the same hour of the first of them."""

MINUTE_SECONDS = 60.0
FEWEST_IN_ALL = 100
"""An endpoint with fewer requests in the whole time has no course."""

FEWEST_REQUESTS = 5
"""A minute with fewer requests says nothing about latency or errors."""


def metric_courses(telemetry: TelemetryStore, *, since: float, until: float) -> list[Course]:
    """Return the custom metrics of every service, a value a minute."""
    names = telemetry.metric_names(limit=MOST_SERIES)
    keys = [(name.service, name.name, name.attributes) for name in names]
    if not keys:
        return []
    series = telemetry.metric_series(
        since=since, until=until, bucket_seconds=FINE_METRIC_SECONDS, series=keys if len(keys) < MOST_SERIES else None
    )
    return [Course(item.service, item.name, item.bucket_starts, item.means, item.attributes) for item in series]


def daily_courses(telemetry: TelemetryStore, services: Sequence[str], *, before: float) -> list[Course]:
    """Return the custom metrics of these services over the DAILY_SECONDS before, a value an hour, if there are days."""
    names = [name for name in telemetry.metric_names(limit=MOST_SERIES) if name.service in services]
    keys = [(name.service, name.name, name.attributes) for name in names[:MOST_DAILY]]
    if not keys:
        return []
    series = telemetry.metric_series(
        since=before - DAILY_SECONDS, until=before, bucket_seconds=COARSE_SECONDS, series=keys
    )
    return [
        Course(item.service, item.name, item.bucket_starts, item.means, item.attributes)
        for item in series
        if len(item.bucket_starts) and item.bucket_starts[0] < before - ONE_DAY_SECONDS
    ]


def endpoint_courses(telemetry: TelemetryStore, *, since: float, until: float) -> list[Course]:
    """Return latency, error share, request rate and queries a request of every endpoint, a value a minute."""
    found = telemetry.endpoint_series(since=since, until=until, bucket_seconds=FINE_ENDPOINT_SECONDS)
    return [course for series in found[:MOST_SERIES] for course in _courses(series)]


def without_sampled_traffic(derived: Sequence[Course], measured: Sequence[Course]) -> list[Course]:
    """Return the courses derived from spans, without the request rate of a part that measures its traffic itself.

    Spans are often a sample, with more of what is slow or fails: by them alone, traffic would rise with each incident.
    """
    counted = {course.part for course in measured if _is_traffic(course)}
    return [course for course in derived if course.part not in counted or not _is_traffic(course)]


def _is_traffic(course: Course) -> bool:
    return metric_meaning(course.name).kind is SymptomKind.TRAFFIC


def _courses(series: EndpointSeries) -> Iterator[Course]:
    minutes, place = np.unique(series.bucket_starts // MINUTE_SECONDS, return_inverse=True)
    times: Floats = minutes * MINUTE_SECONDS
    requests = _sums(place, series.request_count, len(minutes))
    enough = requests >= FEWEST_REQUESTS
    errors = _sums(place, series.error_count, len(minutes))
    queries = _sums(place, series.query_sum, len(minutes))
    histogram = np.zeros((len(minutes), series.duration_histogram.shape[1]))
    np.add.at(histogram, place, series.duration_histogram)
    if requests.sum() < FEWEST_IN_ALL:
        # A handful of sampled requests shows no rate, and no rate of errors.
        return
    label = series.endpoint
    yield Course(series.service, "requests_per_minute", times, requests, label)
    if not enough.any():
        return
    yield Course(series.service, "error_rate", times[enough], (errors / np.maximum(requests, 1))[enough], label)
    yield Course(series.service, "latency_p95_ms", times[enough], _p95(histogram[enough]), label)
    if queries.any():
        per_request = queries / np.maximum(requests, 1)
        yield Course(series.service, "db_queries_per_request", times[enough], per_request[enough], label)


def _sums(place: np.ndarray[tuple[int], np.dtype[np.intp]], values: Sequence[int] | np.ndarray, size: int) -> Floats:
    found: Floats = np.bincount(place, weights=np.asarray(values, dtype=np.float64), minlength=size).astype(np.float64)
    return found


def _p95(histogram: Floats) -> Floats:
    """Return the upper edge of the bucket of the 95th percentile of each row of (n, buckets)."""
    reached = np.cumsum(histogram, axis=1)
    bucket = (reached < 0.95 * reached[:, -1:]).sum(axis=1)
    edges: Floats = np.asarray(DURATION_EDGES_MS, dtype=np.float64)
    upper: Floats = edges[np.minimum(bucket, len(DURATION_EDGES_MS) - 1)]
    return upper
