"""Which funnels deserve to be read in full this tick: a brief memory of every funnel's hours and recent entries.

A funnel has up to a hundred and more segments, and each of their buckets a histogram of how long people took. Nearly
every funnel is well at nearly every tick, so of each bucket only one number a step and segment is kept: how many got so
far, to the last step within the horizon. On these the detectors' own test runs, a little less strict; a funnel
that does not pass it is well, and is not read.

Entries are final once they have had the horizon to convert, but for what comes late. So a tick reads the newest buckets
and those that were read longest ago: what came late is known when all have had their turn, within half an hour for a
week of hours and within ten minutes for recent entries.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from detection.funnels.cohorts import horizon
from detection.funnels.normal import baseline_since
from detection.funnels.screening import Reached, Usual, usual, worth_reading
from detection.funnels.undisturbed import outside
from detection.options import FunnelOptions
from detection.statistics.baselines import HOUR_SECONDS, hours_of_week
from detection.types import Finding, FunnelDefinition, FunnelSeries, Integers, TimeSpans
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS, FunnelLevels, TelemetryStore

HOURS_AGAIN, FINE_AGAIN = 1, 3
"""How many of the known buckets are read anew at each tick."""

NEWEST_HOURS, NEWEST_FINE = 1, 3
"""How many of the last buckets are always read anew: most of what comes late comes soon."""

AGAIN_SECONDS = 60.0
"""A funnel in which something was found is read in full again after so long."""

Segment = tuple[str | None, str | None]
Excluded = Callable[[Segment], TimeSpans]
"""The times at which a segment was known to be broken."""

_EVERYONE: Segment = (None, None)


class FunnelMemory:
    """What a process remembers of its funnels; one tick at a time uses it."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._one_at_a_time = threading.Lock()

    def worth_reading(
        self,
        store: TelemetryStore,
        funnel: FunnelDefinition,
        *,
        now: float,
        baseline_seconds: float,
        options: FunnelOptions,
        excluded: Excluded,
    ) -> bool:
        """Whether a drop or a rise may stand now; whatever stands on what has been read, is."""
        with self._one_at_a_time:
            known = self._known.get(funnel.funnel_id)
            if known is None:
                everyone = everyone_series(store, funnel.funnel_id, since=now - baseline_seconds, until=now)
                known = self._learn(funnel, everyone, now, options)
            return known.may_have_changed(store, now, baseline_seconds, options, excluded)

    def found_lately(self, funnel_id: int, now: float) -> Sequence[Finding]:
        """What was found in the funnel at most AGAIN_SECONDS ago: what is broken needs no reading at every tick."""
        with self._one_at_a_time:
            known = self._known.get(funnel_id)
            return known.found if known is not None and now - known.found_at < AGAIN_SECONDS else ()

    def keep(self, funnel_id: int, found: Sequence[Finding], now: float) -> None:
        """Remember what was found."""
        with self._one_at_a_time:
            if (known := self._known.get(funnel_id)) is not None:
                known.found, known.found_at = tuple(found), now

    def whose_turn(self, funnels: Sequence[FunnelDefinition], now: float) -> FunnelDefinition | None:
        """The funnel whose hours are to be read in full now: one a tick, and each at most once an hour."""
        with self._one_at_a_time:
            for gone in self._known.keys() - {funnel.funnel_id for funnel in funnels}:
                del self._known[gone]
            waiting = [
                (known.hour, funnel.funnel_id, funnel)
                for funnel in funnels
                if (known := self._known.get(funnel.funnel_id)) is not None and known.hour < now // HOUR_SECONDS
            ]
            return min(waiting)[2] if waiting else None

    def learn(
        self,
        funnel: FunnelDefinition,
        everyone: FunnelSeries | None,
        drifts: Sequence[Finding],
        *,
        now: float,
        options: FunnelOptions,
    ) -> None:
        """Take what everyone's hours say of how long people take, and the drifts found in them; the turn is over."""
        with self._one_at_a_time:
            known = self._learn(funnel, everyone, now, options)
            known.hour, known.drifts = now // HOUR_SECONDS, tuple(drifts)

    def drifts(self, funnels: Sequence[FunnelDefinition]) -> list[Finding]:
        """The drifts that each of these funnels was in when it was last looked at."""
        with self._one_at_a_time:
            known = [self._known[one.funnel_id] for one in funnels if one.funnel_id in self._known]
            return [drift for each in known for drift in each.drifts]

    def _learn(
        self, funnel: FunnelDefinition, everyone: FunnelSeries | None, now: float, options: FunnelOptions
    ) -> _Known:
        waited = funnel.window_seconds
        if everyone is not None:
            waited = horizon(everyone, funnel.window_seconds, until=now - options.recent_window_seconds)
        known = self._known.get(funnel.funnel_id)
        if known is None or known.horizon_seconds != waited:
            known = _Known(funnel, waited)
            self._known[funnel.funnel_id] = known
        return known


