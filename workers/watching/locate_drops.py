"""Add to drops of conversion where they happen: the result of the scan over combinations of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detection.types import Finding, LossDetails, Metric, TimeSpans
from workers.memory.broken_times import PastIncident, funnel_broken_times, incidents_of_funnel
from workers.services import Services
from workers.watching.attribution_query import AttributionQuery, locate_loss
from workers.watching.watch import Tick

DROPS = ("funnel", "funnel_drift")
"""The kinds of subject of findings that may be drops."""

MOST_AT_ONCE = 5
"""Drops of one tick that are located; the segments of one drop share one place."""


def locate_drops(services: Services, tick: Tick, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings; add an `attribution` to the details of the first MOST_AT_ONCE drops, if one is known."""
    drops = [finding for finding in findings if _is_drop(finding)][:MOST_AT_ONCE]
    return [_located(services, tick, finding) if finding in drops else finding for finding in findings]


def _is_drop(finding: Finding) -> bool:
    return (
        finding.metric is Metric.CONVERSION_RATE
        and finding.subject.kind in DROPS
        and finding.observed < finding.expected
        and isinstance(finding.details, LossDetails)
    )


def _located(services: Services, tick: Tick, finding: Finding) -> Finding:
    subject, details, now = finding.subject, finding.details, tick.now.timestamp()
    assert subject.funnel_id is not None
    assert isinstance(details, LossDetails)
    segment = (subject.dimension, subject.value) if subject.dimension and subject.value is not None else None
    answer = locate_loss(
        services.telemetry,
        AttributionQuery(
            funnel_id=subject.funnel_id,
            since=finding.onset_at,
            until=finding.window_end,
            past_since=finding.onset_at - services.settings.baseline_window_hours * 3600,
            horizon_seconds=details.horizon_seconds,
            within=segment,
            expected=finding.expected,
            broken=_broken_before(tick.past, subject.funnel_id, finding.onset_at),
        ),
        now=now,
    )
    return finding if answer is None else replace(finding, details=replace(details, attribution=answer))


def _broken_before(past: Sequence[PastIncident], funnel_id: int, onset_at: float) -> TimeSpans:
    """Return when everyone's conversion was broken before the onset."""
    return [
        (began, min(ended, onset_at))
        for began, ended in funnel_broken_times(incidents_of_funnel(past, funnel_id), funnel_id, (None, None), onset_at)
        if began < onset_at
    ]
