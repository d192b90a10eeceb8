"""The funnel detectors: conversion of ripe cohorts against the baseline, for the whole funnel and then its segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from detection.funnels.cohorts import FINE_SECONDS, Cohorts, conversion_delay, gathered, gathered_steps, horizon, totals
from detection.funnels.normal import baseline_since, is_usable, normal_conversion, normal_steps
from detection.funnels.scan import Scan, StepTest, StepTests, scan_for_drops, scan_for_rises, significant
from detection.funnels.segment_shares import SegmentContribution, Window, segment_contributions, segment_loss
from detection.options import FunnelOptions
from detection.statistics.baselines import HOUR_SECONDS, RateBaseline
from detection.statistics.changepoints import Onset, share_onset
from detection.statistics.proportions import sigma_score
from detection.types import (
    Finding,
    FunnelDefinition,
    FunnelDropDetails,
    FunnelRiseDetails,
    FunnelSeries,
    Integers,
    Metric,
    StepRates,
    Subject,
)

DETECTOR, RISE_DETECTOR = "funnel_conversion", "funnel_conversion_rise"

_Pair = tuple[FunnelSeries, FunnelSeries]
"""One segment's fine series and its baseline."""

_Read = TypeVar("_Read")
_Segment = tuple[str | None, str | None]
_Scanner = Callable[[Cohorts, RateBaseline, FunnelOptions, StepTests], Scan]

_LATE_SHARE = 0.05
"""The share of users who may reach a step before the last only later than the horizon. The horizon excludes that share
of the conversions, and everyone who converts has reached all steps before."""


@dataclass(frozen=True, slots=True)
class _Times:
    """The periods of one tick: baseline hours from baseline_since, ripe entries from recent_since to ripe_until."""

    horizon_seconds: float
    baseline_hours: float
    recent_since: float
    ripe_until: float

    @property
    def baseline_since(self) -> float:
        """The start of the first baseline hour."""
        return baseline_since(self.middle, self.baseline_hours)

    @property
    def middle(self) -> float:
        """The middle of the recent window: its hour of the week selects the baseline."""
        return (self.recent_since + self.ripe_until) / 2

    def recent(self, gather: Callable[..., _Read], series: Sequence[FunnelSeries]) -> _Read:
        """Return what `gather` reads of the recent window."""
        return gather(
            series, self.horizon_seconds, since=self.recent_since, until=self.ripe_until, bucket_seconds=FINE_SECONDS
        )

    def usual(self, estimate: Callable[..., _Read], series: Sequence[FunnelSeries], options: FunnelOptions) -> _Read:
        """Return what `estimate` makes of the baseline, for the hour of the week of the recent window."""
        return estimate(
            series,
            self.horizon_seconds,
            since=self.baseline_since,
            until=self.recent_since,
            at=self.middle,
            timezone=options.timezone,
        )


@dataclass(frozen=True, slots=True)
class _Change:
    """A series whose conversion changed: the counts of its most significant window, and the baseline."""

    pair: _Pair
    window_since: float
    entries: int
    converted: int
    score: float
    p_value: float
    rate: float
    low: float
    high: float
    hours: int


def funnel_findings(
    series: Sequence[FunnelSeries],
    baseline: Sequence[FunnelSeries],
    funnel: FunnelDefinition,
    *,
    now: float,
    options: FunnelOptions,
) -> list[Finding]:
    """Return findings about drops of one funnel: of the whole funnel or, if that is healthy, of its segments.

    series: fine buckets (10 s) from before now - recent window - funnel window; baseline: coarse buckets (1 h). The
    series of the whole funnel is tested first. Only if it is healthy are the segments tested, with the false discovery
    rate controlled among them (families in a hierarchy; Yekutieli 2008). A series whose baseline spans less than a day,
    or has fewer entries than the minimum sample, has insufficient data and gives no finding.
    """
    before = {(one.dimension, one.value): one for one in baseline}
    if (None, None) not in before:
        return []
    times = _times(before[None, None], funnel, now, options)
    found: list[Finding] = []
    for drop in _hierarchy(series, before, times, options, scan_for_drops):
        began = _onset(drop, times, options)
        where = _where(series, baseline, began, times) if drop.pair[0].dimension is None else []
        found.append(_finding(drop, began, where, funnel, times, FunnelDropDetails))
    return found


