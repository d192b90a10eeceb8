"""Who does not belong to the chain: parts with trouble of their own, and an alarm that nothing is known around."""

from __future__ import annotations

from detection.chain.dependencies import Dependencies
from detection.chain.link import Link
from detection.chain.origin import Candidate
from detection.chain.states import State
from detection.types import SymptomKind


def troubled(states: dict[str, State], taken: set[str]) -> tuple[str, ...]:
    """Return the parts with trouble that the chain does not explain, the earliest first."""
    others = [state for part, state in states.items() if part not in taken]
    others = [one for one in others if not one.only_uses and (one.harmed or SymptomKind.CLIENT_ERRORS in one.kinds)]
    return tuple(one.part for one in sorted(others, key=_began))


def _began(state: State) -> tuple[float, str]:
    onsets = [onset.latest for onset in state.kind_onsets.values()]
    return min(onsets, default=0.0), state.part


def stands_alone(best: Candidate, states: dict[str, State], dependencies: Dependencies, apart: tuple[str, ...]) -> bool:
    """Whether the part fails as a victim does, others fail too, and no dependency is known that it could be one of."""
    if best.grown or states[best.part].own_kinds or any(one == best.part for one, _ in dependencies.ties):
        return False
    return any(states[part].harmed for part in apart)


def is_together(part: str, best: Candidate, links: dict[tuple[str, str], Link]) -> bool:
    """Whether the part belongs to this incident: it is of the chain, or leads into it."""
    chain = {best.part, *best.reached}
    return part in chain or any(source == part and target in chain for source, target in links)
