"""Whether a conversion rate has recovered: the detector's test, reversed, on the entries since the fix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.funnels.cohorts import FINE_SECONDS, totals
from detection.funnels.normal import baseline_since, is_usable, normal_conversion
from detection.options import FunnelOptions
from detection.recovery import Recovery, RecoveryState, insufficient_data, regained_share
from detection.silence import is_heard
from detection.statistics.proportions import beta_binomial_mid_p
from detection.types import Finding, FunnelDetails, FunnelSeries

_FEWEST_ENTRIES = 60
_SIGNIFICANCE = 0.01
_CHANCE_OF_NO_CHANGE = 0.05


def funnel_recovery(
    finding: Finding,
    series: Sequence[FunnelSeries],
    baseline: Sequence[FunnelSeries],
    *,
    since: float,
    now: float,
    options: FunnelOptions,
) -> Recovery:
    """Test the conversion rate of the entries at or after `since`: when the fix went live, or it was last seen broken.

    series: fine buckets from the onset to now; hourly ones for a drift, which only shows over hours. baseline: hourly
    buckets from before the onset. The finding's own funnel and segment are picked out of both.

    The state is recovered when the rate is back within the change that the detector lets pass, is not significantly
    off in the finding's direction (after a drift it must also differ from the rate it had drifted to), and entries
    still come. It is still_broken when the rate is significantly off. It is insufficient_data between the two, while
    there are too few entries, and when entries have stopped.
    """
    wanted = (finding.subject.funnel_id, finding.subject.dimension, finding.subject.value)
    fine, past = _own(wanted, series), _own(wanted, baseline)
    return _recovery(finding, fine, past, since, now, options) if fine and past else insufficient_data(finding)


def _own(wanted: tuple[int | None, str | None, str | None], series: Sequence[FunnelSeries]) -> FunnelSeries | None:
    return next((one for one in series if (one.funnel_id, one.dimension, one.value) == wanted), None)


def _recovery(
    finding: Finding, fine: FunnelSeries, past: FunnelSeries, since: float, now: float, options: FunnelOptions
) -> Recovery:
    details = finding.details
    horizon_seconds = details.horizon_seconds if isinstance(details, FunnelDetails) else 0.0
    width = details.bucket_seconds if isinstance(details, FunnelDetails) else FINE_SECONDS
    first = np.ceil(since / width) * width
    ripe_until = now - horizon_seconds - options.ingestion_lag_seconds - width
    entries, converted, _ = totals(fine, horizon_seconds, since=float(first), until=ripe_until)
    started, ended = baseline_since(finding.onset_at, options.baseline_window_hours), finding.onset_at
    if not is_usable(past, since=started, until=ended, minimum_entries=options.min_sample_size):
        return insufficient_data(finding)
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
            and (
                width == FINE_SECONDS
                or _differs_from_drifted_rate(finding, converted, entries, float(normal.strength[0]))
            )
            and is_heard(fine.bucket_starts, fine.entries, since=since, now=now, bucket_seconds=width)
        ):
            state = RecoveryState.RECOVERED
    during = _rate_during(finding, fine, horizon_seconds, since)
    return Recovery(
        state=state,
        metric=finding.metric,
        before=before,
        during=during,
        after=after,
        recovered_share=regained_share(before, during, after),
        sample_size=entries,
        normal_low=float(normal.low[0]),
        normal_high=float(normal.high[0]),
    )


def _chance_of_so_far_away(finding: Finding, converted: int, entries: int, usual: float, strength: float) -> float:
    """Return the p-value of so few conversions (after a rise: so many) if the usual rate were back."""
    fewer = float(beta_binomial_mid_p(converted, entries, usual, strength))
    return fewer if finding.observed < finding.expected else 1 - fewer


def _is_away(finding: Finding, rate: float, usual: float, options: FunnelOptions) -> bool:
    """Whether the rate is off by the detector's minimum for a drop or a rise; a drift may have been smaller."""
    if finding.observed < finding.expected:
        return rate <= usual * (1 - options.min_drop_percent / 100)
    return rate >= usual * (1 + options.min_drop_percent / 100)


def _differs_from_drifted_rate(finding: Finding, converted: int, entries: int, strength: float) -> bool:
    """Whether the rate differs significantly from the one it had drifted to; a change of a tenth may be chance."""
    fewer = float(beta_binomial_mid_p(converted, entries, finding.observed, strength))
    return (1 - fewer if finding.observed < finding.expected else fewer) <= _CHANCE_OF_NO_CHANGE


def _rate_during(finding: Finding, fine: FunnelSeries, horizon_seconds: float, since: float) -> float:
    """Return the rate during the incident, without its last entries, whose conversions the fix may have saved.

    The finding measured only the start of the incident; its rate is used when there are too few entries.
    """
    entries, converted, _ = totals(fine, horizon_seconds, since=finding.onset_at, until=since - horizon_seconds)
    return converted / entries if entries >= _FEWEST_ENTRIES else finding.observed