def funnel_rises(
    series: Sequence[FunnelSeries],
    baseline: Sequence[FunnelSeries],
    funnel: FunnelDefinition,
    *,
    now: float,
    options: FunnelOptions,
) -> list[Finding]:
    """Return findings about rises of one funnel (a success, or a step counted twice), tested as in `funnel_findings`.

    The rate must have risen by min_drop_percent. The subject is a "funnel_rise", so that a rise never has the
    fingerprint of a drop. drop_percent is negative, and no step or segment is named.
    """
    before = {(one.dimension, one.value): one for one in baseline}
    if (None, None) not in before:
        return []
    times = _times(before[None, None], funnel, now, options)
    rises = _hierarchy(series, before, times, options, _scan_whole_for_rises)
    found = [_finding(rise, _onset(rise, times, options), [], funnel, times, FunnelRiseDetails) for rise in rises]
    return [
        replace(finding, detector=RISE_DETECTOR, subject=replace(finding.subject, kind="funnel_rise"))
        for finding in found
    ]


def _scan_whole_for_rises(cohorts: Cohorts, normal: RateBaseline, options: FunnelOptions, _: StepTests) -> Scan:
    return scan_for_rises(cohorts, normal, options)


def _hierarchy(
    series: Sequence[FunnelSeries],
    before: Mapping[_Segment, FunnelSeries],
    times: _Times,
    options: FunnelOptions,
    scan: _Scanner,
) -> list[_Change]:
    """Test the whole funnel; test the segments only if the whole is healthy."""
    since, until, fewest = times.baseline_since, times.recent_since, options.min_sample_size
    usable = {
        key: past for key, past in before.items() if is_usable(past, since=since, until=until, minimum_entries=fewest)
    }
    pairs = [(one, usable[one.dimension, one.value]) for one in series if (one.dimension, one.value) in usable]
    everyone = [pair for pair in pairs if pair[0].dimension is None]
    segments = [pair for pair in pairs if pair[0].dimension is not None]
    return _changes(everyone, times, options, scan) or _changes(segments, times, options, scan)


def _times(everyone: FunnelSeries, funnel: FunnelDefinition, now: float, options: FunnelOptions) -> _Times:
    """Return the periods for time `now`; entries are ripe when they are older than the horizon and ingestion lag."""
    waited = horizon(everyone, funnel.window_seconds, until=now - options.recent_window_seconds)
    ripe_until = np.floor((now - waited - options.ingestion_lag_seconds) / FINE_SECONDS) * FINE_SECONDS
    return _Times(
        horizon_seconds=waited,
        baseline_hours=options.baseline_window_hours,
        recent_since=float(ripe_until) - options.recent_window_seconds,
        ripe_until=float(ripe_until),
    )


def _changes(pairs: Sequence[_Pair], times: _Times, options: FunnelOptions, scanner: _Scanner) -> list[_Change]:
    """Return the significant changes in one family of series, the most certain first."""
    if not pairs:
        return []
    recent = times.recent(gathered, [fine for fine, _ in pairs])
    normal = times.usual(normal_conversion, [past for _, past in pairs], options)
    scan = scanner(recent, normal, options, partial(_step_tests, pairs, times, options))
    adjusted, rows = significant(scan.p_value, scan.tested, options.significance)
    return [
        _Change(
            pair=pairs[row],
            window_since=times.ripe_until - float(scan.buckets[row]) * FINE_SECONDS,
            entries=int(scan.entries[row]),
            converted=int(scan.converted[row]),
            score=float(scan.score[row]),
            p_value=float(adjusted[row]),
            rate=float(normal.rate[row]),
            low=float(normal.low[row]),
            high=float(normal.high[row]),
            hours=int(normal.hours[row]),
        )
        for row in sorted(rows.tolist(), key=lambda row: (adjusted[row], -abs(scan.score[row])))
    ]


def _step_tests(pairs: Sequence[_Pair], times: _Times, options: FunnelOptions, rows: Integers) -> list[StepTest]:
    """Return the step tests of the series in these rows; none for a funnel of two steps, where they add nothing."""
    chosen = [pairs[row] for row in rows]
    if chosen[0][0].reached.shape[1] < 3:
        return []
    recent = times.recent(gathered_steps, [fine for fine, _ in chosen])
    normal = times.usual(normal_steps, [past for _, past in chosen], options)
    allowances = [*[_LATE_SHARE] * (len(recent) - 1), 0.0]
    return [StepTest(*step) for step in zip(recent, normal, allowances, strict=True)]


