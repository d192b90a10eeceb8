"""Ask the store where a conversion rate was lost, and read the answer that a finding holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detection.funnels.undisturbed import Times
from detection.types import (
    VERSION_DIMENSION,
    Attribution,
    Finding,
    FunnelCells,
    LossDetails,
    Place,
    Where,
    WhereVerdict,
)
from detection.where.attribution import attribute
from detection.where.cell_tables import merged
from storage.telemetry.protocol import COARSE_SECONDS, FINE_CELL_SECONDS, TelemetryStore

DAY_SECONDS = 86_400.0
FINE_SECONDS_KEPT = 3 * 3600.0 - COARSE_SECONDS / 2
"""Older windows are read from the cells of whole hours."""

NAMED_FROM = 0.8
"""A place that carries this share of the loss is what an incident is called after."""


@dataclass(frozen=True, slots=True)
class WhereQuestion:
    """Where did the entries in [since, until), seconds UTC, of a funnel fare worse than those since `past_since`?

    within: the segment whose loss it is about; None is everyone's. expected: the rate that is normal just now.
    broken: times that are no baseline.
    """

    funnel_id: int
    since: float
    until: float
    past_since: float
    horizon_seconds: float
    within: tuple[str, str] | None = None
    expected: float | None = None
    broken: Times = ()


def where(telemetry: TelemetryStore, question: WhereQuestion, *, now: float) -> Attribution | None:
    """Scan the cells of the question's window against those before it; None where too little is known.

    What is usual for the mix of users is taken from the same hours of other days, and the hours beside them.
    """
    past = _hours(question.past_since, question.since, question.broken)
    usual = [span for at in _same_times(question) for span in _within(past, at - COARSE_SECONDS, at + COARSE_SECONDS)]
    return attribute(
        _now(telemetry, question, now),
        _read(telemetry, question.funnel_id, usual),
        _read(telemetry, question.funnel_id, past),
        horizon_seconds=question.horizon_seconds,
        within=question.within,
        expected=question.expected,
    )


def attribution_of(finding: Finding) -> Attribution | None:
    """What was found of where; None where nothing was asked or known."""
    return finding.details.attribution if isinstance(finding.details, LossDetails) else None


def places_of(finding: Finding) -> tuple[Where, ...]:
    """The kinds of users that carry its loss; those of a version are left to the deploys."""
    attribution = attribution_of(finding)
    found = attribution.places if attribution is not None else ()
    return tuple(place.where for place in found if all(name != VERSION_DIMENSION for name, _ in place.where))


def is_mix(finding: Finding) -> bool:
    """Whether other users than usual came, and nobody converts worse than before."""
    attribution = attribution_of(finding)
    return attribution is not None and attribution.verdict is WhereVerdict.MIX and not attribution.places


def named_place(attribution: Attribution | None) -> Place | None:
    """The one place that an incident may honestly be called after; a version is left to the deploys."""
    if attribution is None or attribution.verdict is not WhereVerdict.PLACES or attribution.is_deploys:
        return None
    first = attribution.places[0]
    return first if first.share_of_loss >= NAMED_FROM else None


def _now(telemetry: TelemetryStore, question: WhereQuestion, now: float) -> FunnelCells:
    """The whole buckets of the window; the one in which it begins where there is no whole one."""
    width = FINE_CELL_SECONDS if question.since >= now - FINE_SECONDS_KEPT else COARSE_SECONDS
    since, until = -(-question.since // width) * width, question.until // width * width
    if since >= until:
        since = question.since // width * width
        until = since + width
    return telemetry.funnel_cells(question.funnel_id, since=since, until=until, bucket_seconds=width)


def _hours(since: float, until: float, broken: Times) -> list[tuple[float, float]]:
    """The whole hours in [since, until) in which nothing was broken, those side by side as one span."""
    spans: list[tuple[float, float]] = []
    start = -(-since // COARSE_SECONDS) * COARSE_SECONDS
    while start + COARSE_SECONDS <= until:
        end = start + COARSE_SECONDS
        if not any(began < end and ended > start for began, ended in broken):
            if spans and spans[-1][1] == start:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
        start = end
    return spans


def _same_times(question: WhereQuestion) -> Iterable[float]:
    """The hour of the window's middle, on each day before it."""
    hour = (question.since + question.until) / 2 // COARSE_SECONDS * COARSE_SECONDS
    days = int((question.since - question.past_since) // DAY_SECONDS) + 1
    return (hour - day * DAY_SECONDS for day in range(1, days + 1))


def _within(spans: Sequence[tuple[float, float]], first: float, last: float) -> list[tuple[float, float]]:
    """The parts of the spans in the hours that begin from `first` to `last`."""
    end = last + COARSE_SECONDS
    parts = ((max(since, first), min(until, end)) for since, until in spans)
    return [(since, until) for since, until in parts if since < until]


def _read(telemetry: TelemetryStore, funnel_id: int, spans: Sequence[tuple[float, float]]) -> FunnelCells:
    parts = [
        telemetry.funnel_cells(funnel_id, since=since, until=until, bucket_seconds=COARSE_SECONDS)
        for since, until in spans
    ]
    return merged(parts, funnel_id)
