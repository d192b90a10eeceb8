"""The current state of custom metrics (usual, unusual or insufficient data) and tests of their recovery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from detection.metrics.findings import (
    MetricLimit,
    MetricOptions,
    is_away,
    is_fresh,
    key_of,
    limit_forecast,
    usual_levels,
)
from detection.metrics.habits import is_habit
from detection.recovery import Recovery, RecoveryState, insufficient_data, regained_share
from detection.types import Finding, Floats, MetricDetails, MetricSeries

_ROOM = 3.0
"""A limit is out of reach when it is farther away than this many times the range of the past values."""


class MetricState(StrEnum):
    """Whether a metric is at its usual level."""

    OK = "ok"
    UNUSUAL = "unusual"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, slots=True)
class MetricStanding:
    """The current state of a series. latest: the newest bucket's mean, at `latest_at`.

    expected: the level usual at this hour of the week. low and high: the bounds outside which a bucket strikes. All
    three are None for insufficient data.
    """

    state: MetricState
    latest: float | None
    latest_at: float | None
    expected: float | None
    low: float | None
    high: float | None


def metric_standings(
    series: Sequence[MetricSeries], baseline: Sequence[MetricSeries], *, now: float, options: MetricOptions
) -> dict[tuple[str, str, str], MetricStanding]:
    """Return the state of every series that has a bucket, by (service, name, attributes).

    The criteria are those of `metric_findings`.
    """
    fine, past = {key_of(one): one for one in series}, {key_of(one): one for one in baseline}
    known = [key for key in fine if key in past and is_fresh(fine[key], now, options)]
    usual = dict(zip(known, usual_levels([(fine[key], past[key]) for key in known], now, options), strict=True))
    found: dict[tuple[str, str, str], MetricStanding] = {}
    for key in dict.fromkeys((*fine, *past)):
        newest = fine.get(key) or past[key]
        latest, latest_at = float(newest.means[-1]), float(newest.bucket_starts[-1])
        level = usual.get(key)
        if level is None or level.hours < options.minimum_baseline_hours:
            found[key] = MetricStanding(MetricState.INSUFFICIENT_DATA, latest, latest_at, None, None, None)
            continue
        run = fine[key].means[-options.consecutive_strikes :]
        away = is_away(fine[key], level, options) and not is_habit(run, level.level, past[key], now=now)
        reach = level.reach(options)
        state = MetricState.UNUSUAL if away else MetricState.OK
        found[key] = MetricStanding(state, latest, latest_at, level.level, level.level - reach, level.level + reach)
    return found


def is_within_reach(
    lowest: Floats,
    highest: Floats,
    newest: Floats,
    threshold: Floats,
    above: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return whether a limit may be reached soon, (series,): a cheap test, so that few series need a forecast.

    All arguments are (series,). lowest and highest: the range of the metric over a past about as long as the horizon.
    """
    room = np.where(above, threshold - newest, newest - threshold)
    return np.asarray(room <= _ROOM * (highest - lowest))


def level_recovery(
    finding: Finding,
    series: Sequence[MetricSeries],
    baseline: Sequence[MetricSeries],
    *,
    since: float,
    now: float,
    options: MetricOptions,
) -> Recovery:
    """Test a metric on the buckets since `since`, when the fix went live.

    series: fine buckets from before the onset to now; baseline: hourly ones from before the onset. The usual level is
    the one for the current hour; without enough baseline it is the finding's expected level. Recovered when none of
    the newest `consecutive_strikes` buckets strikes; still broken when all of them strike; otherwise, or with fewer
    buckets, insufficient data.
    """
    fine, past = _own(finding, series), _own(finding, baseline)
    if fine is None:
        return insufficient_data(finding)
    run = fine.means[fine.bucket_starts >= since][-options.consecutive_strikes :]
    after = float(run.mean()) if len(run) else None
    expected, reach = finding.expected, max(finding.expected_high - finding.expected, 0.0) / 1.96
    reach *= options.anomaly_threshold
    if past is not None:
        [usual] = usual_levels([(fine, past)], now, options)
        if usual.hours >= options.minimum_baseline_hours:
            expected, reach = usual.level, usual.reach(options)
    state = RecoveryState.INSUFFICIENT_DATA
    if len(run) == options.consecutive_strikes:
        beyond = np.abs(run - expected) >= reach
        if not beyond.any():
            state = RecoveryState.RECOVERED
        elif beyond.all():
            state = RecoveryState.STILL_BROKEN
    return _recovery(finding, state, after, len(run), expected, reach)


def limit_recovery(
    finding: Finding,
    series: Sequence[MetricSeries],
    limit: MetricLimit,
    *,
    since: float,
    options: MetricOptions,
    random: np.random.Generator,
) -> Recovery:
    """Forecast again from the buckets since `since`: recovered when the limit is no longer likely to be reached."""
    fine = _own(finding, series)
    if fine is None:
        return insufficient_data(finding)
    later = fine.bucket_starts >= since
    kept = MetricSeries(fine.name, fine.service, fine.bucket_starts[later], fine.means[later], fine.counts[later])
    forecast = limit_forecast(kept, limit, options=options, random=random)
    after = float(kept.means[-1]) if len(kept.means) else None
    state = RecoveryState.INSUFFICIENT_DATA
    if forecast is not None:
        likely = forecast.probability >= options.minimum_probability
        state = RecoveryState.STILL_BROKEN if likely else RecoveryState.RECOVERED
    return _recovery(finding, state, after, len(kept.means))


def _own(finding: Finding, series: Sequence[MetricSeries]) -> MetricSeries | None:
    details = finding.details
    if not isinstance(details, MetricDetails):
        return None
    wanted = (finding.subject.service, details.metric, details.attributes)
    return next((one for one in series if key_of(one) == wanted and len(one.means)), None)


def _recovery(
    finding: Finding,
    state: RecoveryState,
    after: float | None,
    buckets: int,
    expected: float | None = None,
    reach: float | None = None,
) -> Recovery:
    before = finding.expected if expected is None else expected
    regained = regained_share(before, finding.observed, after)
    return Recovery(
        state=state,
        metric=finding.metric,
        before=before,
        during=finding.observed,
        after=after,
        recovered_share=1.0 if state is RecoveryState.RECOVERED else regained,
        sample_size=buckets,
        normal_low=finding.expected_low if reach is None else before - reach,
        normal_high=finding.expected_high if reach is None else before + reach,
    )
