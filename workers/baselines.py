"""Who deserves to be read in full this tick: a brief memory of every endpoint's past hours.

Nearly every endpoint is well at nearly every tick, and a week of histograms of ten thousand endpoints is gigabytes. Of
each past hour two numbers an endpoint are kept instead: the bucket of its p95, and its queries per request. What an
hour's baseline may be lies between the lowest and the highest of the past hours, so an endpoint that is not slow even
against its quickest hour, nor heavy against its lightest, cannot strike against this one, and is not read.

Of the past hours only the newest, and the one looked at longest ago, are read again at a tick: late data is known
within as many ticks as the baseline has hours.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.endpoint_baselines import HOUR_ENOUGH, HOURS_ENOUGH
from detection.options import EndpointOptions
from detection.types import DURATION_EDGES_MS, Floats, Integers
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS, EndpointLevels, TelemetryStore

PATIENCE = 4
"""The strikes of a run lie within this many times their number of intervals."""

_MARGIN = 1.25
"""An hour loses what the recent minutes hold of it before it is fitted, which may make it quicker than it looks."""

_HOURS_OF_RECENT = 2
"""So many of the past hours may be no more than that."""

_NEVER = np.iinfo(np.int16).max


@dataclass(frozen=True, slots=True)
class _Hour:
    """One past hour, by endpoint's number (endpoints,): p95's bucket, _NEVER where too little came; mean queries."""

    p95_bucket: np.ndarray[tuple[int], np.dtype[np.int16]]
    queries: np.ndarray[tuple[int], np.dtype[np.float32]]


class EndpointMemory:
    """The past hours of every endpoint, in brief; one a process, and one tick at a time uses it."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._hours: dict[float, _Hour] = {}
        self._one_at_a_time = threading.Lock()

    def worth_reading(
        self, store: TelemetryStore, *, now: float, options: EndpointOptions
    ) -> Sequence[tuple[str, str]]:
        """The (service, endpoint) that may have struck; every one that has struck is among them."""
        with self._one_at_a_time:
            self._catch_up(store, now, options)
            last = self._last_intervals(store, now, options)
            suspicious = np.flatnonzero(self._suspicious(last, options)).tolist()
            return [last.names[row] for row in suspicious]

    def _catch_up(self, store: TelemetryStore, now: float, options: EndpointOptions) -> None:
        """Read hours not known yet, the newest, and the one that was read longest ago."""
        newest = now // COARSE_SECONDS * COARSE_SECONDS
        count = int(options.baseline_window_hours * 3600 // COARSE_SECONDS) + 1
        wanted = [newest - number * COARSE_SECONDS for number in range(count)]
        for gone in self._hours.keys() - set(wanted):
            del self._hours[gone]
        # A dict keeps its order of insertion, and what is read is put at its end.
        longest_ago = next(iter(self._hours), newest)
        for start in {newest, longest_ago, *(hour for hour in wanted if hour not in self._hours)}:
            self._hours.pop(start, None)
            self._hours[start] = self._hour(store, start)

    def _hour(self, store: TelemetryStore, start: float) -> _Hour:
        found = store.endpoint_levels(
            since=start, until=start + COARSE_SECONDS, bucket_seconds=COARSE_SECONDS, minimum_requests=HOUR_ENOUGH
        )
        numbers = self._numbered(found)
        p95_bucket = np.full(len(self._numbers), _NEVER, dtype=np.int16)
        queries = np.full(len(self._numbers), np.inf, dtype=np.float32)
        p95_bucket[numbers] = found.p95_bucket
        queries[numbers] = found.query_sum / found.request_count
        return _Hour(p95_bucket, queries)

    def _numbered(self, found: EndpointLevels) -> Integers:
        """The number of each entry's endpoint; new ones get the next."""
        numbers = [self._numbers.setdefault(name, len(self._numbers)) for name in found.names]
        return np.array(numbers, dtype=np.int64)[found.rows]

    def _last_intervals(self, store: TelemetryStore, now: float, options: EndpointOptions) -> EndpointLevels:
        until = np.floor((now - options.ingestion_lag_seconds) / options.interval_seconds) * options.interval_seconds
        since = until - options.consecutive_strikes * PATIENCE * options.interval_seconds
        return store.endpoint_levels(
            since=since,
            until=until,
            bucket_seconds=FINE_ENDPOINT_SECONDS,
            minimum_requests=options.minimum_requests,
        )

    def _suspicious(self, last: EndpointLevels, options: EndpointOptions) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(names,): whether the last intervals could be a run of strikes against any past hour."""
        enough, p95_ms, queries = _least_of_the_run(last, options)
        numbers = [self._numbers.get(name, -1) for name in last.names]
        hours, quickest, lightest = self._least_of_the_hours(np.array(numbers, dtype=np.int64))
        fast = np.minimum(p95_ms / options.minimum_latency_ratio, p95_ms - options.minimum_latency_increase_ms)
        is_slow = (fast > 0) & (np.searchsorted(DURATION_EDGES_MS, fast * _MARGIN) >= quickest)
        light = np.minimum(queries / options.minimum_query_ratio, queries - options.minimum_query_increase)
        is_heavy = (light >= 0) & (lightest <= light * _MARGIN)
        return enough & ((hours < HOURS_ENOUGH + _HOURS_OF_RECENT) | is_slow | is_heavy)

    def _least_of_the_hours(self, numbers: Integers) -> tuple[Integers, Integers, Floats]:
        """Known hours, the lowest p95's bucket and the fewest queries of these endpoints; -1 is one never seen."""
        size = len(self._numbers)
        hours = np.zeros(size + 1, dtype=np.int64)
        quickest = np.full(size + 1, _NEVER, dtype=np.int64)
        lightest = np.full(size + 1, np.inf)
        for hour in self._hours.values():
            known = slice(len(hour.p95_bucket))
            hours[known] += hour.p95_bucket != _NEVER
            quickest[known] = np.minimum(quickest[known], hour.p95_bucket)
            lightest[known] = np.minimum(lightest[known], hour.queries)
        return hours[numbers], quickest[numbers], lightest[numbers]


def _least_of_the_run(
    last: EndpointLevels, options: EndpointOptions
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Floats, Floats]:
    """Of each name's newest intervals: whether there are enough, and their lowest p95 (not less than it is) and mean
    queries.
    """
    order = np.lexsort((-last.bucket_starts, last.rows))
    rows = last.rows[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    order, rows = order[place < options.consecutive_strikes], rows[place < options.consecutive_strikes]
    upper_edges = np.append(DURATION_EDGES_MS, DURATION_EDGES_MS[-1])
    p95_ms, queries = np.full(len(last.names), np.inf), np.full(len(last.names), np.inf)
    np.minimum.at(p95_ms, rows, upper_edges[last.p95_bucket[order]])
    np.minimum.at(queries, rows, last.query_sum[order] / last.request_count[order])
    return np.bincount(rows, minlength=len(last.names)) >= options.consecutive_strikes, p95_ms, queries
