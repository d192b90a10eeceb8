"""Judge what is whole: run the detectors, each kind of signal by itself, and turn their findings into incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from detection.types import Finding, FunnelDefinition, Metric
from storage.telemetry.protocol import WholeUntil
from workers.lifecycle.record_findings import record_findings
from workers.memory.broken_times import past_incidents, remembered_since
from workers.services import Services
from workers.triage import Sifted, keep_own, sift, tell_turned
from workers.troubles import Troubles
from workers.watching.catalogue import WATCHES
from workers.watching.watch import Tick, Watch

UNROLLED = tuple(watch for watch in WATCHES if watch.records is None)
"""The watches that need no roll-up: alerts of other monitors."""

ROLLED_UP = tuple(watch for watch in WATCHES if watch.records is not None)


def judge(
    services: Services,
    watches: Sequence[Watch],
    whole: WholeUntil,
    funnels: Sequence[FunnelDefinition],
    troubles: Troubles,
    now: datetime,
) -> frozenset[Metric]:
    """Run the watches, each on the data that is whole for it; record those of their findings that people are told.

    Return the metrics that could not be watched. A funnel whose history is still being read is left out.
    """
    with services.readers() as session:
        past = past_incidents(session, since=remembered_since(now, services.settings.baseline_window_hours), now=now)
    full: list[FunnelDefinition] = []
    with troubles.apart("looking which funnels are counted in full"):
        filling = services.telemetry.filling(funnels)
        full = [funnel for funnel in funnels if funnel.funnel_id not in filling]
    findings: list[Finding] = []
    watched: set[Metric] = set()
    for watch in watches:
        until = datetime.fromtimestamp(watch.whole(whole, now.timestamp()), UTC)
        with troubles.apart(f"watching {', '.join(sorted(watch.metrics))}"):
            findings += watch.findings(services, Tick(until, full, past))
            watched |= watch.metrics
    sifted = Sifted(tuple(findings))
    if Metric.ALERT in watched:
        with troubles.apart("deciding who is woken"):
            sifted = sift(services, findings, now)
    record_findings(services, sifted.findings, troubles, now)
    if watched - {Metric.ALERT}:
        with troubles.apart("keeping what was decided"):
            keep_own(services, findings, watched, now)
    with troubles.apart("telling what waited"):
        tell_turned(services, sifted.turned, now)
    return frozenset(metric for watch in watches for metric in watch.metrics) - watched
