"""The time windows that the checks compare, and the queries that they share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import EndpointSeries, Metric
from storage.telemetry.protocol import FINE_ENDPOINT_SECONDS, RequestSample, TelemetryStore
from workers.diagnosis.model import Characterisation
from workers.words.text import query_text

WINDOW_SECONDS = 1800.0
FEWEST_REQUESTS = 10
SAMPLES = 500


@dataclass(frozen=True, slots=True)
class Window:
    """A time window in seconds UTC; `since` is inclusive, `until` exclusive."""

    since: float
    until: float

    def whole_buckets(self, seconds: int) -> Window:
        """Return the part of the window that whole buckets of this width cover."""
        return Window(math.ceil(self.since / seconds) * seconds, math.floor(self.until / seconds) * seconds)

    @property
    def minutes(self) -> float:
        """The length of the window, at least one second."""
        return max(self.until - self.since, 1.0) / 60


def before_window(described: Characterisation) -> Window:
    """Return the half hour before the earliest onset."""
    return Window(described.onset_earliest - WINDOW_SECONDS, described.onset_earliest)


def during_window(described: Characterisation) -> Window:
    """Return the window during the incident, at most the half hour before `asked_at`.

    It begins at the latest onset, or halfway between the earliest onset and `asked_at` if that is earlier.
    """
    middle = (described.onset_earliest + described.asked_at) / 2
    since = max(min(described.onset_latest, middle), described.asked_at - WINDOW_SECONDS)
    return Window(since, described.asked_at)


def samples(telemetry: TelemetryStore, service: str, endpoint: str, window: Window) -> Sequence[RequestSample]:
    """Return the newest requests of an endpoint in the window, at most SAMPLES."""
    return telemetry.request_samples(service, endpoint, since=window.since, until=window.until, limit=SAMPLES)


def samples_query(service: str, endpoint: str, *windows: Window) -> str:
    """Return the query of `samples` as text, once per window."""
    return query_of_each("request_samples", service, endpoint, *windows, limit=SAMPLES)


def query_of_each(name: str, service: str, endpoint: str, *windows: Window, limit: int) -> str:
    """Return a query of an endpoint's requests as text, once per window."""
    return "; ".join(
        query_text(name, service=service, endpoint=endpoint, since=window.since, until=window.until, limit=limit)
        for window in windows
    )


def typical(metric: Metric, requests: Sequence[RequestSample]) -> float | None:
    """Return the mean query count, the error rate or the p95 latency in ms; None if there are too few requests."""
    if len(requests) < FEWEST_REQUESTS:
        return None
    if metric is Metric.QUERY_COUNT:
        return float(np.mean([request.query_count for request in requests]))
    if metric is Metric.ERROR_RATE:
        return float(np.mean([request.is_error for request in requests]))
    return float(np.percentile([request.duration_ms for request in requests], 95))


def service_series(telemetry: TelemetryStore, service: str, window: Window) -> list[EndpointSeries]:
    """Return the series of a service's endpoints in fine buckets."""
    series = telemetry.endpoint_series(since=window.since, until=window.until, bucket_seconds=FINE_ENDPOINT_SECONDS)
    return [item for item in series if item.service == service]


def requests_in(telemetry: TelemetryStore, service: str, endpoint: str, window: Window) -> int:
    """Count the requests of one endpoint in the window's fine buckets."""
    series = telemetry.endpoint_series(
        since=window.since,
        until=window.until,
        bucket_seconds=FINE_ENDPOINT_SECONDS,
        endpoints=[(service, endpoint)],
    )
    return sum(int(item.request_count.sum()) for item in series)


def series_query(*windows: Window, endpoint: str | None = None) -> str:
    """Return the query of `service_series`, or with an endpoint that of `requests_in`, as text, once per window."""
    of_one = {"endpoint": endpoint} if endpoint is not None else {}
    return "; ".join(
        query_text(
            "endpoint_series",
            since=window.since,
            until=window.until,
            bucket_seconds=FINE_ENDPOINT_SECONDS,
            **of_one,
        )
        for window in windows
    )
