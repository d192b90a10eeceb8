"""What follows from a scene: the signs of trouble, and the chain of who failed first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from detection.chain import Sign, Surroundings, trace_chain
from detection.chain.signs import (
    believed_lines,
    parts_that_differ,
    signs_of_events,
    signs_of_lines,
    signs_of_metrics,
    signs_of_traces,
)
from detection.symptoms import metric_meaning, named_in
from detection.types import Metric, OrchestratorEvent, ServicePlace, SymptomKind
from workers.diagnosis.model import Characterisation
from workers.diagnosis.scene.consumers import guessed_consumers
from workers.diagnosis.scene.model import Observed, Scene


def observe(scene: Scene, described: Characterisation) -> Observed:
    """Return the signs in a scene, their chain, and the onset of its first part."""
    scene = replace(scene, places=(*scene.places, *places_of(scene.events, parts_of(scene))))
    parts = parts_of(scene)
    series = [(course.part, course.name, course.times, course.values) for course in scene.courses]
    seen = (
        *signs_of_metrics(series, alerted_at=scene.alerted_at),
        *signs_of_events(scene.events, parts),
        *signs_of_traces(scene.traces, parts),
    )
    lines = believed_lines(scene.lines, {sign.part for sign in seen})
    believed = {id(line) for line in lines}
    scene = replace(scene, lines=lines, faint=tuple(line for line in scene.lines if id(line) not in believed))
    signs = (*seen, *signs_of_lines(scene.lines, parts))
    scene = replace(scene, edges=(*scene.edges, *guessed_consumers(scene, parts, signs)))
    heard, measured = heard_in(scene)
    differing = parts_that_differ(series)
    surroundings = Surroundings(scene.edges, scene.places, scene.events, scene.traces, heard, measured, differing)
    alerted = scene.alerted[0] if scene.alerted else None
    chain = trace_chain(
        signs,
        surroundings,
        alerted=alerted,
        alerted_at=scene.alerted_at,
        parts=parts,
        suspected=scene.suspected,
    )
    kinds: dict[str, set[SymptomKind]] = defaultdict(set)
    for sign in signs:
        kinds[sign.part].add(sign.kind)
    first = [sign for sign in signs if sign.part == chain.origin]
    # Of a part that tells nothing of itself, it is known only since when those suffer that depend on it.
    first = first or [sign for sign in signs if sign.part in chain.victims]
    onset = _onset(first, described)
    return Observed(
        scene=scene,
        parts=parts,
        signs=signs,
        chain=chain,
        onset=onset,
        kinds={part: frozenset(found) for part, found in kinds.items()},
    )


def _onset(first: Sequence[Sign], described: Characterisation) -> tuple[float, float]:
    """Return when it began: as Argux's own detectors found it, else by the signs of the origin.

    A single failed request in a trace may be older than the incident; it counts only where nothing else is known.
    """
    if any(symptom.metric is not Metric.ALERT for symptom in described.symptoms):
        return described.onset_earliest, described.onset_latest
    signs = [sign for sign in first if sign.source != "trace"] or list(first)
    earliest = min((sign.earliest for sign in signs), default=described.onset_earliest)
    latest = min((sign.latest for sign in signs), default=described.onset_latest)
    return earliest, max(latest, earliest)


_OUTCOMES = frozenset({SymptomKind.LATENCY, SymptomKind.ERRORS, SymptomKind.TIMEOUTS})


def heard_in(scene: Scene) -> tuple[frozenset[str], frozenset[str]]:
    """Return which parts tell anything of themselves, and of which of them latency or errors are measured."""
    heard = {course.part for course in scene.courses} | {group.part for group in scene.lines}
    heard |= {hop.part for trace in scene.traces for hop in trace}
    measured = {course.part for course in scene.courses if metric_meaning(course.name).kind in _OUTCOMES}
    return frozenset(heard), frozenset(measured)


def places_of(events: Sequence[OrchestratorEvent], parts: frozenset[str]) -> tuple[ServicePlace, ...]:
    """Return which service runs on which node, as events about pods tell it."""
    found = []
    for event in events:
        services = {event.service} if event.service else named_in(event.object_name, parts)
        if event.node:
            found += [
                ServicePlace(service, event.node, event.happened_at) for service in services if service != event.node
            ]
    return tuple(found)


def parts_of(scene: Scene) -> frozenset[str]:
    """Return everything in the scene that has a name: services, databases, nodes."""
    named = {*scene.alerted}
    named |= {course.part for course in scene.courses} | {group.part for group in scene.lines if group.part}
    named |= {name for edge in scene.edges for name in (edge.caller, edge.callee)}
    named |= {place.node for place in scene.places} | {place.service for place in scene.places}
    named |= {hop.part for trace in scene.traces for hop in trace}
    named |= {deploy.service for deploy in scene.deploys}
    named |= {event.node for event in scene.events if event.node}
    return frozenset(named)