def everyone_series(store: TelemetryStore, funnel_id: int, *, since: float, until: float) -> FunnelSeries | None:
    """Everyone's hours; None for a funnel never rolled up."""
    found = store.funnel_series(funnel_id, since=since, until=until, bucket_seconds=COARSE_SECONDS, everyone_only=True)
    return found[0] if found else None


class _Known:
    """One funnel in brief. `hour` is the last in which its hours were read in full, in hours since the epoch."""

    def __init__(self, funnel: FunnelDefinition, horizon_seconds: float) -> None:
        self.horizon_seconds = horizon_seconds
        self.hour = 0.0
        self.drifts: tuple[Finding, ...] = ()
        self.found: tuple[Finding, ...] = ()
        self.found_at = 0.0
        self._funnel = funnel
        self._names: dict[Segment, int] = {}
        self._hours = _Buckets(COARSE_SECONDS, NEWEST_HOURS, HOURS_AGAIN)
        self._fine = _Buckets(FINE_FUNNEL_SECONDS, NEWEST_FINE, FINE_AGAIN)
        self._fitted: tuple[object, Usual] | None = None

    def may_have_changed(
        self, store: TelemetryStore, now: float, baseline_seconds: float, options: FunnelOptions, excluded: Excluded
    ) -> bool:
        """Read what is new, and test it."""
        ripe_until = now - self.horizon_seconds - options.ingestion_lag_seconds
        ripe_until = ripe_until // FINE_FUNNEL_SECONDS * FINE_FUNNEL_SECONDS
        recent_since = ripe_until - options.recent_window_seconds
        at = (recent_since + ripe_until) / 2
        hours_since = baseline_since(at, baseline_seconds / HOUR_SECONDS)
        hours_changed = self._hours.catch_up(self._reader(store, COARSE_SECONDS), hours_since, recent_since)
        self._fine.catch_up(self._reader(store, FINE_FUNNEL_SECONDS), recent_since, ripe_until)
        if hours_changed:
            self._fitted = None
        everyone = np.array([name == _EVERYONE for name in self._names], dtype=bool)
        normal = self._usual(at, options, excluded)
        if not (everyone & normal.usable).any():
            # Too short a history may be one that is just being sent: nothing of it is held for true.
            self._hours.forget()
            self.hour = 0.0
            return False
        return worth_reading(self._fine.reached(len(self._funnel.steps), len(self._names)), normal, everyone, options)

    def _usual(self, at: float, options: FunnelOptions, excluded: Excluded) -> Usual:
        """What is normal at this hour of the week; fitted anew only when the hour, the past or what is left out is."""
        weekly = int(hours_of_week(np.array([at]), options.timezone)[0])
        times = [tuple(excluded(name)) for name in self._names]
        state = (weekly, self._hours.extent, times)
        if self._fitted is None or self._fitted[0] != state:
            past = self._hours.reached(len(self._funnel.steps), len(self._names))
            kept = np.array([outside(past.bucket_starts, each) for each in times], dtype=bool)
            past = Reached(past.bucket_starts, past.counts * kept.reshape(past.counts.shape[1:]))
            fewest = options.min_sample_size
            self._fitted = (state, usual(past, at=at, timezone=options.timezone, fewest=fewest))
        return self._fitted[1]

    def _reader(self, store: TelemetryStore, bucket_seconds: int) -> _Read:
        def read(since: float, until: float) -> tuple[FunnelLevels, Integers, int]:
            levels = store.funnel_levels(
                self._funnel,
                since=since,
                until=until,
                bucket_seconds=bucket_seconds,
                horizon_seconds=self.horizon_seconds,
            )
            numbers = [self._names.setdefault(name, len(self._names)) for name in levels.names]
            return levels, np.array(numbers, dtype=np.int64)[levels.rows], len(self._names)

        return read


