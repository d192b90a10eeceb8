"""The watch of funnels: conversion rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from detection.coverage import Watched
from detection.funnels.coverage import funnel_states
from detection.funnels.finding_stakes import with_stakes
from detection.funnels.findings import funnel_findings
from detection.funnels.normal import baseline_since
from detection.funnels.recovery import funnel_recovery
from detection.options import FunnelOptions
from detection.recovery import Recovery
from detection.types import (
    DELAY_EDGES_SECONDS,
    Finding,
    FunnelDefinition,
    FunnelDetails,
    FunnelDriftDetails,
    FunnelSeries,
    Metric,
)
from integrations.charts import Point
from storage.database.reading import one_by_itself
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS
from workers.memory.broken_times import funnel_broken_times, incidents_of_funnel, past_incidents
from workers.options import funnel_options
from workers.services import Services
from workers.watching.funnel_history import (
    baseline_seconds,
    history_since,
    hourly_series,
    recent_series,
)
from workers.watching.funnel_notices import drifts, rises
from workers.watching.locate_drops import locate_drops
from workers.watching.watch import Tick, Watch

STEP_SECONDS = 30.0
"""The time that one point of a chart stands for."""

LONGEST_FINE_SECONDS = 2 * 3600.0
"""A longer chart has one point per hour: fine buckets are kept for three hours."""

FEWEST_ENTRIES = 20
"""Entries needed for a point of a chart; fewer leave a gap."""


def findings(services: Services, tick: Tick) -> list[Finding]:
    """Compare the recent cohorts of each funnel, of everyone and by segment, with those of its baseline; add drifts.

    Only funnels that may have changed are read in full.
    """
    options = funnel_options(services.settings)
    found: list[Finding] = []
    for funnel in tick.funnels:
        with one_by_itself(f"watching the funnel {funnel.name}"):
            found += _found(services, funnel, tick, options)
    with one_by_itself("looking for drifts of funnels"):
        found += drifts(services, tick, options)
    return found


def _found(services: Services, funnel: FunnelDefinition, tick: Tick, options: FunnelOptions) -> Sequence[Finding]:
    memory, now = services.funnel_memory, tick.now.timestamp()
    if known := memory.recent_findings(funnel.funnel_id, now):
        return known
    if not _may_have_changed(services, funnel, tick, options):
        return ()
    found = locate_drops(services, tick, _changes(services, funnel, tick, options))
    memory.remember_findings(funnel.funnel_id, found, now)
    return found


def _may_have_changed(services: Services, funnel: FunnelDefinition, tick: Tick, options: FunnelOptions) -> bool:
    now, drops = tick.now.timestamp(), incidents_of_funnel(tick.past, funnel.funnel_id)
    return services.funnel_memory.worth_reading(
        services.telemetry,
        funnel,
        now=now,
        baseline_seconds=baseline_seconds(services, funnel),
        options=options,
        excluded=lambda segment: funnel_broken_times(drops, funnel.funnel_id, segment, now),
    )


def _changes(services: Services, funnel: FunnelDefinition, tick: Tick, options: FunnelOptions) -> list[Finding]:
    """Return the drops with their stakes; if there are none, the rises."""
    fine, coarse = _series(services, funnel, tick)
    drops = funnel_findings(fine, coarse, funnel, now=tick.now.timestamp(), options=options)
    if not drops:
        return rises(fine, coarse, funnel, tick, options)
    recent, past = ({(one.dimension, one.value): one for one in series} for series in (fine, coarse))
    segments = [(drop, (drop.subject.dimension, drop.subject.value)) for drop in drops]
    return [with_stakes(drop, recent[segment], past[segment], funnel) for drop, segment in segments]


def _series(
    services: Services, funnel: FunnelDefinition, tick: Tick
) -> tuple[Sequence[FunnelSeries], Sequence[FunnelSeries]]:
    """Read the series for the detectors of one funnel: the recent cohorts, and the hours of its baseline."""
    until = tick.now.timestamp()
    since = history_since(services, funnel, until)
    return (
        recent_series(services, funnel, until),
        hourly_series(services, funnel.funnel_id, tick.past, since=since, until=until),
    )


def points(services: Services, finding: Finding, since: float, until: float) -> tuple[Point, ...]:
    """Return the conversion rate over time; leave out entries that have not had the finding's horizon to convert."""
    assert finding.subject.funnel_id is not None
    is_long = until - since > LONGEST_FINE_SECONDS
    step, width = (COARSE_SECONDS, COARSE_SECONDS) if is_long else (STEP_SECONDS, FINE_FUNNEL_SECONDS)
    edges = np.arange(np.floor(since / step) * step, until, step)
    horizon = finding.details.horizon_seconds if isinstance(finding.details, FunnelDetails) else 0.0
    found = services.telemetry.funnel_series(
        finding.subject.funnel_id, since=float(edges[0]), until=until, bucket_seconds=width
    )
    where = (finding.subject.dimension, finding.subject.value)
    series = next((one for one in found if (one.dimension, one.value) == where), None)
    if series is None:
        return ()
    ripe = [float(at) for at in edges if at + step + horizon <= until]
    return tuple(Point(at + step / 2, _rate(series, horizon, at, at + step)) for at in ripe)


def retest(services: Services, finding: Finding, live_at: float, until: float) -> Recovery:
    """Compare the entries between `live_at` and `until` with the baseline; for a drift, by hourly buckets."""
    assert finding.subject.funnel_id is not None
    width = COARSE_SECONDS if isinstance(finding.details, FunnelDriftDetails) else FINE_FUNNEL_SECONDS
    funnel_id = finding.subject.funnel_id
    past_since = baseline_since(finding.onset_at, services.settings.baseline_window_hours)
    with services.readers() as session:
        past = past_incidents(session, since=datetime.fromtimestamp(past_since, UTC), now=services.clock())
    return funnel_recovery(
        finding,
        services.telemetry.funnel_series(funnel_id, since=finding.onset_at, until=until, bucket_seconds=width),
        hourly_series(services, funnel_id, past, since=past_since, until=finding.onset_at),
        since=live_at,
        now=until,
        options=funnel_options(services.settings),
    )


def states(services: Services, tick: Tick) -> list[Watched]:
    """Return the state of each funnel and segment: ok, or insufficient data if too few users enter."""
    options, until = funnel_options(services.settings), tick.now.timestamp()
    found: list[Watched] = []
    for funnel in tick.funnels:
        fine, coarse = _series(services, funnel, tick)
        found += funnel_states(fine, coarse, funnel, now=until, options=options)
    return found


def _rate(series: FunnelSeries, horizon: float, since: float, until: float) -> float | None:
    inside = (series.bucket_starts >= since) & (series.bucket_starts < until)
    entries = int(series.entries[inside].sum())
    in_time = int(np.searchsorted(DELAY_EDGES_SECONDS, horizon, side="right"))
    if entries < FEWEST_ENTRIES:
        return None
    return float(series.converted_by_delay[inside][:, :in_time].sum() / entries)


WATCH = Watch(frozenset({Metric.CONVERSION_RATE}), findings, points, retest, states, "events")
