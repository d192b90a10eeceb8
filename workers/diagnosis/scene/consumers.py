"""Who takes from a queue, where no map says so: tracing rarely spans a queue, and few maps hold one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from detection.chain import Sign
from detection.symptoms import metric_meaning, named_in
from detection.types import EdgeKind, ServiceEdge, SymptomKind
from workers.diagnosis.scene.model import Scene

GUESSED = "names"
"""The source of an edge that only names tell of."""

_QUEUE = re.compile(
    r"queue|topic|stream|kafka|rabbit|\bsqs\b|pub-?sub|nats|pulsar|broker|\bmq\b|backlog|inbox|outbox", re.IGNORECASE
)
_CONSUMER = re.compile(
    r"worker|consumer|processor|listener|subscriber|dispatcher|handler|ingest|indexer|relay|projector|sink|runner",
    re.IGNORECASE,
)


def guessed_consumers(scene: Scene, parts: frozenset[str], signs: Sequence[Sign]) -> tuple[ServiceEdge, ...]:
    """Return an edge from each likely consumer to a queue that no known edge leads to.

    Those are parts whose lines name the queue; else the only part that by its name takes from queues, or the only one
    of several that shows trouble.
    """
    linked = {name for edge in scene.edges for name in (edge.caller, edge.callee)}
    queues = {course.part for course in scene.courses if _is_queue(course.part, course.name)} - linked
    return tuple(
        ServiceEdge(consumer, queue, EdgeKind.CALLS, GUESSED, scene.alerted_at)
        for queue in sorted(queues)
        for consumer in _consumers(queue, scene, parts - queues, signs)
    )


def _is_queue(part: str, metric: str) -> bool:
    return bool(_QUEUE.search(part)) and metric_meaning(metric).kind is SymptomKind.QUEUE


def _consumers(queue: str, scene: Scene, others: frozenset[str], signs: Sequence[Sign]) -> Iterator[str]:
    naming = {line.part for line in scene.lines if line.part in others and named_in(line.text, [queue])}
    by_name = {part for part in others if _CONSUMER.search(part) and not _QUEUE.search(part)}
    if naming & by_name:
        yield from sorted(naming & by_name)
        return
    troubled = by_name & {sign.part for sign in signs}
    for likely in (by_name, troubled):
        if len(likely) == 1:
            yield from likely
            return
