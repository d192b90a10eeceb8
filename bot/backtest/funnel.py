"""What the funnel detector would have said about a funnel's own past, row by row as it came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from bot.backtest.chart import Course
from bot.backtest.csv_history import CsvError, FunnelHistory
from bot.backtest.funnel_screen import FunnelScreen
from detection.funnels.cohorts import FINE_SECONDS
from detection.funnels.findings import funnel_findings
from detection.funnels.normal import baseline_since, normal_conversion
from detection.funnels.undisturbed import Times, undisturbed
from detection.options import FunnelOptions
from detection.statistics.baselines import HOUR_SECONDS, Mask
from detection.types import DELAY_EDGES_SECONDS, Finding, Floats, FunnelDefinition, FunnelSeries, FunnelStep
from workers.memory.broken_times import PastIncident
from workers.options import funnel_options
from workers.settings import Settings
from workers.watching.funnel_history import broken_times, drops_of
from workers.watching.funnel_news import rises
from workers.watching.watch import Tick

_FUNNEL = FunnelDefinition(0, "funnel", (FunnelStep("entries", ""), FunnelStep("conversions", "")), 0.0, 7)
_DAY = 24 * HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class FunnelReplay:
    """The findings that begin an alarm, and the conversion of each row for the chart.

    What is found again within two recent windows is the same alarm.
    """

    alarms: tuple[Finding, ...]
    course: Course


def replay(
    history: FunnelHistory, settings: Settings, progress: Callable[[float], None] = lambda share: None
) -> FunnelReplay:
    """Ask the detector after every row, as if the rows had come one by one and each conversion with its entry.

    Raises CsvError when rows are more than an hour apart: the hour of the day says what is normal.
    """
    width = _width(history.times)
    options = replace(funnel_options(settings), ingestion_lag_seconds=0.0)
    options = replace(options, recent_window_minutes=max(options.recent_window_minutes, width / 60))
    fine, hours = _series(history, FINE_SECONDS), _series(history, HOUR_SECONDS)
    screen = FunnelScreen(fine, hours, options)
    alarms: list[_Alarm] = []
    fired = np.zeros(len(history.times), dtype=bool)
    for row, time in enumerate(history.times.tolist()):
        row_ends = float(np.floor((time + width) / FINE_SECONDS) * FINE_SECONDS)
        known = {one.finding.fingerprint: one for one in alarms if one.goes_on(row_ends, options)}
        past = [one.past(row_ends, options) for one in alarms]
        broken = broken_times(drops_of(past, _FUNNEL.funnel_id), _FUNNEL.funnel_id, (None, None), row_ends)
        found = _found(fine, hours, row_ends, past, broken, options) if screen.worth_a_look(row_ends, broken) else []
        for finding in found:
            if finding.fingerprint in known:
                known[finding.fingerprint].last_seen = row_ends
            else:
                alarms.append(_Alarm(finding, row_ends))
                fired[row] = True
        progress((row + 1) / len(history.times))
    told = (replace(one.finding, onset_at=_row_at(history.times, one.finding.onset_at)) for one in alarms)
    return FunnelReplay(tuple(told), _course(history, hours, fired, options))


@dataclass(slots=True)
class _Alarm:
    """What was found, and the end of the last row at which it was."""

    finding: Finding
    last_seen: float

    def goes_on(self, now: float, options: FunnelOptions) -> bool:
        return now - self.last_seen <= 2 * options.recent_window_seconds

    def past(self, now: float, options: FunnelOptions) -> PastIncident:
        ended = None if self.goes_on(now, options) else self.last_seen
        return PastIncident(self.finding.onset_at, ended, None, frozenset({self.finding.fingerprint}))


def _found(
    fine: FunnelSeries,
    hours: FunnelSeries,
    now: float,
    incidents: Sequence[PastIncident],
    broken: Times,
    options: FunnelOptions,
) -> list[Finding]:
    """Drops, held against hours in which there was none; without any, the rises that can be told."""
    since = now - options.recent_window_seconds - _DAY
    recent = [_part(fine, since, now)]
    past = [undisturbed(_part(hours, baseline_since(since, options.baseline_window_hours), now), broken)]
    drops = funnel_findings(recent, past, _FUNNEL, now=now, options=options)
    return drops or rises(recent, past, _FUNNEL, Tick(datetime.fromtimestamp(now, UTC), [_FUNNEL], incidents), options)


def _row_at(times: Floats, onset_at: float) -> float:
    """The row that a change between two rows begins with."""
    return float(times[min(int(np.searchsorted(times, onset_at - FINE_SECONDS)), len(times) - 1)])


def _width(times: Floats) -> float:
    """The usual distance of two rows."""
    apart = np.diff(np.unique(times))
    width = float(np.median(apart)) if len(apart) else HOUR_SECONDS
    if width > HOUR_SECONDS:
        raise CsvError(f"the rows are {width / HOUR_SECONDS:.3g} h apart; a funnel's history needs one an hour or more")
    return width


def _series(history: FunnelHistory, bucket_seconds: float) -> FunnelSeries:
    """The rows in regular buckets by when they begin; each conversion came at once."""
    starts, places = np.unique(np.floor(history.times / bucket_seconds) * bucket_seconds, return_inverse=True)
    entries, conversions = (
        np.bincount(places, counts).astype(np.int64) for counts in (history.entries, history.conversions)
    )
    delays = np.zeros((len(starts), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
    delays[:, 0] = conversions
    return FunnelSeries(0, None, None, starts, entries, np.stack([entries, conversions], axis=1), delays)


def _part(series: FunnelSeries, since: float, until: float) -> FunnelSeries:
    first, last = np.searchsorted(series.bucket_starts, [since, until])
    return series.only(slice(first, last))


def _course(history: FunnelHistory, hours: FunnelSeries, fired: Mask, options: FunnelOptions) -> Course:
    """The conversion of each row beside what is normal at its hour, unknown on the first day."""
    known = {
        start: _normal(hours, start, options)
        for start in np.unique(np.floor(history.times / HOUR_SECONDS) * HOUR_SECONDS).tolist()
        if start - history.times[0] >= _DAY
    }
    unknown = (np.nan, np.nan)
    ranges = np.array([known.get(float(np.floor(at / HOUR_SECONDS) * HOUR_SECONDS), unknown) for at in history.times])
    share = np.divide(history.conversions, history.entries, out=np.zeros(len(fired)), where=history.entries > 0)
    return Course(history.times, share, ranges[:, 0], ranges[:, 1], fired)


def _normal(hours: FunnelSeries, at: float, options: FunnelOptions) -> tuple[float, float]:
    since = baseline_since(at, options.baseline_window_hours)
    normal = normal_conversion([hours], 1.0, since=since, until=at, at=at, timezone=options.timezone)
    return float(normal.low[0]), float(normal.high[0])
