"""Findings about endpoints whose traffic suddenly fell or surged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detection.endpoints.coverage import strike_window_seconds
from detection.endpoints.intervals import gathered_intervals
from detection.endpoints.normal import settled_hours
from detection.endpoints.screening import hours_in_brief
from detection.endpoints.strike_run import rolling_sums, split_at_run, subject_of
from detection.endpoints.traffic import (
    TrafficRange,
    could_be_abnormal,
    has_fallen,
    has_surged,
    merged_counts,
    traffic_range,
    widths,
)
from detection.options import EndpointOptions
from detection.statistics.changepoints import Onset, mean_onset
from detection.statistics.wandering import jump_p_value
from detection.types import EndpointSeries, Finding, Floats, Metric, TimeSpans, TrafficDetails

DETECTOR = "endpoint_traffic"
_MINUTE = 60.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class _RecentTraffic:
    """The requests of the last hour, in intervals wide enough to judge; `expected` is per interval."""

    starts: Floats
    width: float
    counts: Floats
    expected: float
    is_abnormal: Floats

    @property
    def strikes(self) -> int:
        """The length of the current run of abnormal intervals."""
        clear = np.flatnonzero(self.is_abnormal == 0)
        return len(self.is_abnormal) - (int(clear[-1]) + 1 if len(clear) else 0)


def traffic_findings(
    series: Sequence[EndpointSeries],
    baseline: Sequence[EndpointSeries],
    *,
    until: float,
    options: EndpointOptions,
    excluded: Mapping[tuple[str, str], TimeSpans],
) -> list[Finding]:
    """Return a finding for each endpoint whose traffic fell or surged within the last hour.

    series: fine buckets; baseline: coarse ones of the same endpoints in the same order; until: the end of the last
    interval; excluded: by (service, endpoint), the periods in which it was broken. Only a sudden change counts (a jump
    against the fluctuation of that hour), so that a holiday, a ramp or an evening gives no finding. A fall must be the
    first such run in that hour, so that an endpoint called in bursts gives no finding between two bursts. A surge
    counts once it has brought more requests than the highest usual hour, so that a usual burst gives no finding.
    """
    if not series:
        return []
    recent_since = until - options.recent_window_seconds
    past = hours_in_brief(baseline, until, options)
    known = np.stack(
        [settled_hours(past.starts, recent_since, excluded.get((one.service, one.endpoint), ())) for one in series]
    )
    rates = traffic_range(past.requests, known, past.starts, at=until, options=options)
    last = gathered_intervals(
        series,
        since=until - strike_window_seconds(options),
        until=until,
        interval_seconds=options.interval_seconds,
    ).requests
    found: list[Finding] = []
    for row in np.flatnonzero(could_be_abnormal(last, rates, options.interval_seconds, options)).tolist():
        own = rates.row(row)
        finding = _fall(series[row], own, until, options) or _surge(series[row], own, until, options)
        if finding is not None:
            found.append(finding)
    return found


def _fall(one: EndpointSeries, rates: TrafficRange, until: float, options: EndpointOptions) -> Finding | None:
    recent = _recent_traffic(one, float(rates.low[0]), until, options, fell=True)
    if recent is None or recent.strikes < options.consecutive_strikes or _has_earlier_run(recent, options):
        return None
    p_value = _jump_p_value(recent, options, sign=-1.0)
    return _finding(one, recent, rates, p_value) if p_value <= options.chance else None


def _surge(one: EndpointSeries, rates: TrafficRange, until: float, options: EndpointOptions) -> Finding | None:
    recent = _recent_traffic(one, float(rates.high[0]), until, options, fell=False)
    if recent is None or recent.strikes < options.consecutive_strikes:
        return None
    if recent.counts[-recent.strikes :].sum() < float(rates.high[0]) * _HOUR:
        return None
    p_value = _jump_p_value(recent, options, sign=1.0)
    return _finding(one, recent, rates, p_value) if p_value <= options.chance else None


def _recent_traffic(
    one: EndpointSeries, rate: float, until: float, options: EndpointOptions, *, fell: bool
) -> _RecentTraffic | None:
    """Return the traffic of the last hour; None where too few requests are expected to judge it."""
    expected = np.nan_to_num(rate) * options.interval_seconds
    width = int(widths(np.array([expected]), options)[0])
    if not width:
        return None
    since = until - options.swing_window_seconds
    every = gathered_intervals([one], since=since, until=until, interval_seconds=options.interval_seconds)
    counts = merged_counts(every.requests[0], width)
    is_abnormal = (has_fallen if fell else has_surged)(counts, np.asarray(expected * width), options)
    seconds = options.interval_seconds * width
    starts: Floats = until - np.arange(len(counts), 0, -1, dtype=np.float64) * seconds
    return _RecentTraffic(starts, seconds, counts, expected * width, is_abnormal.astype(np.float64))


def _has_earlier_run(recent: _RecentTraffic, options: EndpointOptions) -> bool:
    """Whether the hour before the run holds another such run; then such runs are usual for the endpoint."""
    earlier = recent.is_abnormal[: len(recent.is_abnormal) - recent.strikes]
    length = options.consecutive_strikes
    return bool(len(earlier) >= length and (rolling_sums(earlier, length) >= length).any())


def _jump_p_value(recent: _RecentTraffic, options: EndpointOptions, *, sign: float) -> float:
    length = options.consecutive_strikes
    levels = sign * np.log(rolling_sums(recent.counts, length) + 0.5)
    before, during = split_at_run(levels, recent.is_abnormal > 0, length)
    return jump_p_value(before, float(during[0]), length)


def _finding(one: EndpointSeries, recent: _RecentTraffic, rates: TrafficRange, p_value: float) -> Finding:
    per_minute = _MINUTE / recent.width
    run = recent.counts[-recent.strikes :]
    before = recent.counts[: -recent.strikes]
    began = _onset(recent, float(run.mean()))
    score = (float(run.sum()) - recent.expected * len(run)) / np.sqrt(recent.expected * len(run))
    return Finding(
        detector=DETECTOR,
        metric=Metric.REQUEST_RATE,
        subject=subject_of(one),
        observed=float(run.mean()) * per_minute,
        expected=float(rates.usual[0]) * _MINUTE,
        expected_low=float(rates.low[0]) * _MINUTE,
        expected_high=float(rates.high[0]) * _MINUTE,
        sample_size=int(run.sum()),
        score=abs(float(score)),
        p_value=p_value,
        window_start=float(recent.starts[-recent.strikes]),
        window_end=float(recent.starts[-1]) + recent.width,
        onset_at=began.at,
        details=TrafficDetails(
            onset_low=began.low,
            onset_high=began.high,
            bucket_seconds=recent.width,
            strikes=recent.strikes,
            request_count=int(run.sum()),
            minutes_before_per_minute=float(before[-len(run) * 3 :].mean()) * per_minute if len(before) else None,
        ),
    )


def _onset(recent: _RecentTraffic, broken: float) -> Onset:
    """Estimate when the traffic changed, against the level earlier in the hour, which is sharper than last week's."""
    before = recent.counts[: -recent.strikes]
    normal = float(np.median(before)) if len(before) else recent.expected
    deviation = float(np.sqrt(max(normal, float(before.var()) if len(before) else normal, 1.0)))
    return mean_onset(
        recent.starts, recent.counts, np.ones(len(recent.counts)), normal=normal, broken=broken, deviation=deviation
    )