_Read = Callable[[float, float], tuple[FunnelLevels, Integers, int]]
"""From when until when: the buckets, the number of each one's segment, and how many segments there are."""

_Counts = np.ndarray[tuple[int, int], np.dtype[np.int32]]
"""How many got so far in one bucket, (steps, segments)."""


class _Buckets:
    """The counts of the segments that were known when a bucket was read, by bucket."""

    def __init__(self, seconds: int, newest: int, again: int) -> None:
        self._seconds, self._newest, self._again = seconds, newest, again
        self._kept: dict[int, _Counts] = {}
        self.extent = range(0)

    def forget(self) -> None:
        """Have everything read again."""
        self._kept.clear()

    def catch_up(self, read: _Read, since: float, until: float) -> bool:
        """Hold the whole buckets in [since, until); whether any of them is other than it was."""
        first = int(np.ceil(since / self._seconds - 1e-9))
        self.extent = wanted = range(first, max(int(np.floor(until / self._seconds + 1e-9)), first))
        for gone in [number for number in self._kept if number not in wanted]:
            del self._kept[gone]
        # A dict keeps its order of insertion, and what is read is put at its end.
        longest_ago = list(self._kept)[: self._again]
        missing = [number for number in wanted if number not in self._kept]
        changed = False
        for stretch in _stretches({*longest_ago, *missing, *wanted[-self._newest :]}):
            changed |= self._read(read, stretch)
        return changed

    def _read(self, read: _Read, stretch: range) -> bool:
        levels, numbers, segments = read(stretch.start * self._seconds, stretch.stop * self._seconds)
        places = np.rint(levels.bucket_starts / self._seconds).astype(np.int64) - stretch.start
        table = np.zeros((len(stretch), levels.reached.shape[1], segments), dtype=np.int32)
        table[places, :, numbers] = levels.reached
        changed = False
        for number, counts in zip(stretch, table, strict=True):
            before = self._kept.pop(number, None)
            changed |= before is None or _differ(before, counts)
            self._kept[number] = counts.copy()
        return changed

    def reached(self, steps: int, segments: int) -> Reached:
        """All of them side by side; a segment not known yet when one was read had no entries."""
        table = np.zeros((steps, segments, len(self.extent)))
        for number, counts in self._kept.items():
            table[:, : counts.shape[1], number - self.extent.start] = counts
        starts = np.arange(self.extent.start, self.extent.stop, dtype=np.float64) * self._seconds
        return Reached(starts, table)


def _differ(before: _Counts, after: _Counts) -> bool:
    """Whether anything changed; a segment that was not known then had nothing."""
    known = before.shape[1]
    return not np.array_equal(before, after[:, :known]) or bool(after[:, known:].any())


def _stretches(numbers: set[int]) -> Iterator[range]:
    """Numbers that follow one another, together."""
    ordered = sorted(numbers)
    start = 0
    for place in range(1, len(ordered) + 1):
        if place == len(ordered) or ordered[place] != ordered[place - 1] + 1:
            yield range(ordered[start], ordered[place - 1] + 1)
            start = place
