"""A node or zone is in trouble: what runs on it suffers alike, whoever calls whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detection.types import OrchestratorEvent
from integrations.cards import moment
from integrations.text import listed, ours, theirs
from workers.diagnosis import weights
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import quoted

CAUSE = "node"
BEFORE_SECONDS = 1800.0
_HALF = 0.5
_NODE_TROUBLE = re.compile(
    r"memory ?pressure|disk ?pressure|pid ?pressure|not ?ready|node.{0,20}(?:unreachable|lost|down|rebooted)|"
    r"system ?oom|evict|oom.?kill|network ?unavailable|kernel ?(?:deadlock|panic)|preempt|spot interruption",
    re.IGNORECASE,
)


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for each node on which something of this incident runs, and that itself shows trouble."""
    involved = observed.involved()
    for node in sorted({place.node for place in observed.scene.places} | _named_by_events(observed)):
        on_it = {place.service for place in observed.scene.places if place.node == node}
        hurt = sorted((involved & on_it) - {node})
        checks = [_events(node, observed), _chain(node, observed), _alike(node, hurt, on_it, observed)]
        known = tuple(item for item in checks if item is not None)
        if not any(item.weight > 0 for item in known) or not (hurt or observed.chain.origin == node):
            continue
        key = f"{CAUSE}:{node}"[:300]
        hypothesis = Hypothesis(
            key=key,
            cause=CAUSE,
            role=Role.ORIGIN,
            statement=ours("Node {node} is in trouble, and what runs on it suffers.", node=quoted(node, 60)),
            prior=weights.NODE_PRIOR,
            service=node,
        )
        yield Suspicion(hypothesis, known)


def _named_by_events(observed: Observed) -> set[str]:
    return {event.node for event in _of_trouble(observed) if event.node}


def _of_trouble(observed: Observed) -> list[OrchestratorEvent]:
    earliest, latest = observed.onset
    return [
        event
        for event in observed.scene.events
        if earliest - BEFORE_SECONDS <= event.happened_at <= latest + BEFORE_SECONDS
        and _NODE_TROUBLE.search(f"{event.reason} {event.message}")
    ]


def _events(node: str, observed: Observed) -> Evidence | None:
    told = [event for event in _of_trouble(observed) if node in (event.node, event.object_name.rpartition("/")[2])]
    if not told:
        return None
    first = min(told, key=lambda event: event.happened_at)
    result = ours(
        "{at}: {reason}, “{message}”.",
        at=moment(first.happened_at),
        reason=quoted(first.reason, 60),
        message=quoted(first.message, 140),
    )
    return evidence("node_events", f"{CAUSE}:{node}", result, weights.NODE_EVENTS, source="orchestrator events")


def _chain(node: str, observed: Observed) -> Evidence | None:
    if observed.chain.origin != node:
        return None
    result = ours("It failed before what runs on it.")
    return evidence("failed_first", f"{CAUSE}:{node}", result, weights.FAILED_FIRST, source="chain")


def _alike(node: str, hurt: list[str], on_it: set[str], observed: Observed) -> Evidence | None:
    """Check whether parts that share the node suffer without calling each other, and parts elsewhere do not."""
    called = {
        (edge.caller, edge.callee) for edge in observed.scene.edges if edge.caller in on_it and edge.callee in on_it
    }
    apart = [part for part in hurt if not any(part in pair for pair in called)]
    if len(apart) < 2 or _is_everywhere(hurt, on_it, observed):
        return None
    result = ours(
        "{parts} run on it and fail together, though none calls another.",
        parts=listed([theirs(quoted(part, 40)) for part in apart[:5]]),
    )
    return evidence("same_node", f"{CAUSE}:{node}", result, weights.SAME_NODE_ALIKE, source="nodes")


def _is_everywhere(hurt: list[str], on_it: set[str], observed: Observed) -> bool:
    """Whether those elsewhere that depend on nothing here suffer as well: then it is not for the node they share."""
    dragged = set(hurt)
    border = list(hurt)
    while border:
        callers = observed.callers(border.pop()) - dragged
        dragged |= callers
        border += callers
    elsewhere = {place.service for place in observed.scene.places} - on_it - dragged
    suffering = elsewhere & observed.involved()
    return len(suffering) > _HALF * len(elsewhere)
