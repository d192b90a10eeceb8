"""Small outages told in a few words, for the tests of the chain."""

from __future__ import annotations

from collections.abc import Iterable

from detection.chain import Chain, LineGroup, Sign, Surroundings, TraceHop, trace_chain
from detection.chain.signs import signs_of_events, signs_of_lines
from detection.types import EdgeKind, OrchestratorEvent, ServiceEdge, ServicePlace, SymptomKind

MINUTE = 60.0
ALARM = 30 * MINUTE


def edges(text: str) -> tuple[ServiceEdge, ...]:
    """Read "shop > cart, cart = cart-db": calls and keeps its data in."""
    found = []
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        kind = EdgeKind.CALLS if " > " in pair else EdgeKind.STORES
        caller, callee = (end.strip() for end in pair.replace(" = ", " > ").split(">"))
        found.append(ServiceEdge(caller, callee, kind, "declared", 0.0))
    return tuple(found)


def places(text: str) -> tuple[ServicePlace, ...]:
    """Read "node-1: cart auth, node-2: shop"."""
    found = []
    for group in filter(None, (group.strip() for group in text.split(","))):
        node, services = group.split(":")
        found += [ServicePlace(service, node.strip(), 0.0) for service in services.split()]
    return tuple(found)


def metrics(text: str) -> list[Sign]:
    """Read "cart latency 10, cart errors 12": part, kind and the minute by which it was off."""
    found = []
    for sign in filter(None, (sign.strip() for sign in text.split(","))):
        part, kind, minute = sign.split()
        at = float(minute) * MINUTE
        found.append(Sign(part, SymptomKind(kind), at - MINUTE, at, 50.0, kind, source="metric"))
    return found


def lines(parts: Iterable[str], *groups: tuple[str, str, float]) -> list[Sign]:
    """Read (part, text, minute) as new bad lines."""
    return list(
        signs_of_lines((LineGroup(part, text, 500, 0, at * MINUTE, True) for part, text, at in groups), set(parts))
    )


def event(object_name: str, reason: str, message: str, minute: float, node: str | None = None) -> OrchestratorEvent:
    """Return a warning of the orchestrator."""
    return OrchestratorEvent(f"{reason}-{minute}", minute * MINUTE, reason, message, object_name, node=node)


def hop(part: str, parent: str | None, minute: float, error: str = "") -> TraceHop:
    """Return a span."""
    return TraceHop(part, parent, minute * MINUTE, 100.0, None, bool(error), error)


def told(
    calls: str,
    signs: str = "",
    *,
    alerted: str | None,
    said: Iterable[tuple[str, str, float]] = (),
    on: str = "",
    events: tuple[OrchestratorEvent, ...] = (),
    traces: tuple[tuple[TraceHop, ...], ...] = (),
    more_parts: Iterable[str] = (),
    quiet: Iterable[str] = (),
    differing: Iterable[str] = (),
    heard: Iterable[str] = (),
    more_signs: Iterable[Sign] = (),
) -> Chain:
    """Trace the chain of a story. quiet: parts whose latency and errors are measured, and well.

    differing: those of which something else is no longer what it was. heard: those that tell of themselves besides.
    """
    known, where = edges(calls), places(on)
    parts = {end for edge in known for end in (edge.caller, edge.callee)} | set(more_parts)
    parts |= {name for place in where for name in (place.service, place.node)}
    seen = metrics(signs)
    parts |= {sign.part for sign in seen}
    found = [*seen, *more_signs, *lines(parts, *said), *signs_of_events(events, parts)]
    well = frozenset(quiet)
    all_heard = well | {sign.part for sign in found} | {*heard}
    surroundings = Surroundings(
        known, where, events, traces, heard=all_heard, measured=well, differing=frozenset(differing)
    )
    return trace_chain(found, surroundings, alerted=alerted, alerted_at=ALARM, parts=parts | all_heard)


def links(chain: Chain) -> set[str]:
    """Return "cart-db > cart" for each link, from cause to victim."""
    return {f"{link.source} > {link.target}" for link in chain.links}
