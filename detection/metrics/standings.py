"""How a custom metric stands now: at its usual level, away from it, or not known well enough."""

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
"""A limit is out of reach when it is farther than this many times what the metric ever moved in as long a time."""


class MetricState(StrEnum):
    """What can be said of a metric."""

    OK = "ok"
    UNUSUAL = "unusual"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, slots=True)
class MetricStanding:
    """A series now. latest: the newest bucket's mean, at `latest_at`. The rest is None where it is not known.

    low and high hold what is within `anomaly_threshold` of the level expected at this hour of the week.
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
    """By (service, name, attributes), of every series that has a bucket; judged as metric_findings judges."""
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
    """Whether a limit may be reached soon, all (series,): a cheap look, so that few need to be forecast.

    lowest and highest: what the metric was within about as long a past as the horizon is.
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
    """Test a metric on the buckets since `since`, the moment the fix was live, by the level it was found against.

    series: fine buckets from before the onset to now; baseline: hourly ones from before the onset. Recovered when the
    newest `consecutive_strikes` buckets are all back within reach of the level that is usual now; still broken when all
    of them are beyond it; insufficient data between the two, and while there are fewer.
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
    """Forecast anew from the buckets since `since`: recovered when the limit is no longer likely to be reached."""
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
