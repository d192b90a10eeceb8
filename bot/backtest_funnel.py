"""What the funnel detector would have said about a funnel's own past, row by row as it came."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bot.backtest_csv import CsvError, FunnelHistory
from detection.baselines import HOUR_SECONDS
from detection.cohorts import FINE_SECONDS
from detection.detectors import FunnelOptions, funnel_findings, funnel_rises
from detection.funnel_baselines import normal_conversion
from detection.streams import StreamScores
from detection.types import DELAY_EDGES_SECONDS, Finding, Floats, FunnelDefinition, FunnelSeries, FunnelStep

_FUNNEL = FunnelDefinition(0, "funnel", (FunnelStep("entries", ""), FunnelStep("conversions", "")), 0.0, 7)
_DAY = 24 * HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class FunnelReplay:
    """The findings that begin an alarm, and the conversion of each row for the chart.

    What is found again within two recent windows is the same alarm.
    """

    alarms: tuple[Finding, ...]
    scores: StreamScores


def replay(history: FunnelHistory) -> FunnelReplay:
    """Ask the detector after every row, as if the rows had come one by one and each conversion with its entry.

    Raises CsvError when rows are more than an hour apart: the hour of the day says what is normal.
    """
    width = _width(history.times)
    options = FunnelOptions(ingestion_lag_seconds=0.0)
    options = replace(options, recent_window_minutes=max(options.recent_window_minutes, width / 60))
    fine, hours = _series(history, FINE_SECONDS), _series(history, HOUR_SECONDS)
    alarms: list[Finding] = []
    fired = np.zeros(len(history.times), dtype=bool)
    last_seen: dict[str, float] = {}
    for row, time in enumerate(history.times.tolist()):
        row_ends = float(np.floor((time + width) / FINE_SECONDS) * FINE_SECONDS)
        for one in _found(fine, hours, row_ends, options):
            if row_ends - last_seen.get(one.fingerprint, -np.inf) > 2 * options.recent_window_seconds:
                alarms.append(replace(one, onset_at=_row_at(history.times, one.onset_at)))
                fired[row] = True
            last_seen[one.fingerprint] = row_ends
    return FunnelReplay(tuple(alarms), _scores(history, hours, fired, options))


def _found(fine: FunnelSeries, hours: FunnelSeries, now: float, options: FunnelOptions) -> list[Finding]:
    since = now - options.recent_window_seconds - _DAY
    recent = [_part(fine, since, now)]
    past = [_part(hours, now - options.baseline_window_hours * HOUR_SECONDS, now)]
    return [
        finding
        for detect in (funnel_findings, funnel_rises)
        for finding in detect(recent, past, _FUNNEL, now=now, options=options)
    ]


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
    return replace(
        series,
        bucket_starts=series.bucket_starts[first:last],
        entries=series.entries[first:last],
        reached=series.reached[first:last],
        converted_by_delay=series.converted_by_delay[first:last],
    )


def _scores(
    history: FunnelHistory,
    hours: FunnelSeries,
    fired: np.ndarray[tuple[int], np.dtype[np.bool_]],
    options: FunnelOptions,
) -> StreamScores:
    """The conversion of each row beside what is normal at its hour, unknown on the first day."""
    known = {
        start: _normal(hours, start, options)
        for start in np.unique(np.floor(history.times / HOUR_SECONDS) * HOUR_SECONDS).tolist()
        if start - history.times[0] >= _DAY
    }
    unknown = (np.nan, np.nan, np.nan)
    ranges = np.array([known.get(float(np.floor(at / HOUR_SECONDS) * HOUR_SECONDS), unknown) for at in history.times])
    share = np.divide(history.conversions, history.entries, out=np.zeros(len(fired)), where=history.entries > 0)
    return StreamScores(history.times, share, fired.astype(np.float64), *ranges.T)


def _normal(hours: FunnelSeries, at: float, options: FunnelOptions) -> tuple[float, float, float]:
    since = at - options.baseline_window_hours * HOUR_SECONDS
    normal = normal_conversion([hours], 1.0, since=since, until=at, at=at, timezone=options.timezone)
    return float(normal.rate[0]), float(normal.low[0]), float(normal.high[0])
