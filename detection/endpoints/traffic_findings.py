"""Endpoints that are suddenly called no more, or far more than ever at this hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detection.endpoints.coverage import strike_window_seconds
from detection.endpoints.intervals import gathered_intervals
from detection.endpoints.normal import settled_hours
from detection.endpoints.screening import hours_in_brief
from detection.endpoints.strike_run import around_the_run, subject_of, together
from detection.endpoints.traffic import (
    TrafficRange,
    could_be_off,
    has_fallen,
    has_surged,
    joined,
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
class _Course:
    """How many requests came in the last hour, in intervals wide enough to judge; `expected` is an interval's."""

    starts: Floats
    width: float
    counts: Floats
    expected: float
    is_off: Floats

    @property
    def strikes(self) -> int:
        """How many of the last intervals are off in a row."""
        clear = np.flatnonzero(self.is_off == 0)
        return len(self.is_off) - (int(clear[-1]) + 1 if len(clear) else 0)


def traffic_findings(
    series: Sequence[EndpointSeries],
    baseline: Sequence[EndpointSeries],
    *,
    until: float,
    options: EndpointOptions,
    excluded: Mapping[tuple[str, str], TimeSpans],
) -> list[Finding]:
    """A finding for each endpoint whose traffic fell away, or surged, within the last hour.

    series: fine buckets; baseline: coarse ones of the same endpoints in the same order; until: the end of the last
    interval; excluded: when which endpoint was broken. Only what changed suddenly counts (a jump against the hour's own
    wandering), so that a holiday, a ramp and an evening are none; and a fall must be without example in that hour, so
    that an endpoint called in bursts is not missed between them. A surge counts once it has brought more requests than
    a whole usual hour, so that a burst which the usual hour holds is none.
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
    for row in np.flatnonzero(could_be_off(last, rates, options.interval_seconds, options)).tolist():
        own = rates.row(row)
        finding = _fall(series[row], own, until, options) or _surge(series[row], own, until, options)
        if finding is not None:
            found.append(finding)
    return found


def _fall(one: EndpointSeries, rates: TrafficRange, until: float, options: EndpointOptions) -> Finding | None:
    course = _course(one, float(rates.low[0]), until, options, fell=True)
    if course is None or course.strikes < options.consecutive_strikes or _happened_before(course, options):
        return None
    p_value = _chance_of_a_jump(course, options, sign=-1.0)
    return _finding(one, course, rates, p_value) if p_value <= options.chance else None


def _surge(one: EndpointSeries, rates: TrafficRange, until: float, options: EndpointOptions) -> Finding | None:
    course = _course(one, float(rates.high[0]), until, options, fell=False)
    if course is None or course.strikes < options.consecutive_strikes:
        return None
    if course.counts[-course.strikes :].sum() < float(rates.high[0]) * _HOUR:
        return None
    p_value = _chance_of_a_jump(course, options, sign=1.0)
    return _finding(one, course, rates, p_value) if p_value <= options.chance else None


def _course(one: EndpointSeries, rate: float, until: float, options: EndpointOptions, *, fell: bool) -> _Course | None:
    """None where too little is expected to judge."""
    expected = np.nan_to_num(rate) * options.interval_seconds
    width = int(widths(np.array([expected]), options)[0])
    if not width:
        return None
    since = until - options.swing_window_seconds
    every = gathered_intervals([one], since=since, until=until, interval_seconds=options.interval_seconds)
    counts = joined(every.requests[0], width)
    is_off = (has_fallen if fell else has_surged)(counts, np.asarray(expected * width), options)
    seconds = options.interval_seconds * width
    starts: Floats = until - np.arange(len(counts), 0, -1, dtype=np.float64) * seconds
    return _Course(starts, seconds, counts, expected * width, is_off.astype(np.float64))


def _happened_before(course: _Course, options: EndpointOptions) -> bool:
    """Whether the hour before the run has another such run: then this is how the endpoint is called."""
    earlier = course.is_off[: len(course.is_off) - course.strikes]
    length = options.consecutive_strikes
    return bool(len(earlier) >= length and (together(earlier, length) >= length).any())


def _chance_of_a_jump(course: _Course, options: EndpointOptions, *, sign: float) -> float:
    length = options.consecutive_strikes
    levels = sign * np.log(together(course.counts, length) + 0.5)
    before, during = around_the_run(levels, course.is_off > 0, length)
    return jump_p_value(before, float(during[0]), length)


def _finding(one: EndpointSeries, course: _Course, rates: TrafficRange, p_value: float) -> Finding:
    per_minute = _MINUTE / course.width
    run = course.counts[-course.strikes :]
    before = course.counts[: -course.strikes]
    began = _onset(course, float(run.mean()))
    score = (float(run.sum()) - course.expected * len(run)) / np.sqrt(course.expected * len(run))
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
        window_start=float(course.starts[-course.strikes]),
        window_end=float(course.starts[-1]) + course.width,
        onset_at=began.at,
        details=TrafficDetails(
            onset_low=began.low,
            onset_high=began.high,
            bucket_seconds=course.width,
            strikes=course.strikes,
            request_count=int(run.sum()),
            minutes_before_per_minute=float(before[-len(run) * 3 :].mean()) * per_minute if len(before) else None,
        ),
    )


def _onset(course: _Course, broken: float) -> Onset:
    """The level before is the hour's own, which the change is seen against more sharply than against last week's."""
    before = course.counts[: -course.strikes]
    normal = float(np.median(before)) if len(before) else course.expected
    deviation = float(np.sqrt(max(normal, float(before.var()) if len(before) else normal, 1.0)))
    return mean_onset(
        course.starts, course.counts, np.ones(len(course.counts)), normal=normal, broken=broken, deviation=deviation
    )
