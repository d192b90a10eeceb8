"""How oddly each part behaves during an incident: its spans, what it logs within them, and its metrics."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from detection.chain.suspects import (
    Call,
    ClueKind,
    Occurrence,
    Reading,
    Suspect,
    missing_calls,
    suspects_of_windows,
    windows_without,
)
from detection.symptoms import Worse, metric_meaning
from detection.types import Floats, ServiceEdge, SymptomKind
from storage.telemetry.protocol import TelemetryStore, TracedLine
from workers.diagnosis.scene.model import Course

USUAL_SECONDS = 2400.0
"""How long before the incident spans are compared with: about as long as the hot store keeps them."""

WINDOW_SECONDS = 60.0
DURING_SECONDS = 600.0
BEFORE_SECONDS = 240.0
"""A monitor tells what has lasted for minutes, so the incident began up to this long before it is known to have."""

MOST_SPANS = 60_000
"""Of more spans, a sample of whole traces is read; so many, with their lines, are compared in about two seconds."""

_OWN_KINDS = frozenset({SymptomKind.CPU, SymptomKind.LATENCY})
_ALIKE_DELAY_MS = 2.0
_ALIKE_SUCCESS = 0.01
_DELAY = "network_delay_ms"
_CLOCKS_SECONDS = 0.002
_LONGEST_EVENT = 80
_PLACE_IN_CODE = re.compile(r"\b([\w$.]+#\d+)")
_IDENTIFIERS = re.compile(r"(?:trace|span)_?id[:=]? \S+", re.IGNORECASE)
_SPAN_ID = re.compile(r"\b[0-9a-f]{16}\b")
_VARIABLE = re.compile(r"[0-9a-f]{8,}|\d+")


def read_suspects(
    telemetry: TelemetryStore,
    courses: Sequence[Course],
    edges: Iterable[ServiceEdge],
    *,
    since: float,
    onset: float,
    until: float,
) -> list[Suspect]:
    """Rank the parts by how far they are from how they behaved before `onset`; [] with nothing to compare with.

    Reads at most about MOST_SPANS spans. since: where the courses begin. edges: who calls whom.
    """
    onset -= BEFORE_SECONDS
    during = (onset, min(until, onset + DURING_SECONDS))
    traced = telemetry.traced_between(since=onset - USUAL_SECONDS, until=during[1], most_spans=MOST_SPANS)
    calls = [Call(*span) for span in traced.spans]
    normal = windows_without(onset - USUAL_SECONDS, onset, WINDOW_SECONDS, [])
    measured = [course for course in courses if metric_meaning(course.name).kind in _OWN_KINDS]
    called = [(edge.caller, edge.callee) for edge in edges]
    return suspects_of_windows(
        calls,
        occurrences_of(calls, traced.lines),
        [(course.part, course.name, course.times, course.values) for course in measured if course.name != _DELAY],
        during=during,
        normal=normal,
        normal_of_series=[(since, onset)],
        more=[
            *_delays(courses, during),
            *_lost_success(courses, during),
            *missing_calls(_loads(courses), called, during=during, onset=onset),
        ],
    )


def occurrences_of(calls: Sequence[Call], lines: Sequence[TracedLine]) -> list[Occurrence]:
    """Return the lines of traced requests as events, each within a span of its part.

    That is the one that the line names, as loggers do that know of the trace; else the shortest that was open then.
    """
    of_part: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in calls:
        of_part[call.trace_id, call.part].append(call)
    found = []
    for line in lines:
        spans = of_part.get((line.trace_id, line.service))
        if not spans:
            continue
        within = _named(spans, line.body) or _shortest_open(spans, line.happened_at)
        span_id = within.span_id if within else ""
        event = f"{line.severity} {event_of(line.body)}"
        found.append(Occurrence(line.trace_id, span_id, line.service, event, line.happened_at))
    return found


def _named(spans: Sequence[Call], text: str) -> Call | None:
    """Return the span whose id a line names."""
    ids = _SPAN_ID.findall(text)
    return next((call for call in spans if call.span_id in ids), None) if ids else None


def _shortest_open(spans: Sequence[Call], at: float) -> Call | None:
    return min((call for call in spans if _is_open(call, at)), key=lambda call: call.duration_ms, default=None)


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


def _lost_success(courses: Sequence[Course], during: tuple[float, float]) -> Iterator[Reading]:
    """Yield how much of its usual share of successes each part lost."""
    for course in courses:
        meaning = metric_meaning(course.name)
        if meaning.kind is not SymptomKind.ERRORS or meaning.worse is not Worse.DOWN:
            continue
        before = course.times < during[0]
        now = (course.times >= during[0]) & (course.times < during[1])
        if not np.isfinite(course.values[before]).any():
            continue
        usual = float(np.nanmedian(course.values[before]))
        lost = usual - course.values
        name = f"{course.name} {course.labels}".strip()
        yield Reading(course.part, ClueKind.SUCCESS, name, lost[before], lost[now], _ALIKE_SUCCESS * abs(usual))


def _loads(courses: Sequence[Course]) -> dict[str, tuple[Floats, Floats]]:
    """Return the requests that come to each part, a minute: of all its endpoints together."""
    by_name: dict[tuple[str, str], list[Course]] = defaultdict(list)
    for course in courses:
        if metric_meaning(course.name).kind is SymptomKind.TRAFFIC:
            by_name[course.part, course.name].append(course)
    found: dict[str, tuple[Floats, Floats]] = {}
    for (part, _), own in sorted(by_name.items()):
        minutes, place = np.unique(np.concatenate([np.round(one.times / 60) for one in own]), return_inverse=True)
        values: Floats = np.nan_to_num(np.concatenate([one.values for one in own]))
        sums: Floats = np.bincount(place, weights=values).astype(np.float64)
        if part not in found or len(minutes) > len(found[part][0]):
            found[part] = (minutes * 60.0, sums)
    return found
