"""A node or zone is in trouble: what runs on it suffers alike, whoever calls whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from detection.chain import Sign
from detection.symptoms.metric_names import split_words
from detection.types import OrchestratorEvent, SymptomKind
from integrations.cards import moment
from integrations.text import listed, ours, theirs
from workers.diagnosis import weights
from workers.diagnosis.causes.alike import fail_alike
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import quoted

CAUSE = "node"
BEFORE_SECONDS = 1800.0
_MACHINE_WORDS = frozenset(("node", "host", "machine", "instance", "vm"))
_RUNS_OUT = frozenset((SymptomKind.DISK, SymptomKind.MEMORY, SymptomKind.CPU))
_HALF = 0.5
_NODE_TROUBLE = re.compile(
    r"memory ?pressure|disk ?pressure|pid ?pressure|not ?ready|node.{0,20}(?:unreachable|lost|down|rebooted)|"
    r"system ?oom|evict|oom.?kill|network ?unavailable|kernel ?(?:deadlock|panic)|preempt|spot interruption",
    re.IGNORECASE,
)

_USED_UP = frozenset((SymptomKind.MEMORY, SymptomKind.CPU, SymptomKind.DISK))
"""What one guest of a node can use up for all of them."""


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for each node on which something of this incident runs, and that itself shows trouble."""
    involved = observed.involved()
    measured = _measured(observed)
    for node in sorted({place.node for place in observed.scene.places} | _named_by_events(observed) | set(measured)):
        on_it = {place.service for place in observed.scene.places if place.node == node}
        ran_out = _ran_out_alike(measured.get(node, ()), observed)
        hurt = sorted(((involved & on_it) | ran_out) - {node})
        checks = [
            _events(node, observed),
            _chain(node, observed),
            _alike(node, hurt, on_it, observed),
            _guest(node, on_it, observed),
            _full(node, measured.get(node, ()), ran_out),
        ]
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


def _measured(observed: Observed) -> dict[str, list[Sign]]:
    """Return what ran out of each machine before it began, by the machine's own metrics: their names say node or host.

    Machines that services are known to run on are left out: for these the chain says as much.
    """
    placed = {place.node for place in observed.scene.places}
    found: dict[str, list[Sign]] = {}
    for sign in observed.signs:
        of_machine = sign.source == "metric" and split_words(sign.text) & _MACHINE_WORDS
        if of_machine and sign.kind in _RUNS_OUT and sign.part not in placed and sign.earliest <= observed.onset[1]:
            found.setdefault(sign.part, []).append(sign)
    return found


def _ran_out_alike(signs: Iterable[Sign], observed: Observed) -> set[str]:
    """Return the parts of the incident, and those that fail as they do, that first lacked what the machine ran out of.

    A single part says nothing: it may have used up its own disk.
    """
    kinds = {sign.kind for sign in signs}
    lacking = set()
    for part in observed.involved():
        for kind, others in fail_alike(part, observed).items():
            if kind in kinds:
                lacking |= {part, *others}
    return lacking


def _full(node: str, signs: Sequence[Sign], ran_out: set[str]) -> Evidence | None:
    parts = sorted(ran_out - {node})
    if not signs or len(parts) < 2:
        return None
    first = min(signs, key=lambda sign: sign.latest)
    result = ours(
        "“{metric}” of it got worse from {at}, and {parts} ran out of the same at the same time.",
        metric=quoted(first.text, 80),
        at=moment(first.latest),
        parts=listed([theirs(quoted(part, 40)) for part in parts[:5]]),
    )
    return evidence("node_full", f"{CAUSE}:{node}", result, weights.NODE_FULL, source="metrics")


def _named_by_events(observed: Observed) -> set[str]:
    return {event.node for event in _of_trouble(observed) if event.node}


def _of_trouble(observed: Observed) -> list[OrchestratorEvent]:
    earliest, latest = observed.onset
    return [
        event
        for event in observed.scene.events
        if earliest - BEFORE_SECONDS <= event.happened_at <= latest + BEFORE_SECONDS
        and _NODE_TROUBLE.search(event.reason)
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


def _guest(node: str, on_it: set[str], observed: Observed) -> Evidence | None:
    """Check whether something that runs on it used it up: then the node is where it shows, and hardly why."""
    own = {sign.kind: sign for sign in reversed(observed.signs) if sign.part == node and sign.kind in _USED_UP}
    users = sorted(
        {
            sign.part
            for sign in observed.signs
            if sign.part in on_it and sign.kind in own and sign.earliest <= own[sign.kind].earliest
        }
    )
    if not users:
        return None
    result = ours(
        "{parts} on it used more of it no later than it ran short.",
        parts=listed([theirs(quoted(part, 40)) for part in users[:5]]),
    )
    return evidence("guest", f"{CAUSE}:{node}", result, weights.NODE_USED_UP_BY_A_GUEST, source="nodes")


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
