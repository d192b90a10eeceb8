"""The chain of an incident: which part failed first, how the failure spread, who is dragged along and who is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from detection.chain.dependencies import Dependencies, Tie, dependencies_of
from detection.chain.hidden import with_hidden_nodes
from detection.chain.names import Names
from detection.chain.observed import Sign, Surroundings
from detection.chain.origin import Candidate, candidates, certainty
from detection.chain.shape import drawn_links, holders_of
from detection.chain.spread import Link, possible_links
from detection.chain.states import State, states_of
from detection.chain.suspects import Suspect, by_behaviour
from detection.types import SymptomKind

_BEFORE_THE_ALARM_SECONDS = 300.0
_CLEARLY_LIKELIER = 0.5
_MOST_OF_BEHAVIOUR = 6.0


@dataclass(frozen=True, slots=True)
class ChainLink:
    """The failure spread from `source` to `target`: from cause to victim, whoever calls whom. why: plain English."""

    source: str
    target: str
    why: str


@dataclass(frozen=True, slots=True)
class Chain:
    """origin: None if it cannot be told. victims: nearest first. apart: parts with trouble of their own.

    confidence: 0 to 1, that the origin is right. reasons: what speaks for it, plain English.
    """

    origin: str | None
    links: tuple[ChainLink, ...]
    victims: tuple[str, ...]
    apart: tuple[str, ...]
    confidence: float
    reasons: tuple[str, ...]


def trace_chain(
    signs: Iterable[Sign],
    surroundings: Surroundings,
    *,
    alerted: str | None,
    alerted_at: float | None,
    parts: Collection[str],
    suspected: Sequence[Suspect] = (),
) -> Chain:
    """Return how the failure that raised the alarm spread.

    signs: of every part, of this incident or not. alerted: the part that the alarm is about; the chain is the one that
    reaches it. alerted_at: seconds UTC. parts: every known part, so that spellings of one are joined. The two ends of a
    link always have signs; where two origins are about as likely, none is named. suspected: how oddly each part behaves
    against a time without a fault, likeliest first (`suspects_of_windows`), where spans and logs of such a time exist.
    """
    known = list(signs)
    mapped = [end for edge in surroundings.edges for end in (edge.caller, edge.callee)]
    measured = [sign.part for sign in known if sign.source == "metric"]
    names = Names.of(measured, [sign.part for sign in known] + mapped + list(parts))
    paged = names(alerted) if alerted else None
    states = states_of([*known, *_alarm(known, paged, alerted_at, names)], names)
    dependencies = dependencies_of(known, surroundings, names)
    states = with_hidden_nodes(states, dependencies)
    links = possible_links(states, dependencies)
    leaning = {names(one.part): min(one.score, _MOST_OF_BEHAVIOUR) for one in suspected}
    found = candidates(states, links, dependencies, paged, leaning)
    odd = by_behaviour(suspected, {one.part for one in found[:1]})
    if odd is not None:
        return _alone(odd, states, names)
    if not found:
        return Chain(None, (), (), _troubled(states, set()), 0.0, ("No part's signs tell where it began.",))
    return _chain(found, states, links, dependencies, paged)


def _alone(odd: Suspect, states: dict[str, State], names: Names) -> Chain:
    """Return the chain of a part that nothing but its behaviour gives away."""
    part = names(odd.part)
    clues = [clue.name for clue in odd.clues[:2]]
    reason = f"{part} behaves unlike it did without a fault, more than any other part: {_listed(clues)}."
    return Chain(part, (), (), _troubled(states, {part}), 0.5, (reason,))


def _alarm(signs: list[Sign], paged: str | None, at: float | None, names: Names) -> list[Sign]:
    """An alarm is a sign of its own where the part that it is about shows no other."""
    if paged is None or at is None or any(names(sign.part) == paged and sign.source != "trace" for sign in signs):
        return []
    return [Sign(paged, SymptomKind.ERRORS, at - _BEFORE_THE_ALARM_SECONDS, at, 1.0, "the alarm", source="alarm")]


def _chain(
    found: list[Candidate],
    states: dict[str, State],
    links: dict[tuple[str, str], Link],
    dependencies: Dependencies,
    paged: str | None,
) -> Chain:
    best = found[0]
    using = {part for part, state in states.items() if state.only_uses}
    holders = tuple(one for one in holders_of(best.part, using, dependencies) if one not in best.reached)
    taken = {best.part, *best.reached, *holders}
    apart = _troubled(states, taken)
    harmed = len({part for part in taken | set(apart) if _is_together(part, best, links)} - set(holders))
    confidence = certainty(found, harmed)
    if _stands_alone(best, states, dependencies, apart):
        reason = f"{best.part} shows only what a failing dependency would cause, and none of its dependencies is known."
        return Chain(None, (), (), apart, confidence / 2, (reason,))
    rivals = [one.part for one in found[1:] if one.score > best.score - _CLEARLY_LIKELIER]
    if rivals:
        either = " or ".join([best.part, *rivals])
        return Chain(None, (), (), apart, confidence, (f"It began in {either}; their signs do not tell which.",))
    drawn = drawn_links(best, links, dependencies)
    return Chain(
        best.part,
        tuple(ChainLink(link.source, link.target, link.why) for link in drawn),
        best.reached,
        apart,
        confidence,
        tuple(_reasons(best, states, dependencies, holders, paged)),
    )


def _stands_alone(
    best: Candidate, states: dict[str, State], dependencies: Dependencies, apart: tuple[str, ...]
) -> bool:
    """Whether the part fails as a victim does, others fail too, and no dependency is known that it could be one of."""
    if best.grown or states[best.part].own_kinds or any(one == best.part for one, _ in dependencies.ties):
        return False
    return any(states[part].harmed for part in apart)


def _is_together(part: str, best: Candidate, links: dict[tuple[str, str], Link]) -> bool:
    """Whether the part belongs to this incident: it is of the chain, or leads into it."""
    chain = {best.part, *best.reached}
    return part in chain or any(source == part and target in chain for source, target in links)


def _troubled(states: dict[str, State], taken: set[str]) -> tuple[str, ...]:
    """Return the parts with trouble that the chain does not explain, the earliest first."""
    others = [state for part, state in states.items() if part not in taken]
    others = [one for one in others if not one.only_uses and (one.harmed or SymptomKind.CLIENT_ERRORS in one.kinds)]
    return tuple(one.part for one in sorted(others, key=_began))


def _began(state: State) -> tuple[float, str]:
    onsets = [onset.latest for onset in state.kind_onsets.values()]
    return min(onsets, default=0.0), state.part


def _reasons(
    best: Candidate, states: dict[str, State], dependencies: Dependencies, holders: tuple[str, ...], paged: str | None
) -> Iterable[str]:
    state = states[best.part]
    kinds = sorted(kind.replace("_", " ") for kind in (state.own_kinds or state.kinds))
    yield f"{best.part} shows {_listed(kinds)} of its own."
    if best.reached:
        yield f"{_listed(list(best.reached))} followed, each after what it depends on."
    for holder in holders:
        verb = "runs there" if dependencies.ties.get((holder, best.part)) is Tie.RUNS_ON else f"uses {best.part}"
        yield f"{holder} {verb}, only takes more and does not suffer: it holds what the others lack."
    if paged and paged != best.part:
        yield f"{paged} raised the alarm as a victim."


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
