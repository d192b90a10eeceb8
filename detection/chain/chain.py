"""The chain of an incident: which part failed first, how the failure spread, who is dragged along and who is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from detection.chain.account import Chain, ChainLink, oddly, reasons_for
from detection.chain.apart import is_together, stands_alone, troubled
from detection.chain.dependencies import Dependencies, dependencies_of
from detection.chain.hidden import with_hidden_nodes
from detection.chain.link import Link
from detection.chain.names import Names
from detection.chain.observed import Sign, Surroundings
from detection.chain.origin import Candidate, candidates, certainty
from detection.chain.shape import drawn_links, holders_of
from detection.chain.silent import Known, with_silent_parts
from detection.chain.spread import possible_links
from detection.chain.states import State, states_of
from detection.chain.suspects import Suspect
from detection.types import SymptomKind

_BEFORE_THE_ALARM_SECONDS = 300.0
_CLEARLY_LIKELIER = 0.5
_SURE_BY_ITSELF = 0.7
_ODD = 1.0
_MOST_BY_BEHAVIOUR = 0.8


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
    told = (surroundings.heard, surroundings.measured, surroundings.differing)
    quiet = Known(*({names(part) for part in parts_told} for parts_told in told))
    states = with_silent_parts(with_hidden_nodes(states, dependencies), dependencies, quiet)
    links = possible_links(states, dependencies)
    found = candidates(states, links, dependencies, paged)
    shown = _chain(found, states, links, dependencies, paged) if found else None
    if _behaviour_tells_more(suspected, shown):
        odd = suspected[0]
        return _by_behaviour(odd, names(odd.part), suspected, found, states, links, dependencies)
    return shown or Chain(None, (), (), troubled(states, set()), 0.0, ("No part's signs tell where it began.",))


def _behaviour_tells_more(suspected: Sequence[Suspect], shown: Chain | None) -> bool:
    """Whether to believe the oddest behaviour rather than the chain by signs; never where that chain is sure."""
    score = suspected[0].score if suspected else 0.0
    if score <= 0 or shown is None or shown.origin is None:
        return score > 0
    return shown.confidence < (_SURE_BY_ITSELF if score >= _ODD else _certainty(suspected))


def _by_behaviour(
    odd: Suspect,
    part: str,
    suspected: Sequence[Suspect],
    found: list[Candidate],
    states: dict[str, State],
    links: dict[tuple[str, str], Link],
    dependencies: Dependencies,
) -> Chain:
    """Return the chain that begins where the behaviour is the oddest."""
    chosen = next((one for one in found if one.part == part), Candidate(part, (), 0.0))
    drawn = tuple(ChainLink(link.source, link.target, link.why) for link in drawn_links(chosen, links, dependencies))
    apart = troubled(states, {part, *chosen.reached})
    return Chain(part, drawn, chosen.reached, apart, _certainty(suspected), (oddly(odd),))


def _certainty(suspected: Sequence[Suspect]) -> float:
    """Return how sure it is that it began where the behaviour is the oddest: by how far the next one is behind."""
    lead = suspected[0].score - (suspected[1].score if len(suspected) > 1 else 0.0)
    return round(min(_MOST_BY_BEHAVIOUR, 0.4 + 0.1 * lead), 3)


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
    apart = troubled(states, taken)
    harmed = len({part for part in taken | set(apart) if is_together(part, best, links)} - set(holders))
    confidence = certainty(found, harmed, is_paged=paged is not None)
    if stands_alone(best, states, dependencies, apart):
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
        tuple(reasons_for(best, states, dependencies, holders, paged)),
    )
