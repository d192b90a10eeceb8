"""Funnels: how many of those who enter come through."""

from __future__ import annotations

import numpy as np

from detection.detectors import funnel_findings
from detection.types import DELAY_EDGES_SECONDS, Finding, FunnelSeries, Metric
from detection.verification import Recovery, recovery
from integrations.charts import Point
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS
from workers.options import funnel_options
from workers.services import Services
from workers.watching.watch import Tick, Watch

STEP_SECONDS = 30.0
"""How long a stretch of time one point of a chart stands for."""

FEWEST_ENTRIES = 20
"""Entries from which a point says something; a stretch with fewer is a gap."""


def findings(services: Services, tick: Tick) -> list[Finding]:
    """Hold the recent cohorts of every funnel, everyone's and each segment's, against those of its baseline days."""
    settings, until = services.settings, tick.now.timestamp()
    found: list[Finding] = []
    for funnel in tick.funnels:
        baseline_seconds = min(funnel.baseline_days * 86_400, settings.baseline_window_hours * 3600)
        found += funnel_findings(
            services.telemetry.funnel_series(
                funnel.funnel_id,
                since=until - settings.recent_window_minutes * 60 - funnel.window_seconds,
                until=until,
                bucket_seconds=FINE_FUNNEL_SECONDS,
            ),
            services.telemetry.funnel_series(
                funnel.funnel_id, since=until - baseline_seconds, until=until, bucket_seconds=COARSE_SECONDS
            ),
            funnel,
            now=until,
            options=funnel_options(settings),
        )
    return found


def points(services: Services, finding: Finding, since: float, until: float) -> tuple[Point, ...]:
    """Entries that have not had the finding's horizon to convert are left out, as the detector leaves them out."""
    assert finding.subject.funnel_id is not None
    edges = np.arange(np.floor(since / STEP_SECONDS) * STEP_SECONDS, until, STEP_SECONDS)
    horizon = float(str(finding.details.get("horizon_seconds", 0.0)))
    found = services.telemetry.funnel_series(
        finding.subject.funnel_id, since=float(edges[0]), until=until, bucket_seconds=FINE_FUNNEL_SECONDS
    )
    where = (finding.subject.dimension, finding.subject.value)
    series = next((one for one in found if (one.dimension, one.value) == where), None)
    if series is None:
        return ()
    ripe = [float(at) for at in edges if at + STEP_SECONDS + horizon <= until]
    return tuple(Point(at + STEP_SECONDS / 2, _rate(series, horizon, at, at + STEP_SECONDS)) for at in ripe)


def retest(services: Services, finding: Finding, live_at: float) -> Recovery:
    """Hold the entries since the fix against the week before the onset."""
    assert finding.subject.funnel_id is not None
    funnel_id, now = finding.subject.funnel_id, services.clock().timestamp()
    baseline_since = finding.onset_at - services.settings.baseline_window_hours * 3600
    return recovery(
        finding,
        services.telemetry.funnel_series(
            funnel_id, since=finding.onset_at, until=now, bucket_seconds=FINE_FUNNEL_SECONDS
        ),
        services.telemetry.funnel_series(
            funnel_id, since=baseline_since, until=finding.onset_at, bucket_seconds=COARSE_SECONDS
        ),
        since=live_at,
        now=now,
        options=funnel_options(services.settings),
    )


def _rate(series: FunnelSeries, horizon: float, since: float, until: float) -> float | None:
    inside = (series.bucket_starts >= since) & (series.bucket_starts < until)
    entries = int(series.entries[inside].sum())
    in_time = int(np.searchsorted(DELAY_EDGES_SECONDS, horizon, side="right"))
    if entries < FEWEST_ENTRIES:
        return None
    return float(series.converted_by_delay[inside][:, :in_time].sum() / entries)


WATCH = Watch(frozenset({Metric.CONVERSION_RATE}), findings, points, retest)
