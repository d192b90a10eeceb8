"""Replay a funnel's history through the funnel detector, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from bot.backtest.chart import ChartData
from bot.backtest.csv_history import CsvError, FunnelHistory
from bot.backtest.funnel_screen import FunnelScreen
from detection.funnels.cohorts import FINE_SECONDS
from detection.funnels.findings import funnel_findings
from detection.funnels.normal import baseline_since, normal_conversion
from detection.funnels.undisturbed import undisturbed
from detection.options import FunnelOptions
from detection.statistics.baselines import HOUR_SECONDS, Mask
from detection.types import DELAY_EDGES_SECONDS, Finding, Floats, FunnelDefinition, FunnelSeries, FunnelStep, TimeSpans
from workers.memory.broken_times import PastIncident, funnel_broken_times, incidents_of_funnel
from workers.options import funnel_options
from workers.settings import Settings
from workers.watching.funnel_notices import rises
from workers.watching.watch import Tick

_FUNNEL = FunnelDefinition(0, "funnel", (FunnelStep("entries", ""), FunnelStep("conversions", "")), 0.0, 7)
_DAY = 24 * HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class FunnelReplay:
    """The findings that started an alarm, the rows at which they were found, and what the chart is drawn from.

    A finding that recurs within two recent windows belongs to the same alarm.
    """

    alarms: tuple[Finding, ...]
    fired: Mask
    history: FunnelHistory
    hours: FunnelSeries
    options: FunnelOptions

    @property
    def chart_data(self) -> ChartData:
        """The chart's data; fits a baseline for every hour of the history."""
        return _chart_data(self.history, self.hours, self.fired, self.options)


def replay(
    history: FunnelHistory, settings: Settings, progress: Callable[[float], None] = lambda share: None
) -> FunnelReplay:
    """Run the detector after each row, as if each row had just arrived and each conversion came with its entry.

    Raises CsvError if rows are more than an hour apart, because the baseline is per hour of the day.
    """
    row_seconds = _row_seconds(history.times)
    options = replace(funnel_options(settings), ingestion_lag_seconds=0.0)
    options = replace(options, recent_window_minutes=max(options.recent_window_minutes, row_seconds / 60))
    fine, hours = _series(history, FINE_SECONDS), _series(history, HOUR_SECONDS)
    screen = FunnelScreen(fine, hours, options)
    alarms: list[_Alarm] = []
    fired = np.zeros(len(history.times), dtype=bool)
    for row, time in enumerate(history.times.tolist()):
        row_ends = float(np.floor((time + row_seconds) / FINE_SECONDS) * FINE_SECONDS)
        known = {one.finding.fingerprint: one for one in alarms if one.is_ongoing(row_ends, options)}
        past = [one.as_past_incident(row_ends, options) for one in alarms]
        broken = funnel_broken_times(
            incidents_of_funnel(past, _FUNNEL.funnel_id), _FUNNEL.funnel_id, (None, None), row_ends
        )
        found = (
            _findings(fine, hours, row_ends, past, broken, options) if screen.may_have_finding(row_ends, broken) else []
        )
        for finding in found:
            if finding.fingerprint in known:
                known[finding.fingerprint].last_seen = row_ends
            else:
                alarms.append(_Alarm(finding, row_ends))
                fired[row] = True
        progress((row + 1) / len(history.times))
    findings = (replace(one.finding, onset_at=_row_at(history.times, one.finding.onset_at)) for one in alarms)
    return FunnelReplay(tuple(findings), fired, history, hours, options)


@dataclass(slots=True)
class _Alarm:
    """A finding, and the end of the last row at which it was found."""

    finding: Finding
    last_seen: float

    def is_ongoing(self, now: float, options: FunnelOptions) -> bool:
        return now - self.last_seen <= 2 * options.recent_window_seconds

    def as_past_incident(self, now: float, options: FunnelOptions) -> PastIncident:
        ended = None if self.is_ongoing(now, options) else self.last_seen
        return PastIncident(self.finding.onset_at, ended, None, frozenset({self.finding.fingerprint}))


def _findings(
    fine: FunnelSeries,
    hours: FunnelSeries,
    now: float,
    incidents: Sequence[PastIncident],
    broken: TimeSpans,
    options: FunnelOptions,
) -> list[Finding]:
    """Return the drops, against a baseline without earlier drops; if there are none, the rises worth reporting."""
    since = now - options.recent_window_seconds - _DAY
    recent = [_slice(fine, since, now)]
    past = [undisturbed(_slice(hours, baseline_since(since, options.baseline_window_hours), now), broken)]
    drops = funnel_findings(recent, past, _FUNNEL, now=now, options=options)
    return drops or rises(recent, past, _FUNNEL, Tick(datetime.fromtimestamp(now, UTC), [_FUNNEL], incidents), options)


def _row_at(times: Floats, onset_at: float) -> float:
    """Return the time of the row in which a change begins, for an onset that lies between two rows."""
    return float(times[min(int(np.searchsorted(times, onset_at - FINE_SECONDS)), len(times) - 1)])


def _row_seconds(times: Floats) -> float:
    """Return the median distance of two rows, in seconds. Raises CsvError if it is more than an hour."""
    apart = np.diff(np.unique(times))
    row_seconds = float(np.median(apart)) if len(apart) else HOUR_SECONDS
    if row_seconds > HOUR_SECONDS:
        raise CsvError(
            f"the rows are {row_seconds / HOUR_SECONDS:.3g} h apart; a funnel's history needs one an hour or more"
        )
    return row_seconds


def _series(history: FunnelHistory, bucket_seconds: float) -> FunnelSeries:
    """Return the rows in regular buckets by their start time, with every conversion in the shortest delay."""
    starts, places = np.unique(np.floor(history.times / bucket_seconds) * bucket_seconds, return_inverse=True)
    entries, conversions = (
        np.bincount(places, counts).astype(np.int64) for counts in (history.entries, history.conversions)
    )
    delays = np.zeros((len(starts), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
    delays[:, 0] = conversions
    return FunnelSeries(0, None, None, starts, entries, np.stack([entries, conversions], axis=1), delays)


def _slice(series: FunnelSeries, since: float, until: float) -> FunnelSeries:
    first, last = np.searchsorted(series.bucket_starts, [since, until])
    return series.only(slice(first, last))


def _chart_data(history: FunnelHistory, hours: FunnelSeries, fired: Mask, options: FunnelOptions) -> ChartData:
    """Return the conversion rate of each row and the normal range at its hour, which is unknown on the first day."""
    known = {
        start: _normal_range(hours, start, options)
        for start in np.unique(np.floor(history.times / HOUR_SECONDS) * HOUR_SECONDS).tolist()
        if start - history.times[0] >= _DAY
    }
    unknown = (np.nan, np.nan)
    ranges = np.array([known.get(float(np.floor(at / HOUR_SECONDS) * HOUR_SECONDS), unknown) for at in history.times])
    share = np.divide(history.conversions, history.entries, out=np.zeros(len(fired)), where=history.entries > 0)
    return ChartData(history.times, share, ranges[:, 0], ranges[:, 1], fired)


def _normal_range(hours: FunnelSeries, at: float, options: FunnelOptions) -> tuple[float, float]:
    since = baseline_since(at, options.baseline_window_hours)
    normal = normal_conversion([hours], 1.0, since=since, until=at, at=at, timezone=options.timezone)
    return float(normal.low[0]), float(normal.high[0])
