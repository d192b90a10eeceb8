"""The account of a chain: what is told of it, and why, in plain English."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from detection.chain.dependencies import Dependencies, Tie
from detection.chain.origin import Candidate
from detection.chain.states import State
from detection.chain.suspects import Suspect


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


def reasons_for(
    best: Candidate, states: dict[str, State], dependencies: Dependencies, holders: tuple[str, ...], paged: str | None
) -> Iterable[str]:
    """Yield why it began there: what the origin shows, who followed, who holds it, and who raised the alarm."""
    state = states[best.part]
    kinds = sorted(kind.in_words for kind in (state.own_kinds or state.kinds))
    yield f"{best.part} shows {_listed(kinds)} of its own."
    if best.reached:
        yield f"{_listed(list(best.reached))} followed, each after what it depends on."
    for holder in holders:
        verb = "runs there" if dependencies.ties.get((holder, best.part)) is Tie.RUNS_ON else f"uses {best.part}"
        yield f"{holder} {verb}, only takes more and does not suffer: it holds what the others lack."
    if paged and paged != best.part:
        yield f"{paged} raised the alarm as a victim."


def oddly(suspect: Suspect) -> str:
    """Return how a part's behaviour gives it away."""
    clues = [clue.name for clue in suspect.clues[:2]]
    return f"{suspect.part} behaves unlike it did without a fault, more than any other part: {_listed(clues)}."


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