def _onset(drop: _Change, times: _Times, options: FunnelOptions) -> Onset:
    """Estimate since when entries convert differently, from the last two recent windows.

    Entries already in progress when something broke are lost too, so the break itself may be later than the first lost
    entry by up to the horizon. The upper end of the interval allows for that.
    """
    cohorts = gathered(
        [drop.pair[0]],
        times.horizon_seconds,
        since=times.ripe_until - 2 * options.recent_window_seconds,
        until=times.ripe_until,
        bucket_seconds=FINE_SECONDS,
    )
    began = share_onset(
        cohorts.bucket_starts,
        cohorts.converted[0],
        cohorts.entries[0],
        normal=drop.rate,
        broken=drop.converted / drop.entries,
    )
    return Onset(began.at, began.low, began.high + times.horizon_seconds)


def _where(
    series: Sequence[FunnelSeries], baseline: Sequence[FunnelSeries], began: Onset, times: _Times
) -> list[SegmentContribution]:
    answer = segment_contributions(
        series,
        baseline,
        recent_window=Window(began.at, times.ripe_until),
        baseline_window=Window(times.baseline_since, times.recent_since - HOUR_SECONDS),
        horizon_seconds=times.horizon_seconds,
    )
    return list(answer.standing_out)


def _finding(
    drop: _Change,
    began: Onset,
    where: Sequence[SegmentContribution],
    funnel: FunnelDefinition,
    times: _Times,
    details_of_kind: type[FunnelDropDetails] | type[FunnelRiseDetails],
) -> Finding:
    fine, past = drop.pair
    baseline_entries, baseline_converted, baseline_reached = totals(
        past, times.horizon_seconds, since=times.baseline_since, until=times.recent_since - HOUR_SECONDS
    )
    _, _, reached = totals(fine, times.horizon_seconds, since=drop.window_since, until=times.ripe_until)
    steps, broken_step = _steps(funnel, reached, baseline_reached)
    observed = drop.converted / drop.entries
    details = details_of_kind(
        onset_low=began.low,
        onset_high=began.high,
        bucket_seconds=FINE_SECONDS,
        horizon_seconds=times.horizon_seconds,
        entries=drop.entries,
        converted=drop.converted,
        drop_percent=100 * (1 - observed / drop.rate),
        window_minutes=(times.ripe_until - drop.window_since) / 60,
        step=broken_step if details_of_kind is FunnelDropDetails else None,
        steps=steps,
        baseline_entries=baseline_entries,
        baseline_converted=baseline_converted,
        baseline_hours=drop.hours,
        median_seconds_to_convert=conversion_delay(past.converted_by_delay.sum(axis=0), 0.5),
        where=tuple(map(segment_loss, where)),
    )
    return Finding(
        detector=DETECTOR,
        metric=Metric.CONVERSION_RATE,
        subject=Subject("funnel", funnel.name, funnel_id=funnel.funnel_id, dimension=fine.dimension, value=fine.value),
        observed=observed,
        expected=drop.rate,
        expected_low=drop.low,
        expected_high=drop.high,
        sample_size=drop.entries,
        score=drop.score,
        p_value=drop.p_value,
        window_start=drop.window_since,
        window_end=times.ripe_until,
        onset_at=began.at,
        details=details,
    )


def _steps(funnel: FunnelDefinition, recent: Integers, baseline: Integers) -> tuple[tuple[StepRates, ...], str | None]:
    """Describe each step, and name the step whose rate fell most, relatively, among those that fell by 2 sigma."""
    described: list[StepRates] = []
    broken, worst = None, 1.0
    for index, step in enumerate(funnel.steps):
        before = index - 1 if index else 0
        rate = float(recent[index] / max(recent[before], 1))
        normal = float(baseline[index] / max(baseline[before], 1))
        described.append(
            StepRates(
                name=step.name,
                recent_reached=int(recent[index]),
                baseline_reached=int(baseline[index]),
                recent_rate=rate,
                baseline_rate=normal,
            )
        )
        score = float(sigma_score(recent[index], recent[before], normal, max(float(baseline[before]), 1.0)))
        if normal > 0 and score <= -2.0 and rate / normal < worst:
            broken, worst = step.name, rate / normal
    return tuple(described), broken
