"""Select the endpoints to read in full at a tick, from a compact memory of every endpoint's past hours.

At most ticks nearly every endpoint is healthy, and a week of histograms of ten thousand endpoints is gigabytes. So only
a few numbers per endpoint and hour are kept: enough for `detection.endpoints.screening` to rule out endpoints that
cannot have struck. The memory also knows endpoints that are not called any more, which recent data does not show.

Each tick reads again the hour read longest ago if anything was added to it, every hour not read for an hour, and every
hour that comes to count for the baselines, so late data is included within the hour. Of the last intervals, each tick
reads again the newest ones and the one read longest ago if anything was added, so late data is included within as many
ticks as there are intervals. What follows from the hours is kept until one of them changes.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detection.endpoints.findings import last_interval_end, strike_window_start
from detection.endpoints.normal import MINIMUM_HOUR_REQUESTS, settled_hours
from detection.endpoints.screening import Brief, Limits, limits_of_past, past_hours, reaches
from detection.options import EndpointOptions
from detection.statistics.baselines import HOUR_SECONDS, hours_of_week
from detection.types import Floats, Integers, Metric, Subject
from storage.telemetry.protocol import (
    COARSE_SECONDS,
    FINE_ENDPOINT_SECONDS,
    EndpointLevels,
    EndpointTotals,
    TelemetryStore,
)
from workers.memory.broken_times import PastIncident, endpoint_broken_times
from workers.memory.other_data import changed_by_factor

NEWEST_INTERVALS = 3
"""How many of the last intervals are looked at again at every tick, because requests may still be added to them."""

_BUCKETS_AT_ONCE = 8
"""Buckets read in one query: fewer round trips, and yet the histograms of ten thousand endpoints fit into memory."""

METRICS = frozenset({Metric.LATENCY_P95, Metric.QUERY_COUNT, Metric.ERROR_RATE, Metric.REQUEST_RATE})


@dataclass(frozen=True, slots=True)
class _Bucket:
    """One past hour, or one of the last intervals; the arrays are (endpoints,), by the endpoint's number.

    0 requests where there were too few to judge.
    """

    read_at: float
    requests: Floats
    errors: Floats
    queries: Floats
    p95_bucket: np.ndarray[tuple[int], np.dtype[np.int16]]

    @property
    def totals(self) -> EndpointTotals:
        """The sums over all endpoints."""
        sums = (self.requests.sum(), self.errors.sum(), self.queries.sum())
        return EndpointTotals(int(np.count_nonzero(self.requests)), *map(int, sums))

    def holds_the_same(self, other: _Bucket) -> bool:
        """Whether another reading of it gave the same; an endpoint not known before counts as 0."""
        known = len(self.requests)
        return not other.requests[known:].any() and all(
            np.array_equal(mine, others[:known])
            for mine, others in (
                (self.requests, other.requests),
                (self.errors, other.errors),
                (self.queries, other.queries),
                (self.p95_bucket, other.p95_bucket),
            )
        )

    def only(self, kept: Integers) -> _Bucket:
        """Return the bucket with only these endpoints, of which it may not know the last ones."""
        known = kept[kept < len(self.requests)]
        return _Bucket(
            self.read_at, self.requests[known], self.errors[known], self.queries[known], self.p95_bucket[known]
        )


class EndpointMemory:
    """The compact memory of every endpoint. One per process; one tick at a time uses it."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._keys: dict[str, int] = {}
        self._hours: dict[float, _Bucket] = {}
        self._intervals: dict[float, _Bucket] = {}
        self._limits: tuple[object, Limits] | None = None
        self._one_at_a_time = threading.Lock()

    def worth_reading(
        self,
        store: TelemetryStore,
        *,
        now: float,
        options: EndpointOptions,
        past: Sequence[PastIncident] = (),
    ) -> Sequence[tuple[str, str]]:
        """Return each (service, endpoint) that may have struck, including all that have.

        past: incidents, whose hours are left out of the baselines of the endpoints they broke.
        """
        with self._one_at_a_time:
            until = last_interval_end(now, options)
            starts = past_hours(until, options)
            self._update_hours(store, starts.tolist(), now, options)
            self._forget_unused()
            last = self._last_intervals(store, until, options)
            limits = self._limits_of_past(starts, until, options, past, now).with_unknown(len(self._numbers))
            names = list(self._numbers)
            return [names[number] for number in np.flatnonzero(reaches(last, limits, options)).tolist()]

    def _update_hours(self, store: TelemetryStore, wanted: list[float], now: float, options: EndpointOptions) -> None:
        """Read the missing hours; read again the one read longest ago, and those that must be.

        When the one read longest ago has changed by a factor, other data has arrived: read all hours again.
        """
        for gone in self._hours.keys() - set(wanted):
            del self._hours[gone]
        newest = wanted[-1]
        # A dict keeps its insertion order, and each bucket read goes to its end: the first was read longest ago.
        longest_ago = next(iter(self._hours), newest)
        again = [start for start, hour in self._hours.items() if _must_be_read_again(start, hour.read_at, now, options)]
        missing = {*again, *(hour for hour in wanted if hour not in self._hours)}
        if not self._is_unchanged(store, self._hours, longest_ago, COARSE_SECONDS, MINIMUM_HOUR_REQUESTS, now):
            missing.add(longest_ago)
        before = self._requests_in(longest_ago)
        self._read_hours(store, missing, now)
        if longest_ago != newest and changed_by_factor(before, self._requests_in(longest_ago)):
            self._read_hours(store, wanted, now)

    def _read_hours(self, store: TelemetryStore, starts: Collection[float], now: float) -> None:
        """Read hours; what followed from them before holds no longer if one of them changed."""
        before = {start: self._hours.get(start) for start in starts}
        self._read(store, self._hours, starts, COARSE_SECONDS, fewest=MINIMUM_HOUR_REQUESTS, now=now)
        if any(known is None or not known.holds_the_same(self._hours[start]) for start, known in before.items()):
            self._limits = None

    def _is_unchanged(
        self, store: TelemetryStore, buckets: dict[float, _Bucket], start: float, seconds: int, fewest: int, now: float
    ) -> bool:
        """Whether nothing was added to a bucket since it was read; it then counts as read now, and goes to the end."""
        known = buckets.get(start)
        if known is None:
            return False
        if store.endpoint_totals(start, bucket_seconds=seconds, minimum_requests=fewest) != known.totals:
            return False
        del buckets[start]
        buckets[start] = replace(known, read_at=now)
        return True

    def _forget_unused(self) -> None:
        """Forget the endpoints without requests in any bucket, once they are most of those known.

        Their names come from outside, and a sender that makes up new ones all the time must not fill the memory.
        """
        used = np.zeros(len(self._numbers), dtype=bool)
        for bucket in (*self._hours.values(), *self._intervals.values()):
            used[: len(bucket.requests)] |= bucket.requests > 0
        if 2 * int(used.sum()) >= len(used):
            return
        kept, names = np.flatnonzero(used), list(self._numbers)
        self._numbers, self._keys, self._limits = {}, {}, None
        self._numbered([names[number] for number in kept.tolist()])
        self._hours = {start: bucket.only(kept) for start, bucket in self._hours.items()}
        self._intervals = {start: bucket.only(kept) for start, bucket in self._intervals.items()}

    def _requests_in(self, hour: float) -> float:
        known = self._hours.get(hour)
        return 0.0 if known is None else float(known.requests.sum())

    def _read(
        self,
        store: TelemetryStore,
        into: dict[float, _Bucket],
        starts: Collection[float],
        bucket_seconds: int,
        *,
        fewest: int,
        now: float,
    ) -> None:
        """Read the buckets that begin at `starts`, and put them at the end of `into`, oldest first."""
        in_order = sorted(starts)
        for first in range(0, len(in_order), _BUCKETS_AT_ONCE):
            some = in_order[first : first + _BUCKETS_AT_ONCE]
            found = store.endpoint_levels(some, bucket_seconds=bucket_seconds, minimum_requests=fewest)
            for start, levels in zip(some, found, strict=True):
                into.pop(start, None)
                into[start] = self._to_bucket(levels, now)

    def _to_bucket(self, found: EndpointLevels, now: float) -> _Bucket:
        """Return one bucket with its levels by the endpoint's number."""
        numbers = self._numbered(found.names)
        size = len(self._numbers)
        bucket = _Bucket(now, np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size, dtype=np.int16))
        for values, read in (
            (bucket.requests, found.request_count),
            (bucket.errors, found.error_count),
            (bucket.queries, found.query_sum),
            (bucket.p95_bucket, found.p95_bucket),
        ):
            values[numbers] = read
        return bucket

    def _numbered(self, names: Sequence[tuple[str, str]]) -> Integers:
        """Return the number of each endpoint; new endpoints get the next numbers."""
        for service, endpoint in [name for name in names if name not in self._numbers]:
            number = self._numbers[service, endpoint] = len(self._numbers)
            self._keys[Subject("endpoint", endpoint, service=service, endpoint=endpoint).key()] = number
        return np.array([self._numbers[name] for name in names], dtype=np.int64)

    def _last_intervals(self, store: TelemetryStore, until: float, options: EndpointOptions) -> Brief:
        """Return the last intervals of every known endpoint, also of those not called in them.

        Reads the missing intervals. The newest, and the one read longest ago, are read again if requests were added.
        """
        starts = np.arange(strike_window_start(until, options), until, FINE_ENDPOINT_SECONDS)
        wanted = starts.tolist()
        for gone in self._intervals.keys() - set(wanted):
            del self._intervals[gone]
        longest_ago = next(iter(self._intervals), wanted[-1])
        unknown = [start for start in wanted if start not in self._intervals]
        again = {longest_ago, *wanted[-NEWEST_INTERVALS:]}.difference(unknown)
        missing = {
            *unknown,
            *(
                start
                for start in sorted(again)
                if not self._is_unchanged(store, self._intervals, start, FINE_ENDPOINT_SECONDS, 1, until)
            ),
        }
        self._read(store, self._intervals, missing, FINE_ENDPOINT_SECONDS, fewest=1, now=until)
        return self._combined(self._intervals, starts)

    def _limits_of_past(
        self, starts: Floats, until: float, options: EndpointOptions, past: Sequence[PastIncident], now: float
    ) -> Limits:
        """Return what follows from the past hours; the same as before while these, and what is usual, are the same."""
        recent_since = until - options.recent_window_seconds
        every = settled_hours(starts, recent_since, ())
        broken = {
            number: settled_hours(starts, recent_since, spans)
            for key, spans in endpoint_broken_times(past, METRICS, now).items()
            if (number := self._keys.get(key)) is not None
        }
        around = until + np.array([-HOUR_SECONDS, 0.0, HOUR_SECONDS])
        state = (
            starts.tolist(),
            every.tobytes(),
            {number: mask.tobytes() for number, mask in broken.items()},
            hours_of_week(around, options.timezone).tolist(),
            until // HOUR_SECONDS,
            options,
        )
        if self._limits is None or self._limits[0] != state:
            settled = np.tile(every, (len(self._numbers), 1))
            for number, mask in broken.items():
                settled[number] = mask
            known = self._combined(self._hours, starts)
            self._limits = state, limits_of_past(known, settled, at=until, options=options)
        return self._limits[1]

    def _combined(self, buckets: Mapping[float, _Bucket], starts: Floats) -> Brief:
        """Combine the buckets of all endpoints. An endpoint first seen after a bucket was read has 0 in it."""
        size = len(self._numbers)
        hours = [buckets[start] for start in starts.tolist()]
        requests, errors, queries = (np.zeros((len(hours), size)) for _ in range(3))
        p95_bucket = np.zeros((len(hours), size), dtype=np.int64)
        for row, hour in enumerate(hours):
            known = len(hour.requests)
            requests[row, :known], errors[row, :known] = hour.requests, hour.errors
            queries[row, :known], p95_bucket[row, :known] = hour.queries, hour.p95_bucket
        return Brief(starts, requests.T, errors.T, queries.T, p95_bucket.T)


def _must_be_read_again(start: float, read_at: float, now: float, options: EndpointOptions) -> bool:
    """Whether an hour was not read for an hour, or not since it ended so long ago that it counts for baselines."""
    counts_from = start + HOUR_SECONDS + options.recent_window_seconds
    return read_at <= now - HOUR_SECONDS or read_at < counts_from <= now
