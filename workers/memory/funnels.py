"""Select the funnels to read in full at a tick, from a compact memory of every funnel's hours and recent entries.

A funnel may have more than a hundred segments, and each of their buckets has a histogram of the time people took. At
most ticks nearly every funnel is healthy. So only one number per bucket, step and segment is kept: how many users
reached the step; for the last step, within the horizon. The detectors' own test runs on these numbers, a little less
strictly. A funnel in which it finds nothing is healthy and is not read.

Once entries have had the horizon to convert, their counts change only through late data. So a tick reads again the
newest buckets and those read longest ago. Late data is included when all buckets have had their turn: within half an
hour for a week of hours, within ten minutes for recent entries. When a history arrives at once, such as an import, a
bucket that is read again has changed by a factor: then all buckets are read again, and the horizon is learnt anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from detection.funnels.cohorts import horizon, totals
from detection.funnels.normal import baseline_since
from detection.funnels.screening import Reached, Usual, usual, worth_reading
from detection.funnels.undisturbed import outside
from detection.options import FunnelOptions
from detection.statistics.baselines import HOUR_SECONDS, hours_of_week
from detection.types import Finding, FunnelDefinition, FunnelSeries, Integers, TimeSpans
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS, FunnelLevels, TelemetryStore
from workers.memory.other_data import changed_by_factor

HOURS_AGAIN, FINE_AGAIN = 1, 3
"""How many of the known buckets, those read longest ago, are read again at each tick."""

NEWEST_HOURS, NEWEST_FINE = 1, 3
"""How many of the newest buckets are read again at each tick: most late data arrives soon."""

AGAIN_SECONDS = 60.0
"""How long after a finding its funnel is read in full again."""

Segment = tuple[str | None, str | None]
Excluded = Callable[[Segment], TimeSpans]
"""Returns the times at which a segment was known to be broken."""

_EVERYONE: Segment = (None, None)


class FunnelMemory:
    """The compact memory of every funnel. One per process; one tick at a time uses it."""

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
        """Return whether the funnel may have a drop or a rise now. Never False if the counts read so far show one."""
        with self._one_at_a_time:
            known = self._known.get(funnel.funnel_id)
            if known is None:
                everyone = everyone_series(store, funnel.funnel_id, since=now - baseline_seconds, until=now)
                known = self._learn(funnel, everyone, now, options)
            changed = known.may_have_changed(store, now, baseline_seconds, options, excluded)
            if known.rests_on_other_data():
                everyone = everyone_series(store, funnel.funnel_id, since=now - baseline_seconds, until=now)
                known = self._learn(funnel, everyone, now, options)
                changed = known.may_have_changed(store, now, baseline_seconds, options, excluded)
            return changed

    def recent_findings(self, funnel_id: int, now: float) -> Sequence[Finding]:
        """Return the findings of less than AGAIN_SECONDS ago: a broken funnel need not be read at every tick."""
        with self._one_at_a_time:
            known = self._known.get(funnel_id)
            return known.found if known is not None and now - known.found_at < AGAIN_SECONDS else ()

    def remember_findings(self, funnel_id: int, found: Sequence[Finding], now: float) -> None:
        """Remember the findings of a funnel that was read in full."""
        with self._one_at_a_time:
            if (known := self._known.get(funnel_id)) is not None:
                known.found, known.found_at = tuple(found), now

    def whose_turn(self, funnels: Sequence[FunnelDefinition], now: float) -> FunnelDefinition | None:
        """Return the funnel whose hours to read in full now: one per tick, and each at most once an hour."""
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
        """Learn the horizon from the hours of all users, and store the drifts found. This ends the funnel's turn."""
        with self._one_at_a_time:
            known = self._learn(funnel, everyone, now, options)
            known.hour, known.drifts = now // HOUR_SECONDS, tuple(drifts)

    def drifts(self, funnels: Sequence[FunnelDefinition]) -> list[Finding]:
        """Return the drifts of these funnels, as found when each was last read in full."""
        with self._one_at_a_time:
            known = [self._known[one.funnel_id] for one in funnels if one.funnel_id in self._known]
            return [drift for each in known for drift in each.drifts]

    def _learn(
        self, funnel: FunnelDefinition, everyone: FunnelSeries | None, now: float, options: FunnelOptions
    ) -> _Known:
        waited = funnel.window_seconds
        if everyone is not None:
            waited = horizon(everyone, funnel.window_seconds, until=now - options.recent_window_seconds)
        before = self._known.get(funnel.funnel_id)
        known = before
        if known is None or known.horizon_seconds != waited:
            known = _Known(funnel, waited)
            self._known[funnel.funnel_id] = known
        if before is not None:
            known.conversions_learnt_from = _conversions(everyone, waited, before.hours)
        return known


