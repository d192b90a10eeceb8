"""How oddly each part behaves during an incident: its spans, what it logs within them, and its metrics."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from detection.chain.suspects import (
    Call,
    ClueKind,
    Occurrence,
    Reading,
    Suspect,
    suspects_of_windows,
    windows_without,
)
from detection.symptoms import metric_meaning
from detection.types import LogRecord, Span, SymptomKind
from storage.telemetry.protocol import TelemetryStore
from workers.diagnosis.scene.model import Course

USUAL_SECONDS = 2400.0
"""How long before the incident spans are compared with: about as long as the hot store keeps them."""

WINDOW_SECONDS = 60.0
DURING_SECONDS = 600.0
BEFORE_SECONDS = 240.0
"""A monitor tells what has lasted for minutes, so the incident began up to this long before it is known to have."""

MOST_SPANS, MOST_LINES = 12_000, 8_000

_OWN_KINDS = frozenset({SymptomKind.CPU, SymptomKind.LATENCY})
_ALIKE_DELAY_MS = 2.0
_DELAY = "network_delay_ms"
_CLOCKS_SECONDS = 0.002
_LONGEST_EVENT = 80
_PLACE_IN_CODE = re.compile(r"\b([\w$.]+#\d+)")
_IDENTIFIERS = re.compile(r"(?:trace|span)_?id[:=]? \S+", re.IGNORECASE)
_VARIABLE = re.compile(r"[0-9a-f]{8,}|\d+")


def read_suspects(
    telemetry: TelemetryStore, courses: Sequence[Course], *, since: float, onset: float, until: float
) -> list[Suspect]:
    """Rank the parts by how far they are from how they behaved before `onset`; [] with nothing to compare with.

    Reads at most MOST_SPANS spans and MOST_LINES lines, the newest first. since: where the courses begin.
    """
    onset -= BEFORE_SECONDS
    during = (onset, min(until, onset + DURING_SECONDS))
    spans = telemetry.spans_between(since=onset - USUAL_SECONDS, until=during[1], limit=MOST_SPANS)
    lines: Sequence[LogRecord] = ()
    if spans:
        lines = telemetry.log_samples(since=onset - USUAL_SECONDS, until=during[1], limit=MOST_LINES)
    calls = [_call(span) for span in spans]
    normal = windows_without(onset - USUAL_SECONDS, onset, WINDOW_SECONDS, [])
    measured = [course for course in courses if metric_meaning(course.name).kind in _OWN_KINDS]
    return suspects_of_windows(
        calls,
        occurrences_of(calls, lines),
        [(course.part, course.name, course.times, course.values) for course in measured if course.name != _DELAY],
        during=during,
        normal=normal,
        normal_of_series=[(since, onset)],
        more=list(_delays(courses, during)),
    )


def _call(span: Span) -> Call:
    return Call(
        span.trace_id, span.span_id, span.parent_span_id, span.service, span.name, span.started_at, span.duration_ms
    )


def occurrences_of(calls: Sequence[Call], lines: Sequence[LogRecord]) -> list[Occurrence]:
    """Return the lines of traced requests as events, each within the shortest span of its part that was open then."""
    of_part: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in calls:
        of_part[call.trace_id, call.part].append(call)
    found = []
    for line in lines:
        spans = of_part.get((line.trace_id or "", line.service))
        if not spans:
            continue
        open_then = [call for call in spans if _is_open(call, line.happened_at)]
        within = min(open_then, key=lambda call: call.duration_ms, default=None)
        span_id = within.span_id if within else ""
        event = f"{line.severity} {event_of(line.body)}"
        found.append(Occurrence(line.trace_id or "", span_id, line.service, event, line.happened_at))
    return found


def event_of(text: str) -> str:
    """Return what a line tells of: the place in the code if it names one, else its words without what varies."""
    place = _PLACE_IN_CODE.search(text)
    return place[1] if place else _VARIABLE.sub("<*>", _IDENTIFIERS.sub("", text).strip()[:_LONGEST_EVENT])


def _is_open(call: Call, at: float) -> bool:
    return call.started_at - _CLOCKS_SECONDS <= at <= call.started_at + call.duration_ms / 1000 + _CLOCKS_SECONDS


def _delays(courses: Sequence[Course], during: tuple[float, float]) -> Iterator[Reading]:
    """Yield the network's delay of calls into each part, where a mesh measures it on both sides."""
    for course in courses:
        if course.name != _DELAY:
            continue
        before = course.times < during[0]
        now = (course.times >= during[0]) & (course.times < during[1])
        name = f"network delay {course.labels}".strip()
        yield Reading(course.part, ClueKind.NETWORK, name, course.values[before], course.values[now], _ALIKE_DELAY_MS)
