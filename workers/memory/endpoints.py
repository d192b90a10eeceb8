"""Who deserves to be read in full this tick: a brief memory of every endpoint's past hours.

Nearly every endpoint is well at nearly every tick, and a week of histograms of ten thousand endpoints is gigabytes. Of
each past hour a few numbers an endpoint are kept instead, enough for `detection.endpoints.screening` to tell who cannot
have struck. It also knows whom to miss: an endpoint that is called no more leaves no trace in the last minutes.

Of the past hours the newest, and the one looked at longest ago, are read again at a tick, and whatever was not looked
at for an hour: late data is known within the hour. The same goes for the last intervals, within as many ticks as there
are of them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detection.endpoints.findings import last_interval_end, strike_window_start
from detection.endpoints.normal import MINIMUM_HOUR_REQUESTS, settled_hours
from detection.endpoints.screening import Brief, past_hours, worth_a_look
from detection.options import EndpointOptions
from detection.statistics.baselines import HOUR_SECONDS, Mask
from detection.types import Floats, Integers, Metric, Subject
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS, EndpointLevels, TelemetryStore
from workers.memory.broken_times import PastIncident, endpoint_broken_times

NEWEST_INTERVALS = 3
"""So many of the last intervals are read at every tick: requests are still being added to them."""

METRICS = frozenset({Metric.LATENCY_P95, Metric.QUERY_COUNT, Metric.ERROR_RATE, Metric.REQUEST_RATE})


@dataclass(frozen=True, slots=True)
class _Hour:
    """One past hour, or one of the last intervals, by endpoint's number, (numbers,).

    0 requests where too few came to say anything.
    """

    read_at: float
    requests: Floats
    errors: Floats
    queries: Floats
    p95_bucket: np.ndarray[tuple[int], np.dtype[np.int16]]


class EndpointMemory:
    """The past hours of every endpoint, in brief; one a process, and one tick at a time uses it."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._keys: dict[str, int] = {}
        self._hours: dict[float, _Hour] = {}
        self._intervals: dict[float, _Hour] = {}
        self._one_at_a_time = threading.Lock()

    def worth_reading(
        self,
        store: TelemetryStore,
        *,
        now: float,
        options: EndpointOptions,
        past: Sequence[PastIncident] = (),
    ) -> Sequence[tuple[str, str]]:
        """The (service, endpoint) that may have struck; every one that has struck is among them.

        past: incidents, whose hours say nothing about what is normal for the endpoints they broke.
        """
        with self._one_at_a_time:
            until = last_interval_end(now, options)
            starts = past_hours(until, options)
            self._catch_up(store, starts.tolist(), now)
            last = self._last_intervals(store, until, options)
            settled = self._settled(starts, until - options.recent_window_seconds, past, now)
            promising = worth_a_look(last, self._past(starts), settled, at=until, options=options)
            names = list(self._numbers)
            return [names[number] for number in np.flatnonzero(promising).tolist()]

    def _catch_up(self, store: TelemetryStore, wanted: list[float], now: float) -> None:
        """Read hours not known yet, the newest, the one that was read longest ago, and whatever is an hour stale."""
        for gone in self._hours.keys() - set(wanted):
            del self._hours[gone]
        newest = wanted[-1]
        # A dict keeps its order of insertion, and what is read is put at its end.
        longest_ago = next(iter(self._hours), newest)
        stale = [start for start, hour in self._hours.items() if hour.read_at <= now - HOUR_SECONDS]
        for start in {newest, longest_ago, *stale, *(hour for hour in wanted if hour not in self._hours)}:
            self._hours.pop(start, None)
            self._hours[start] = self._hour(store, start, now)

    def _hour(self, store: TelemetryStore, start: float, now: float) -> _Hour:
        found = store.endpoint_levels(start, bucket_seconds=COARSE_SECONDS, minimum_requests=MINIMUM_HOUR_REQUESTS)
        return self._brief_of(found, now)

    def _brief_of(self, found: EndpointLevels, now: float) -> _Hour:
        """One bucket, by endpoint's number."""
        numbers = self._numbered(found.names)
        size = len(self._numbers)
        hour = _Hour(now, np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size, dtype=np.int16))
        for values, read in (
            (hour.requests, found.request_count),
            (hour.errors, found.error_count),
            (hour.queries, found.query_sum),
            (hour.p95_bucket, found.p95_bucket),
        ):
            values[numbers] = read
        return hour

    def _numbered(self, names: Sequence[tuple[str, str]]) -> Integers:
        """The number of each endpoint; new ones get the next."""
        for service, endpoint in [name for name in names if name not in self._numbers]:
            number = self._numbers[service, endpoint] = len(self._numbers)
            self._keys[Subject("endpoint", endpoint, service=service, endpoint=endpoint).key()] = number
        return np.array([self._numbers[name] for name in names], dtype=np.int64)

    def _last_intervals(self, store: TelemetryStore, until: float, options: EndpointOptions) -> Brief:
        """The last intervals of everyone known, also of those who were not called in them.

        Read are those not known yet, the newest, to which requests may still be added, and the one read longest ago.
        """
        starts = np.arange(strike_window_start(until, options), until, FINE_ENDPOINT_SECONDS)
        wanted = starts.tolist()
        for gone in self._intervals.keys() - set(wanted):
            del self._intervals[gone]
        longest_ago = next(iter(self._intervals), wanted[-1])
        unknown = [start for start in wanted if start not in self._intervals]
        for start in sorted({longest_ago, *unknown, *wanted[-NEWEST_INTERVALS:]}):
            found = store.endpoint_levels(start, bucket_seconds=FINE_ENDPOINT_SECONDS, minimum_requests=1)
            self._intervals.pop(start, None)
            self._intervals[start] = self._brief_of(found, until)
        return self._side_by_side(self._intervals, starts)

    def _past(self, starts: Floats) -> Brief:
        """All hours of everyone."""
        return self._side_by_side(self._hours, starts)

    def _side_by_side(self, buckets: Mapping[float, _Hour], starts: Floats) -> Brief:
        """Everyone's buckets; an endpoint first seen after one was read had nothing in it."""
        size = len(self._numbers)
        hours = [buckets[start] for start in starts.tolist()]
        requests, errors, queries = (np.zeros((len(hours), size)) for _ in range(3))
        p95_bucket = np.zeros((len(hours), size), dtype=np.int64)
        for row, hour in enumerate(hours):
            known = len(hour.requests)
            requests[row, :known], errors[row, :known] = hour.requests, hour.errors
            queries[row, :known], p95_bucket[row, :known] = hour.queries, hour.p95_bucket
        return Brief(starts, requests.T, errors.T, queries.T, p95_bucket.T)

    def _settled(self, starts: Floats, recent_since: float, past: Sequence[PastIncident], now: float) -> Mask:
        """(numbers, hours) which of them may say what is normal."""
        settled = np.tile(settled_hours(starts, recent_since, ()), (len(self._numbers), 1))
        for key, spans in endpoint_broken_times(past, METRICS, now).items():
            number = self._keys.get(key)
            if number is not None:
                settled[number] = settled_hours(starts, recent_since, spans)
        return settled
