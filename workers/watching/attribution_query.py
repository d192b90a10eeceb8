"""Locate a loss of conversions: compare stored funnel cells with their past, over combinations of dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detection.types import Attribution, FunnelCells, TimeSpans
from detection.where.attribution import attribute
from detection.where.cell_tables import merged
from storage.telemetry.protocol import COARSE_SECONDS, FINE_CELL_SECONDS, TelemetryStore

DAY_SECONDS = 86_400.0
FINE_SECONDS_KEPT = 3 * 3600.0 - COARSE_SECONDS / 2
"""Windows that begin earlier than this before now are read from hourly cells."""


@dataclass(frozen=True, slots=True)
class AttributionQuery:
    """Compare the entries of a funnel in [since, until), seconds UTC, with the baseline in [past_since, since).

    horizon_seconds: an entry counts as converted if it converted within this time. within: the (dimension, value) whose
    loss is explained; None for everyone. expected: the conversion rate that is normal now, to which the past rates are
    scaled; None leaves them as they are. broken: times that the baseline leaves out.
    """

    funnel_id: int
    since: float
    until: float
    past_since: float
    horizon_seconds: float
    within: tuple[str, str] | None = None
    expected: float | None = None
    broken: TimeSpans = ()


def locate_loss(telemetry: TelemetryStore, query: AttributionQuery, *, now: float) -> Attribution | None:
    """Return which segments carry the loss of conversions; None if there is too little data.

    The usual mix of users comes from the same hour of each earlier day and the hours next to it; the conversion rate of
    each kind of user comes from the whole baseline.
    """
    past = _usable_spans(query.past_since, query.since, query.broken)
    usual = [span for at in _same_hours(query) for span in _clipped(past, at - COARSE_SECONDS, at + COARSE_SECONDS)]
    return attribute(
        _current_cells(telemetry, query, now),
        _cells_of(telemetry, query.funnel_id, usual),
        _cells_of(telemetry, query.funnel_id, past),
        horizon_seconds=query.horizon_seconds,
        within=query.within,
        expected=query.expected,
    )


def _current_cells(telemetry: TelemetryStore, query: AttributionQuery, now: float) -> FunnelCells:
    """Read the whole buckets inside the window; if there is none, the bucket in which the window begins."""
    width = FINE_CELL_SECONDS if query.since >= now - FINE_SECONDS_KEPT else COARSE_SECONDS
    since, until = -(-query.since // width) * width, query.until // width * width
    if since >= until:
        since = query.since // width * width
        until = since + width
    return telemetry.funnel_cells(query.funnel_id, since=since, until=until, bucket_seconds=width)


def _usable_spans(since: float, until: float, broken: TimeSpans) -> list[tuple[float, float]]:
    """Return the whole hours in [since, until) in which nothing was broken; adjacent hours are one span."""
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


def _same_hours(query: AttributionQuery) -> Iterable[float]:
    """Return the hour that holds the middle of the window, on each earlier day."""
    hour = (query.since + query.until) / 2 // COARSE_SECONDS * COARSE_SECONDS
    days = int((query.since - query.past_since) // DAY_SECONDS) + 1
    return (hour - day * DAY_SECONDS for day in range(1, days + 1))


def _clipped(spans: Sequence[tuple[float, float]], first: float, last: float) -> list[tuple[float, float]]:
    """Return the parts of the spans inside the hours that begin at `first` up to the one that begins at `last`."""
    end = last + COARSE_SECONDS
    parts = ((max(since, first), min(until, end)) for since, until in spans)
    return [(since, until) for since, until in parts if since < until]


def _cells_of(telemetry: TelemetryStore, funnel_id: int, spans: Sequence[tuple[float, float]]) -> FunnelCells:
    parts = [
        telemetry.funnel_cells(funnel_id, since=since, until=until, bucket_seconds=COARSE_SECONDS)
        for since, until in spans
    ]
    return merged(parts, funnel_id)
