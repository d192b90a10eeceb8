"""Notices: changes of a funnel that are no outage, namely rises and slow drifts in either direction."""

from __future__ import annotations

from collections.abc import Sequence

from detection.funnels.drift_findings import DOWN, UP, drift_findings
from detection.funnels.drifts import DriftOptions
from detection.funnels.finding_stakes import with_stakes
from detection.funnels.findings import funnel_rises
from detection.funnels.normal import baseline_since
from detection.funnels.rise_meaning import read_rise
from detection.funnels.undisturbed import undisturbed
from detection.options import FunnelOptions
from detection.types import (
    Finding,
    FunnelDefinition,
    FunnelDriftDetails,
    FunnelRiseDetails,
    FunnelSeries,
    Metric,
    RiseReading,
)
from workers.memory.broken_times import PastIncident, funnel_broken_times, funnel_fingerprint, incidents_of_funnel
from workers.memory.funnels import everyone_series
from workers.services import Services
from workers.watching.funnel_history import HOURS_KEPT, hourly_series
from workers.watching.locate_drops import locate_drops
from workers.watching.watch import Tick

REBOUND_SECONDS = 2 * 3600.0
"""A rise this soon after an incident is its echo: users who could not convert return and do."""

RISE = f"{Metric.CONVERSION_RATE}:funnel_rise:"
DRIFTS = (f"{Metric.CONVERSION_RATE}:{DOWN}:", f"{Metric.CONVERSION_RATE}:{UP}:")


def rises(
    fine: Sequence[FunnelSeries],
    coarse: Sequence[FunnelSeries],
    funnel: FunnelDefinition,
    tick: Tick,
    options: FunnelOptions,
) -> list[Finding]:
    """Return the rises to report: none near an incident, and none whose meaning is unclear.

    A rise may also come from missing entries; the reading in the finding's details says which it is.
    """
    found = funnel_rises(fine, coarse, funnel, now=tick.now.timestamp(), options=options)
    if not found or near_an_incident(tick.past, funnel.funnel_id, found[0].window_start):
        return []
    past = {(one.dimension, one.value): one for one in coarse}
    read = [
        read_rise(rise, past[rise.subject.dimension, rise.subject.value], timezone=options.timezone) for rise in found
    ]
    return [rise for rise in read if not _is_unclear(rise)]


def _is_unclear(finding: Finding) -> bool:
    details = finding.details
    return isinstance(details, FunnelRiseDetails | FunnelDriftDetails) and details.reading is RiseReading.UNCLEAR


def near_an_incident(past: Sequence[PastIncident], funnel_id: int, moment: float) -> bool:
    """Whether an outage ended, or began and is still open, no earlier than REBOUND_SECONDS before `moment`.

    An open outage of this funnel counts whenever it began; a long one of something else does not. Rises and drifts are
    not outages.
    """
    outages = [one for one in past if not all(name.startswith((RISE, *DRIFTS)) for name in one.fingerprints)]
    drops, since = incidents_of_funnel(past, funnel_id), moment - REBOUND_SECONDS
    return any(one.ended >= since if one.ended is not None else one.began >= since or one in drops for one in outages)


def drifts(services: Services, tick: Tick, options: FunnelOptions) -> list[Finding]:
    """Return the current drifts that are not reported yet.

    Each tick tests at most one funnel again, and each funnel once an hour.
    """
    memory, now = services.funnel_memory, tick.now.timestamp()
    funnel = memory.whose_turn(tick.funnels, now)
    if funnel is not None:
        hours = min(funnel.baseline_days * 24 + DriftOptions().watched_hours, HOURS_KEPT)
        since = baseline_since(now - funnel.window_seconds, hours)
        everyone = everyone_series(services.telemetry, funnel.funnel_id, since=since, until=now)
        found = [] if everyone is None else _drifts_of(services, funnel, everyone, tick, since, options.timezone)
        memory.learn(funnel, everyone, found, now=now, options=options)
    return [one for one in memory.drifts(tick.funnels) if _is_unreported(one, tick.past)]


def _drifts_of(
    services: Services, funnel: FunnelDefinition, everyone: FunnelSeries, tick: Tick, since: float, timezone: str
) -> list[Finding]:
    """Test everyone first; read the segments only if everyone drifts, to locate the drift."""
    now, drift_options = tick.now.timestamp(), DriftOptions(timezone=timezone)
    times = funnel_broken_times(incidents_of_funnel(tick.past, funnel.funnel_id), funnel.funnel_id, (None, None), now)
    if not drift_findings([undisturbed(everyone, times)], funnel, now=now, options=drift_options):
        return []
    series = hourly_series(services, funnel.funnel_id, tick.past, since=since, until=now)
    found = drift_findings(series, funnel, now=now, options=drift_options)
    weighed = [with_stakes(one, series[0], series[0], funnel) if one.subject.kind == DOWN else one for one in found]
    return locate_drops(services, tick, weighed)


def _is_unreported(drift: Finding, past: Sequence[PastIncident]) -> bool:
    """Whether the drift is clear, was not closed since it began, and no rise or drop of the same time reports it."""
    if _is_unclear(drift):
        return False
    assert drift.subject.funnel_id is not None
    reported = {funnel_fingerprint(kind, drift.subject.funnel_id) for kind in ("funnel", "funnel_rise")}
    closed = [one for one in past if drift.fingerprint in one.fingerprints and one.ended is not None]
    return not any(one.ended is not None and one.ended >= drift.onset_at for one in closed) and not any(
        reported & one.fingerprints and (one.ended is None or one.ended >= drift.onset_at) for one in past
    )
