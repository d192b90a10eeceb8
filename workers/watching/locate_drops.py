"""Completes what the funnels' watch finds by where it is: the scan over combinations of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detection.funnels.undisturbed import Times
from detection.types import Finding, LossDetails, Metric
from workers.memory.broken_times import PastIncident
from workers.services import Services
from workers.watching.funnel_history import broken_times, drops_of
from workers.watching.watch import Tick
from workers.words.attribution_details import WhereQuestion, where

DROPS = ("funnel", "funnel_drift")
"""The kinds of subject that lost conversions."""

MOST_AT_ONCE = 5
"""Findings of one tick that are looked into; the segments of one break have one place."""


def with_where(services: Services, tick: Tick, findings: Sequence[Finding]) -> list[Finding]:
    """The findings; those of lost conversions with an `attribution` among their details where one is known."""
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
    answer = where(
        services.telemetry,
        WhereQuestion(
            funnel_id=subject.funnel_id,
            since=finding.onset_at,
            until=finding.window_end,
            past_since=finding.onset_at - services.settings.baseline_window_hours * 3600,
            horizon_seconds=details.horizon_seconds,
            within=segment,
            expected=finding.expected,
            broken=_broken(tick.past, subject.funnel_id, finding.onset_at),
        ),
        now=now,
    )
    return finding if answer is None else replace(finding, details=replace(details, attribution=answer))


def _broken(past: Sequence[PastIncident], funnel_id: int, onset_at: float) -> Times:
    """When everyone's conversion was known to be broken before."""
    return [
        (began, min(ended, onset_at))
        for began, ended in broken_times(drops_of(past, funnel_id), funnel_id, (None, None), onset_at)
        if began < onset_at
    ]
