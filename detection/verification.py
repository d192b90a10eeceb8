"""Did it get better: the finding's own metric, tested again on what came since, the same test reversed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum

import numpy as np

from detection.endpoints.error_strikes import failure_strikes, is_failing
from detection.endpoints.intervals import Intervals, gathered_intervals, quantile
from detection.endpoints.normal import NormalEndpoint, normal_endpoint, settled_hours
from detection.endpoints.screening import hours_in_brief
from detection.endpoints.slow_strikes import is_heavier, is_slower, latency_strikes, query_strikes
from detection.endpoints.traffic import has_fallen, has_surged, traffic_range, widths
from detection.funnels.cohorts import FINE_SECONDS, totals
from detection.funnels.normal import baseline_since, is_usable, normal_conversion
from detection.options import EndpointOptions, FunnelOptions
from detection.silence import is_heard
from detection.statistics.baselines import Mask
from detection.statistics.proportions import beta_binomial_mid_p
from detection.types import EndpointSeries, Finding, FunnelSeries, Metric, TimeSpans

_FEWEST_ENTRIES = 60
_FEWEST_INTERVALS = 3
_FEWEST_REQUESTS = 20
_SIGNIFICANCE = 0.01
_CHANCE_OF_NO_CHANGE = 0.05
_MINUTE = 60.0


class RecoveryState(StrEnum):
    """What can be said by now."""

    RECOVERED = "recovered"
    STILL_BROKEN = "still_broken"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, slots=True)
class Recovery:
    """The metric before the incident (as expected at this hour), during it and after the fix, in its own unit.

    after is None when nothing was seen yet. recovered_share is how much of the lost ground was regained, 0 to 1.
    sample_size counts the entries or requests behind `after`. normal_low and normal_high bound the expectation.
    """

    state: RecoveryState
    metric: Metric
    before: float
    during: float
    after: float | None
    recovered_share: float
    sample_size: int
    normal_low: float
    normal_high: float


def recovery(
    finding: Finding,
    series: Sequence[FunnelSeries] | Sequence[EndpointSeries],
    baseline: Sequence[FunnelSeries] | Sequence[EndpointSeries],
    *,
    since: float,
    now: float,
    options: FunnelOptions | EndpointOptions,
    excluded: TimeSpans = (),
) -> Recovery:
    """Test the finding's metric on what began at or after `since`: the moment the fix was live, or the last bad sight.

    series: fine buckets from the onset to now (hourly ones for a drift, as its details say); baseline: coarse buckets;
    the finding's own are picked out of both. The state is recovered when the metric is back within the size of change
    that the detector would let pass and, for a conversion, not significantly away in the finding's direction;
    still_broken when it is away by more than chance; insufficient_data between the two, while there is too little to
    say, and where nothing comes any more. excluded: earlier times in which an endpoint was broken, which are no
    baseline. Raises TypeError for options of the other detector.
    """
    subject = finding.subject
    if finding.metric is Metric.CONVERSION_RATE:
        if not isinstance(options, FunnelOptions):
            raise TypeError("a conversion rate is verified with FunnelOptions")
        wanted = (subject.funnel_id, subject.dimension, subject.value)
        fine, past = _funnel(series, wanted), _funnel(baseline, wanted)
        return _unknown(finding) if not fine or not past else _conversion(finding, fine, past, since, now, options)
    if not isinstance(options, EndpointOptions):
        raise TypeError("an endpoint is verified with EndpointOptions")
    called, called_before = _endpoint(series, finding), _endpoint(baseline, finding)
    if called_before is not None and finding.metric is Metric.REQUEST_RATE:
        return _traffic(finding, called, called_before, since, now, options, excluded)
    if not called or not called_before:
        return _unknown(finding)
    return _requests(finding, called, called_before, since, now, options, excluded)


def _conversion(
    finding: Finding, fine: FunnelSeries, past: FunnelSeries, since: float, now: float, options: FunnelOptions
) -> Recovery:
    recorded = finding.details.get("horizon_seconds")
    horizon_seconds = float(recorded) if isinstance(recorded, int | float) else 0.0
    width = _bucket_seconds(finding)
    first = np.ceil(since / width) * width
    ripe_until = now - horizon_seconds - options.ingestion_lag_seconds - width
    entries, converted, _ = totals(fine, horizon_seconds, since=float(first), until=ripe_until)
    started, ended = baseline_since(finding.onset_at, options.baseline_window_hours), finding.onset_at
    if not is_usable(past, since=started, until=ended, minimum_entries=options.min_sample_size):
        return _unknown(finding)
    normal = normal_conversion(
        [past], horizon_seconds, since=started, until=ended, at=(first + ripe_until) / 2, timezone=options.timezone
    )
    before, after = float(normal.rate[0]), converted / entries if entries else None
    state = RecoveryState.INSUFFICIENT_DATA
    if entries >= max(options.min_sample_size / 2, _FEWEST_ENTRIES):
        chance = _chance_of_so_far_away(finding, converted, entries, before, float(normal.strength[0]))
        if chance < _SIGNIFICANCE:
            state = RecoveryState.STILL_BROKEN
        elif (
            not _is_away(finding, converted / entries, before, options)
            and (width == FINE_SECONDS or _is_told_apart(finding, converted, entries, float(normal.strength[0])))
            and is_heard(fine.bucket_starts, fine.entries, since=since, now=now, bucket_seconds=width)
        ):
            state = RecoveryState.RECOVERED
    during = _conversion_during(finding, fine, horizon_seconds, since)
    return Recovery(
        state=state,
        metric=finding.metric,
        before=before,
        during=during,
        after=after,
        recovered_share=_regained(before, during, after),
        sample_size=entries,
        normal_low=float(normal.low[0]),
        normal_high=float(normal.high[0]),
    )


def _bucket_seconds(finding: Finding) -> float:
    """A drift shows over hours, and is tested over hours; anything else on fine buckets."""
    recorded = finding.details.get("bucket_seconds")
    return float(recorded) if isinstance(recorded, int | float) else FINE_SECONDS


def _chance_of_so_far_away(finding: Finding, converted: int, entries: int, usual: float, strength: float) -> float:
    """How likely so few would convert, or after a rise so many, were the usual rate back."""
    fewer = float(beta_binomial_mid_p(converted, entries, usual, strength))
    return fewer if finding.observed < finding.expected else 1 - fewer


def _is_away(finding: Finding, rate: float, usual: float, options: FunnelOptions) -> bool:
    """Whether it is off by what the detector asks of a drop, or of a rise; a drift may have been less than that."""
    if finding.observed < finding.expected:
        return rate <= usual * (1 - options.min_drop_percent / 100)
    return rate >= usual * (1 + options.min_drop_percent / 100)


def _is_told_apart(finding: Finding, converted: int, entries: int, strength: float) -> bool:
    """Whether it has come away from the rate that it had drifted to: a tenth is soon mistaken for chance."""
    fewer = float(beta_binomial_mid_p(converted, entries, finding.observed, strength))
    return (1 - fewer if finding.observed < finding.expected else fewer) <= _CHANCE_OF_NO_CHANGE


def _conversion_during(finding: Finding, fine: FunnelSeries, horizon_seconds: float, since: float) -> float:
    """Take all of the incident but its last entries, which the fix may have saved; the finding saw only its start."""
    entries, converted, _ = totals(fine, horizon_seconds, since=finding.onset_at, until=since - horizon_seconds)
    return converted / entries if entries >= _FEWEST_ENTRIES else finding.observed


def _requests(
    finding: Finding,
    fine: EndpointSeries,
    coarse: EndpointSeries,
    since: float,
    now: float,
    options: EndpointOptions,
    excluded: TimeSpans,
) -> Recovery:
    normal = normal_endpoint(coarse, fine, recent_since=finding.onset_at, at=now, options=options, excluded=excluded)
    if normal is None:
        return _unknown(finding)
    latest, interval_count = _latest(_since_the_fix(fine, since, now, options))
    requests = int(latest.requests[0, 0])
    measured = _MEASURES[finding.metric]
    state = RecoveryState.INSUFFICIENT_DATA
    if interval_count >= _FEWEST_INTERVALS and requests >= _FEWEST_REQUESTS:
        if measured.strikes(latest, [normal], options)[0, 0]:
            state = RecoveryState.STILL_BROKEN
        elif not measured.is_worse(latest, [normal], options)[0, 0] and is_heard(
            fine.bucket_starts, fine.request_count, since=since, now=now, bucket_seconds=FINE_SECONDS
        ):
            state = RecoveryState.RECOVERED
    before, low, high = measured.usual(normal)
    after = measured.value(latest) if requests else None
    return Recovery(
        state=state,
        metric=finding.metric,
        before=before,
        during=finding.observed,
        after=after,
        recovered_share=_regained(before, finding.observed, after),
        sample_size=requests,
        normal_low=low,
        normal_high=high,
    )


@dataclass(frozen=True, slots=True)
class _Measure:
    """How one metric of single requests is measured and judged."""

    value: Callable[[Intervals], float]
    usual: Callable[[NormalEndpoint], tuple[float, float, float]]
    is_worse: Callable[[Intervals, Sequence[NormalEndpoint], EndpointOptions], Mask]
    strikes: Callable[[Intervals, Sequence[NormalEndpoint], EndpointOptions], Mask]


_MEASURES = {
    Metric.LATENCY_P95: _Measure(
        lambda latest: float(quantile(latest.durations[0, 0], 0.95)),
        NormalEndpoint.latency_range,
        is_slower,
        latency_strikes,
    ),
    Metric.QUERY_COUNT: _Measure(
        lambda latest: float(latest.queries[0, 0] / latest.requests[0, 0]),
        NormalEndpoint.query_range,
        is_heavier,
        query_strikes,
    ),
    Metric.ERROR_RATE: _Measure(
        lambda latest: float(latest.errors[0, 0] / latest.requests[0, 0]),
        NormalEndpoint.error_range,
        is_failing,
        failure_strikes,
    ),
}


def _since_the_fix(fine: EndpointSeries, since: float, now: float, options: EndpointOptions) -> Intervals:
    until = now - options.ingestion_lag_seconds
    return gathered_intervals([fine], since=since, until=until, interval_seconds=options.interval_seconds)


def _traffic(
    finding: Finding,
    fine: EndpointSeries | None,
    coarse: EndpointSeries,
    since: float,
    now: float,
    options: EndpointOptions,
    excluded: TimeSpans,
) -> Recovery:
    """Whether as many requests come as are to be expected now; an endpoint that is not called at all has none.

    After a surge silence is no recovery, nor is a surge after silence.
    """
    past = hours_in_brief([coarse], now, options)
    known = settled_hours(past.starts, finding.onset_at, excluded)[None]
    rates = traffic_range(past.requests, known, past.starts, at=now, options=options)
    usual, low, high = (
        float(now_usual[0]) * _MINUTE if np.isfinite(now_usual[0]) else at_onset
        for now_usual, at_onset in (
            (rates.usual, finding.expected),
            (rates.low, finding.expected_low),
            (rates.high, finding.expected_high),
        )
    )
    fell = finding.observed < finding.expected
    counts = _since_the_fix(fine if fine is not None else _never_called(coarse), since, now, options).requests[0]
    expected = (low if fell else high) * options.interval_seconds / _MINUTE
    width = int(widths(np.array([expected]), options)[0])
    taken = counts[-_FEWEST_INTERVALS * width :] if width else counts[:0]
    state, after = RecoveryState.INSUFFICIENT_DATA, None
    if len(taken) and len(taken) == _FEWEST_INTERVALS * width:
        after = float(taken.mean()) * _MINUTE / options.interval_seconds
        least, most = (rate * options.interval_seconds / _MINUTE * len(taken) for rate in (low, high))
        count = taken.sum()
        is_off = has_fallen(count, np.asarray(least), options) or has_surged(count, np.asarray(most), options)
        state = RecoveryState.STILL_BROKEN if is_off else RecoveryState.RECOVERED
    return Recovery(
        state=state,
        metric=finding.metric,
        before=usual,
        during=finding.observed,
        after=after,
        recovered_share=_regained(usual, finding.observed, after),
        sample_size=int(taken.sum()),
        normal_low=low,
        normal_high=high,
    )


def _never_called(series: EndpointSeries) -> EndpointSeries:
    """The same endpoint without a single bucket."""
    names = (field.name for field in fields(series) if field.name not in ("service", "endpoint"))
    return replace(series, **{name: getattr(series, name)[:0] for name in names})


def _latest(intervals: Intervals) -> tuple[Intervals, int]:
    """Add up the fewest last intervals that say enough, so that a slow start after the fix does not count for ever."""
    called = np.flatnonzero(intervals.requests[0])
    running = np.cumsum(intervals.requests[0, called][::-1])
    needed = max(int(np.searchsorted(running, _FEWEST_REQUESTS)) + 1, _FEWEST_INTERVALS)
    taken = called[-needed:]
    return intervals.pooled(taken), len(taken)


def _regained(before: float, during: float, after: float | None) -> float:
    if after is None or before == during:
        return 0.0
    return float(np.clip((after - during) / (before - during), 0.0, 1.0))


def _unknown(finding: Finding) -> Recovery:
    return Recovery(
        state=RecoveryState.INSUFFICIENT_DATA,
        metric=finding.metric,
        before=finding.expected,
        during=finding.observed,
        after=None,
        recovered_share=0.0,
        sample_size=0,
        normal_low=finding.expected_low,
        normal_high=finding.expected_high,
    )


def _funnel(
    series: Sequence[FunnelSeries] | Sequence[EndpointSeries], wanted: tuple[int | None, str | None, str | None]
) -> FunnelSeries | None:
    for one in series:
        if isinstance(one, FunnelSeries) and (one.funnel_id, one.dimension, one.value) == wanted:
            return one
    return None


def _endpoint(series: Sequence[FunnelSeries] | Sequence[EndpointSeries], finding: Finding) -> EndpointSeries | None:
    wanted = (finding.subject.service, finding.subject.endpoint)
    for one in series:
        if isinstance(one, EndpointSeries) and (one.service, one.endpoint) == wanted:
            return one
    return None