def everyone_series(store: TelemetryStore, funnel_id: int, *, since: float, until: float) -> FunnelSeries | None:
    """Return the hourly series of all users; None for a funnel never rolled up."""
    found = store.funnel_series(funnel_id, since=since, until=until, bucket_seconds=COARSE_SECONDS, everyone_only=True)
    return found[0] if found else None


class _Known:
    """The memory of one funnel. `hour`: when its hours were last read in full, in hours since the epoch."""

    def __init__(self, funnel: FunnelDefinition, horizon_seconds: float) -> None:
        self.horizon_seconds = horizon_seconds
        self.hour = 0.0
        self.drifts: tuple[Finding, ...] = ()
        self.found: tuple[Finding, ...] = ()
        self.found_at = 0.0
        self.conversions_learnt_from: int | None = None
        self._funnel = funnel
        self._names: dict[Segment, int] = {}
        self._hours = _Buckets(COARSE_SECONDS, NEWEST_HOURS, HOURS_AGAIN)
        self._fine = _Buckets(FINE_FUNNEL_SECONDS, NEWEST_FINE, FINE_AGAIN)
        self._fitted: tuple[object, Usual] | None = None

    def may_have_changed(
        self, store: TelemetryStore, now: float, baseline_seconds: float, options: FunnelOptions, excluded: Excluded
    ) -> bool:
        """Read the new buckets, and return whether the screening finds a possible drop or rise."""
        ripe_until = now - self.horizon_seconds - options.ingestion_lag_seconds
        ripe_until = ripe_until // FINE_FUNNEL_SECONDS * FINE_FUNNEL_SECONDS
        recent_since = ripe_until - options.recent_window_seconds
        at = (recent_since + ripe_until) / 2
        hours_since = baseline_since(at, baseline_seconds / HOUR_SECONDS)
        hours_changed = self._hours.update(self._reader(store, COARSE_SECONDS), hours_since, recent_since)
        self._fine.update(self._reader(store, FINE_FUNNEL_SECONDS), recent_since, ripe_until)
        if hours_changed:
            self._fitted = None
        everyone = np.array([name == _EVERYONE for name in self._names], dtype=bool)
        normal = self._usual(at, options, excluded)
        if not (everyone & normal.usable).any():
            # A short history may still be arriving, such as an import: read everything again at the next tick.
            self._hours.forget()
            self.hour = 0.0
            return False
        return worth_reading(self._fine.reached(len(self._funnel.steps), len(self._names)), normal, everyone, options)

    @property
    def hours(self) -> range:
        """The hours that are remembered, counted from the epoch."""
        return self._hours.extent

    def rests_on_other_data(self) -> bool:
        """Whether the conversions of the past hours have changed by a factor since the horizon was learnt."""
        steps, segments = len(self._funnel.steps), len(self._names)
        everyone = self._names.get(_EVERYONE)
        now = 0 if everyone is None else int(self._hours.reached(steps, segments).counts[-1, everyone].sum())
        if self.conversions_learnt_from is None:
            self.conversions_learnt_from = now
        return changed_by_factor(self.conversions_learnt_from, now)

    def _usual(self, at: float, options: FunnelOptions, excluded: Excluded) -> Usual:
        """Return the baseline for this hour of the week; refit it when the hour, the past or `excluded` changes."""
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

    def _reader(self, store: TelemetryStore, bucket_seconds: int) -> _ReadLevels:
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


