"""Signs from what the orchestrator reports: pressure on nodes, kills, evictions, failing probes.

Only the reason, the object and the node of an event count, which the orchestrator writes itself. Its message may hold
what a container printed or a probe was answered, and so whatever somebody wants it to hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from detection.chain.names import parts_named_in
from detection.chain.observed import Sign
from detection.types import OrchestratorEvent, SymptomKind

_ROUTINE = frozenset(
    [
        "scalingreplicaset",
        "successfulcreate",
        "successfuldelete",
        "scheduled",
        "pulled",
        "pulling",
        "created",
        "started",
        "killing",
        "nodeready",
        "successfulrescale",
        "completed",
        "sawcompletedjob",
        "registerednode",
        "nodehassufficientmemory",
        "nodehasnodiskpressure",
        "nodehassufficientpid",
        "nodeschedulable",
        "leaderelection",
        "synced",
    ]
)
_REASONS: tuple[tuple[str, SymptomKind], ...] = (
    ("memorypressure", SymptomKind.MEMORY),
    ("insufficientmemory", SymptomKind.MEMORY),
    ("oomkill", SymptomKind.MEMORY),
    ("systemoom", SymptomKind.MEMORY),
    ("diskpressure", SymptomKind.DISK),
    ("freediskspacefailed", SymptomKind.DISK),
    ("failedmount", SymptomKind.DISK),
    ("failedattachvolume", SymptomKind.DISK),
    ("pidpressure", SymptomKind.THREADS),
    ("notready", SymptomKind.CRASH),
    ("networkunavailable", SymptomKind.NETWORK),
    ("evict", SymptomKind.RESTARTS),
    ("preempt", SymptomKind.RESTARTS),
    ("backoff", SymptomKind.RESTARTS),
    ("crashloop", SymptomKind.RESTARTS),
    ("unhealthy", SymptomKind.ERRORS),
    ("probe", SymptomKind.LATENCY),
    ("maxconnections", SymptomKind.CONNECTIONS),
    ("connectionlimit", SymptomKind.CONNECTIONS),
    ("certificate", SymptomKind.CERTIFICATE),
    ("clock", SymptomKind.AUTHENTICATION),
    ("ntp", SymptomKind.AUTHENTICATION),
)
_BY_THE_NODE = ("evict", "preempt", "notready", "systemoom", "taint")


def signs_of_events(events: Iterable[OrchestratorEvent], parts: Collection[str]) -> tuple[Sign, ...]:
    """Return the signs that orchestrator events give. parts: every known service, database and node."""
    return tuple(sign for event in events for sign in _signs(event, parts))


def _signs(event: OrchestratorEvent, parts: Collection[str]) -> Iterable[Sign]:
    reason = event.reason.lower().replace("_", "").replace(" ", "")
    if reason in _ROUTINE:
        return
    part = _part(event, parts)
    if part is None:
        return
    kinds = {kind for word, kind in _REASONS if word in reason}
    if not kinds and event.is_warning:
        kinds.add(SymptomKind.ERRORS)
    is_by_the_node = event.node and event.node != part and any(word in reason for word in _BY_THE_NODE)
    blames = frozenset({event.node} if event.node and is_by_the_node else ())
    for kind in sorted(kinds):
        yield Sign(part, kind, event.happened_at, event.happened_at, 1.0, event.reason, blames, "event")


def _part(event: OrchestratorEvent, parts: Collection[str]) -> str | None:
    kind, _, name = event.object_name.rpartition("/")
    if kind.lower() == "node":
        return name
    if event.service:
        return event.service
    named = parts_named_in(name, parts)
    return next(iter(named)) if len(named) == 1 else None
