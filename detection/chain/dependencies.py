"""Who depends on whom, from declared edges, spans, nodes, and from what error texts name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from detection.chain.names import Names
from detection.chain.observed import Sign, Surroundings
from detection.symptoms import symptoms_of_text
from detection.types import EdgeKind, SymptomKind


class Tie(StrEnum):
    """How one part depends on another."""

    CALLS = "calls"
    STORES = "keeps its data in"
    RUNS_ON = "runs on"
    NAMES = "names in its errors"
    RESOLVES = "looks names up with"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """ties: (dependent, what it depends on) to how. blamed: the pairs of it whose errors say so themselves.

    declared: the pairs that somebody wrote down. places: service to nodes. patient, hasty: those of the blamed that
    were found and did not do as asked; hasty, where it is only said that no answer came in a fraction of a second, or
    that a certificate was refused.
    """

    ties: dict[tuple[str, str], Tie]
    blamed: frozenset[tuple[str, str]]
    places: dict[str, frozenset[str]]
    declared: frozenset[tuple[str, str]] = frozenset()
    patient: frozenset[tuple[str, str]] = frozenset()
    hasty: frozenset[tuple[str, str]] = frozenset()

    def callers_of(self, part: str) -> set[str]:
        """Return who calls the part or keeps data there."""
        return {one for (one, other), tie in self.ties.items() if other == part and tie in (Tie.CALLS, Tie.STORES)}

    def callees_of(self, part: str) -> set[str]:
        """Return whom the part calls and where it keeps its data."""
        return {other for (one, other), tie in self.ties.items() if one == part and tie in (Tie.CALLS, Tie.STORES)}

    def on_node(self, node: str) -> set[str]:
        """Return the parts that run on a node."""
        return {part for part, nodes in self.places.items() if node in nodes}


_DECLARED = "declared"
_HASTY = re.compile(r"(?<![\d.])[1-4]?\d{1,2} ?ms\b")
_SOME_TIME = re.compile(r"<N> ?ms\b", re.IGNORECASE)
"""A time that a template leaves open: a line that the store has word for word says how long it was."""

_IS_UNKNOWN = re.compile(r"no such host|nxdomain|enotfound|unknownhost", re.IGNORECASE)
_IS_UNANSWERED = re.compile(
    r"temporary failure|eai_again|servfail|server misbehaving|try again|timed? ?-?out", re.IGNORECASE
)
_RESOLVER = re.compile(r"(?:^|[^a-z])(?:core|kube-?)?dns|resolver|bind9|unbound", re.IGNORECASE)


def dependencies_of(signs: Iterable[Sign], surroundings: Surroundings, names: Names) -> Dependencies:
    """Join every source. A name in an error text counts unless the map says that the named one is the caller."""
    ties: dict[tuple[str, str], Tie] = {}
    for edge in surroundings.edges:
        tie = Tie.STORES if edge.kind is EdgeKind.STORES else Tie.CALLS
        _add(ties, names(edge.caller), names(edge.callee), tie)
    for trace in surroundings.traces:
        for hop in trace:
            if hop.parent_part:
                _add(ties, names(hop.parent_part), names(hop.part), Tie.CALLS)
    places = _places(surroundings, names)
    for part, nodes in places.items():
        for node in nodes:
            _add(ties, part, node, Tie.RUNS_ON)
    known = list(signs)
    patient, hasty, unknown = _add_complaints(ties, known, names)
    unresolved = _add_resolvers(ties, known, names)
    declared = {(names(edge.caller), names(edge.callee)) for edge in surroundings.edges if edge.source == _DECLARED}
    return Dependencies(
        ties,
        frozenset(patient | hasty | unknown | unresolved),
        places,
        declared=frozenset(declared),
        patient=frozenset(patient | unresolved),
        hasty=frozenset(hasty - patient),
    )


def _add_complaints(
    ties: dict[tuple[str, str], Tie], signs: list[Sign], names: Names
) -> tuple[set[tuple[str, str]], ...]:
    """Return the pairs of which the first complains of the second: after a while, at once, or that it is not found.

    That nobody answered where a name was looked up is no complaint of what is so named.
    """
    patient, hasty, unknown, open_ended = (set[tuple[str, str]]() for _ in range(4))
    for sign in signs:
        kinds = symptoms_of_text(sign.text)
        is_lookup = SymptomKind.NAME_LOOKUP in kinds
        is_at_once = SymptomKind.CERTIFICATE in kinds or bool(_HASTY.search(sign.text))
        if is_lookup and not _is_unknown(sign.text):
            continue
        for other in sign.blames:
            pair = (names(sign.part), names(other))
            if pair not in ties and pair[::-1] in ties:
                continue
            _add(ties, *pair, Tie.NAMES)
            if is_lookup:
                unknown.add(pair)
            elif is_at_once:
                hasty.add(pair)
            else:
                (open_ended if _SOME_TIME.search(sign.text) else patient).add(pair)
    return patient | (open_ended - hasty), hasty, unknown


def _add(ties: dict[tuple[str, str], Tie], dependent: str, provider: str, tie: Tie) -> None:
    if dependent and provider and dependent != provider:
        pair = (dependent, provider)
        if tie is Tie.STORES or pair not in ties:
            ties[pair] = tie


def _places(surroundings: Surroundings, names: Names) -> dict[str, frozenset[str]]:
    nodes: dict[str, set[str]] = {}
    for place in surroundings.places:
        nodes.setdefault(names(place.service), set()).add(names(place.node))
    for event in surroundings.events:
        if event.node and event.service:
            nodes.setdefault(names(event.service), set()).add(names(event.node))
    return {part: frozenset(found) for part, found in nodes.items()}


def _add_resolvers(ties: dict[tuple[str, str], Tie], signs: list[Sign], names: Names) -> set[tuple[str, str]]:
    """Whoever cannot look names up depends on the resolver, which few maps hold. Return the pairs that complain of it.

    That a name is unknown is an answer, and no complaint.
    """
    resolvers = {names(sign.part) for sign in signs if _RESOLVER.search(sign.part)}
    resolvers |= {provider for _, provider in ties if _RESOLVER.search(provider)}
    blamed = set()
    for sign in signs:
        if sign.kind is not SymptomKind.NAME_LOOKUP:
            continue
        for resolver in resolvers - {names(sign.part)}:
            _add(ties, names(sign.part), resolver, Tie.RESOLVES)
            if len(resolvers) == 1 and not _is_unknown(sign.text):
                blamed.add((names(sign.part), resolver))
    return blamed


def _is_unknown(text: str) -> bool:
    """Whether the resolver answered that there is no such name; Java says so as well where none answered."""
    return bool(_IS_UNKNOWN.search(text)) and not _IS_UNANSWERED.search(text)