_ReadLevels = Callable[[float, float], tuple[FunnelLevels, Integers, int]]
"""Called with (since, until). Returns the levels, each row's segment number, and the number of known segments."""

_Counts = np.ndarray[tuple[int, int], np.dtype[np.int32]]
"""How many users reached each step in one bucket, (steps, segments)."""


class _Buckets:
    """The counts per bucket, with the segments known when the bucket was read."""

    def __init__(self, seconds: int, newest: int, again: int) -> None:
        self._seconds, self._newest, self._again = seconds, newest, again
        self._kept: dict[int, _Counts] = {}
        self.extent = range(0)

    def forget(self) -> None:
        """Forget all buckets, so that everything is read again."""
        self._kept.clear()

    def update(self, read: _ReadLevels, since: float, until: float) -> bool:
        """Read the missing and stale buckets in [since, until), whole ones only; return whether any count changed."""
        first = int(np.ceil(since / self._seconds - 1e-9))
        self.extent = wanted = range(first, max(int(np.floor(until / self._seconds + 1e-9)), first))
        for gone in [number for number in self._kept if number not in wanted]:
            del self._kept[gone]
        # A dict keeps its insertion order, and each bucket read goes to its end: the first were read longest ago.
        longest_ago = list(self._kept)[: self._again]
        missing = [number for number in wanted if number not in self._kept]
        newest = wanted[-self._newest :]
        # A new fine bucket still fills; an hour is whole.
        settled = {*longest_ago, *newest} if self._seconds == COARSE_SECONDS else {*longest_ago}.difference(newest)
        before = {number: int(self._kept[number][0].sum()) for number in settled if number in self._kept}
        changed = False
        for stretch in _consecutive_runs({*longest_ago, *missing, *newest}):
            changed |= self._read(read, stretch)
        kept = {number: int(self._kept[number][0].sum()) for number in before}
        if any(changed_by_factor(before[number], kept[number]) for number in before):
            changed |= self._read(read, wanted)
        return changed

    def _read(self, read: _ReadLevels, stretch: range) -> bool:
        levels, numbers, segments = read(stretch.start * self._seconds, stretch.stop * self._seconds)
        places = np.rint(levels.bucket_starts / self._seconds).astype(np.int64) - stretch.start
        table = np.zeros((len(stretch), levels.reached.shape[1], segments), dtype=np.int32)
        table[places, :, numbers] = levels.reached
        changed = False
        for number, counts in zip(stretch, table, strict=True):
            before = self._kept.pop(number, None)
            changed |= before is None or _has_changed(before, counts)
            self._kept[number] = counts.copy()
        return changed

    def reached(self, steps: int, segments: int) -> Reached:
        """Combine all buckets. A segment first seen after a bucket was read has 0 in it."""
        table = np.zeros((steps, segments, len(self.extent)))
        for number, counts in self._kept.items():
            table[:, : counts.shape[1], number - self.extent.start] = counts
        starts = np.arange(self.extent.start, self.extent.stop, dtype=np.float64) * self._seconds
        return Reached(starts, table)


def _conversions(everyone: FunnelSeries | None, horizon_seconds: float, hours: range) -> int:
    """Count the conversions within the horizon of entries in these hours."""
    if everyone is None or not hours:
        return 0
    since, until = hours.start * HOUR_SECONDS, hours.stop * HOUR_SECONDS
    return totals(everyone, horizon_seconds, since=since, until=until)[1]


def _has_changed(before: _Counts, after: _Counts) -> bool:
    """Return whether any count changed; a segment not known before counts as 0."""
    known = before.shape[1]
    return not np.array_equal(before, after[:, :known]) or bool(after[:, known:].any())


def _consecutive_runs(numbers: set[int]) -> Iterator[range]:
    """Yield the runs of consecutive numbers."""
    ordered = sorted(numbers)
    start = 0
    for place in range(1, len(ordered) + 1):
        if place == len(ordered) or ordered[place] != ordered[place - 1] + 1:
            yield range(ordered[start], ordered[place - 1] + 1)
            start = place
