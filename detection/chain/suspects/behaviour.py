"""Describe how the parts of a system behave in a period, from the spans and the logged events of its calls.

Two things are measured. First, the transitions between logged events within one span, from the span's operation at the
start to the end. Second, how long each operation itself takes, without the calls that it waits for; time spent around a
call to another part is attributed to the part that was called, which may be too busy or too far away to answer.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from detection.chain.suspects.ranking import ClueKind, Pattern, Reading
from detection.types import Floats

END = "end"
_FEWEST_CALLS = 3
_FASTEST_MS = 1e-3
_SAME_TIME = 0.3
"""Times that differ by less than this on the log scale (about a third) count as equal."""

_Transition = tuple[str, str, str]
_Operation = tuple[ClueKind, str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One span of a part; parent_id is None for a root."""

    trace_id: str
    span_id: str
    parent_id: str | None
    part: str
    operation: str
    started_at: float
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event logged within a span; `event` is its kind: a log template or a place in the code."""

    trace_id: str
    span_id: str
    part: str
    event: str
    happened_at: float


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The behaviour in one period.

    followed[part, event, next]: counts. times[kind, part, operation]: log of durations in ms, (n,).
    """

    followed: Counter[_Transition]
    times: dict[_Operation, Floats]

    def chances(self) -> Counter[tuple[str, str]]:
        """Return how often each event of each part occurred."""
        counted: Counter[tuple[str, str]] = Counter()
        for (part, event, _), count in self.followed.items():
            counted[part, event] += count
        return counted


def behaviour(calls: Sequence[Call], occurrences: Sequence[Occurrence]) -> Behaviour:
    """Measure the behaviour in one period; pass each span and each event once."""
    return Behaviour(_followed(calls, occurrences), _times(calls))


def compared(normal: Sequence[Behaviour], during: Behaviour) -> tuple[list[Reading], list[Pattern]]:
    """Compare the behaviour during the incident with normal periods; return the input for `suspects`."""
    return list(_readings(normal, during)), list(_patterns(normal, during))


def _followed(calls: Sequence[Call], occurrences: Sequence[Occurrence]) -> Counter[_Transition]:
    logged: dict[tuple[str, str, str], list[Occurrence]] = defaultdict(list)
    for occurrence in occurrences:
        logged[occurrence.trace_id, occurrence.span_id, occurrence.part].append(occurrence)
    operations = {(call.trace_id, call.span_id, call.part): call.operation for call in calls}
    followed: Counter[_Transition] = Counter()
    for key in operations.keys() | logged.keys():
        before = operations.get(key, "")
        for occurrence in sorted(logged.get(key, ()), key=lambda occurrence: occurrence.happened_at):
            followed[key[2], before, occurrence.event] += 1
            before = occurrence.event
        followed[key[2], before, END] += 1
    return followed


def _times(calls: Sequence[Call]) -> dict[_Operation, Floats]:
    children: dict[tuple[str, str | None], list[Call]] = defaultdict(list)
    for call in calls:
        children[call.trace_id, call.parent_id].append(call)
    times: dict[_Operation, list[float]] = defaultdict(list)
    for call in calls:
        below = children.get((call.trace_id, call.span_id), [])
        own = math.log(max(call.duration_ms - sum(child.duration_ms for child in below), _FASTEST_MS))
        others = {child.part for child in below} - {call.part}
        for called in others:
            times[ClueKind.WAIT, called, f"{call.part} {call.operation}"].append(own)
        if not others:
            times[ClueKind.OWN_TIME, call.part, call.operation].append(own)
    return {operation: np.array(values) for operation, values in times.items()}


def _readings(normal: Sequence[Behaviour], during: Behaviour) -> Iterable[Reading]:
    for operation, values in during.times.items():
        kind, part, name = operation
        before = [one.times[operation] for one in normal if len(one.times.get(operation, ())) >= _FEWEST_CALLS]
        if len(values) < _FEWEST_CALLS or not before:
            continue
        medians = [_median(one) for one in before]
        within = _median(np.array([_median(np.abs(one - median)) for one, median in zip(before, medians, strict=True)]))
        floor = _SAME_TIME + 3 * within / float(np.sqrt(len(values)))
        yield Reading(part, kind, name, np.array(medians), np.array([_median(values)]), floor)


def _median(values: Floats) -> float:
    """Return the median of a few values, for which NumPy's own takes many times as long."""
    in_order = np.sort(values)
    middle = len(in_order) // 2
    return float(in_order[middle] if len(in_order) % 2 else (in_order[middle - 1] + in_order[middle]) / 2)


def _patterns(normal: Sequence[Behaviour], during: Behaviour) -> Iterable[Pattern]:
    now = during.chances()
    before = [one.chances() for one in normal]
    transitions = set(during.followed)
    for one in normal:
        transitions |= {transition for transition in one.followed if transition[:2] in now}
    chances_of = {
        key: np.array([chances.get(key, 0) for chances in before], dtype=np.float64)
        for key in {transition[:2] for transition in transitions}
    }
    for transition in sorted(transitions):
        part, event, after = transition
        yield Pattern(
            part=part,
            name=f"{event} -> {after}",
            normal_times=np.array([one.followed.get(transition, 0) for one in normal], dtype=np.float64),
            normal_chances=chances_of[part, event],
            times=float(during.followed[transition]),
            chances=float(now[part, event]),
        )
