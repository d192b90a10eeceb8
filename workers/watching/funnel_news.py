"""What is worth telling of a funnel though it is no outage: a rise, and a slow drift either way."""

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
from workers.memory.broken_times import PastIncident
from workers.memory.funnels import everyone_series
from workers.services import Services
from workers.watching.funnel_history import HOURS_KEPT, broken_times, drops_of, fingerprint, hourly_series
from workers.watching.locate_drops import with_where
from workers.watching.watch import Tick

REBOUND_SECONDS = 2 * 3600.0
"""For so long after an incident a rise is its echo: those who could not finish come back and do."""

RISE = f"{Metric.CONVERSION_RATE}:funnel_rise:"
DRIFTS = (f"{Metric.CONVERSION_RATE}:{DOWN}:", f"{Metric.CONVERSION_RATE}:{UP}:")


def rises(
    fine: Sequence[FunnelSeries],
    coarse: Sequence[FunnelSeries],
    funnel: FunnelDefinition,
    tick: Tick,
    options: FunnelOptions,
) -> list[Finding]:
    """The rises that can be told: none near an incident, and none that is clearly or possibly a gap in what is counted.

    Where most entries have gone missing that is told instead; the finding's details say which it is.
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
    """Whether the funnel was broken at that moment or shortly before, or anything at all broke or was mended then.

    Rises and drifts are no incidents in this sense. An incident of something else that has gone on for long is not
    this funnel's affair.
    """
    outages = [one for one in past if not all(name.startswith((RISE, *DRIFTS)) for name in one.fingerprints)]
    drops, since = drops_of(past, funnel_id), moment - REBOUND_SECONDS
    return any(one.ended >= since if one.ended is not None else one.began >= since or one in drops for one in outages)


def drifts(services: Services, tick: Tick, options: FunnelOptions) -> list[Finding]:
    """The drifts under way; one funnel a tick is looked at anew, and each once an hour."""
    memory, now = services.funnel_memory, tick.now.timestamp()
    funnel = memory.whose_turn(tick.funnels, now)
    if funnel is not None:
        hours = min(funnel.baseline_days * 24 + DriftOptions().watched_hours, HOURS_KEPT)
        since = baseline_since(now - funnel.window_seconds, hours)
        everyone = everyone_series(services.telemetry, funnel.funnel_id, since=since, until=now)
        found = [] if everyone is None else _drifts_of(services, funnel, everyone, tick, since, options.timezone)
        memory.learn(funnel, everyone, found, now=now, options=options)
    return [one for one in memory.drifts(tick.funnels) if _is_news(one, tick.past)]


def _drifts_of(
    services: Services, funnel: FunnelDefinition, everyone: FunnelSeries, tick: Tick, since: float, timezone: str
) -> list[Finding]:
    """Look at everyone first: only where they drift are the segments read, to say where."""
    now, drift_options = tick.now.timestamp(), DriftOptions(timezone=timezone)
    times = broken_times(drops_of(tick.past, funnel.funnel_id), funnel.funnel_id, (None, None), now)
    if not drift_findings([undisturbed(everyone, times)], funnel, now=now, options=drift_options):
        return []
    series = hourly_series(services, funnel.funnel_id, tick.past, since=since, until=now)
    found = drift_findings(series, funnel, now=now, options=drift_options)
    weighed = [with_stakes(one, series[0], series[0], funnel) if one.subject.kind == DOWN else one for one in found]
    return with_where(services, tick, weighed)


def _is_news(drift: Finding, past: Sequence[PastIncident]) -> bool:
    """Not what somebody has closed since it began, nor what a rise or a drop of the same time has told already."""
    if _is_unclear(drift):
        return False
    assert drift.subject.funnel_id is not None
    told = {fingerprint(kind, drift.subject.funnel_id) for kind in ("funnel", "funnel_rise")}
    closed = [one for one in past if drift.fingerprint in one.fingerprints and one.ended is not None]
    return not any(one.ended is not None and one.ended >= drift.onset_at for one in closed) and not any(
        told & one.fingerprints and (one.ended is None or one.ended >= drift.onset_at) for one in past
    )
