"""A node that nobody reported on: all that run on it suffer together, and nobody else does by themselves."""

from __future__ import annotations

from detection.chain.dependencies import Dependencies
from detection.chain.states import Interval, State
from detection.types import SymptomKind

_LEAST_NEIGHBOURS = 3
_TOGETHER_SECONDS = 300.0


def with_hidden_nodes(states: dict[str, State], dependencies: Dependencies) -> dict[str, State]:
    """Return the states with one added for each node that explains three neighbours' trouble and shows no sign itself.

    The neighbours must not depend on one another, all that run there must suffer at about the same time, and another
    node must be known where nobody suffers.
    """
    added = dict(states)
    nodes = {node for found in dependencies.places.values() for node in found}
    for node in nodes - states.keys():
        onset = _common_onset(node, states, dependencies)
        if onset is not None and _another_is_well(node, nodes, states, dependencies):
            kind, neighbours = SymptomKind.NETWORK, frozenset(dependencies.on_node(node) & states.keys())
            added[node] = State(node, frozenset({kind}), onset, None, {kind: onset}, 1.0, neighbours)
    return added


def _common_onset(node: str, states: dict[str, State], dependencies: Dependencies) -> Interval | None:
    # The nodes of a zone are no neighbours of what runs there.
    neighbours = dependencies.on_node(node) - {place for found in dependencies.places.values() for place in found}
    # Who only takes much does not suffer, and may be why the others do.
    neighbours -= {part for part in neighbours if (state := states.get(part)) and state.only_uses}
    onsets = [state.harmed for part in neighbours if (state := states.get(part)) and state.harmed]
    if len(onsets) < _LEAST_NEIGHBOURS or len(onsets) < len(neighbours):
        return None
    if any(one in neighbours and other in neighbours for one, other in dependencies.ties):
        return None
    first = min(onset.earliest for onset in onsets)
    if max(onset.earliest for onset in onsets) - min(onset.latest for onset in onsets) > _TOGETHER_SECONDS:
        return None
    return Interval(first, min(onset.latest for onset in onsets))


def _another_is_well(node: str, nodes: set[str], states: dict[str, State], dependencies: Dependencies) -> bool:
    return any(
        all((state := states.get(part)) is None or state.harmed is None for part in dependencies.on_node(other))
        for other in nodes - {node}
    )
