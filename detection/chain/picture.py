"""The chain as one line for a card, as a graph for the API, and as the tree that pictures are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detection.chain.account import Chain
from detection.types import JsonValue

_LONGEST_LINE = 6
_MOST_NODES = 40

Path = Sequence[tuple[str, str]]
"""(cause, victim) pairs."""


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A part in the tree of a chain. rank: steps from the origin. parent: the place of the part that dragged it along.

    also: other parts that dragged it along too.
    """

    name: str
    rank: int
    parent: int | None
    also: tuple[str, ...] = ()


def chain_line(origin: str | None, path: Path, victims: Sequence[str] = ()) -> str:
    """Return "cart-db → cart → checkout": the longest way, and who else was dragged along; empty without an origin."""
    if origin is None or not path:
        return origin or ""
    way = _longest_way(origin, path, frozenset())
    everybody = dict.fromkeys((*victims, *(victim for _, victim in path)))
    beside = [victim for victim in everybody if victim not in way]
    shown = way if len(way) <= _LONGEST_LINE else (*way[:3], "…", *way[-2:])
    line = " → ".join(shown)
    if len(way) == 2 and beside:
        return f"{way[0]} → {', '.join((way[1], *beside))}"
    return f"{line} (and {', '.join(beside)})" if beside else line


def _longest_way(part: str, path: Path, passed: frozenset[str]) -> tuple[str, ...]:
    ways = [
        _longest_way(victim, path, passed | {part}) for cause, victim in path if cause == part and victim not in passed
    ]
    return (part, *max(ways, key=len, default=()))


def path_of(chain: Chain) -> tuple[tuple[str, str], ...]:
    """Return the chain's links as (cause, victim) pairs."""
    return tuple((link.source, link.target) for link in chain.links)


def chain_tree(origin: str, path: Path) -> list[TreeNode]:
    """Return the parts that the origin reaches, depth first and each once: a tree stays readable on a phone."""
    below: dict[str, list[str]] = {}
    above: dict[str, list[str]] = {}
    for cause, victim in path:
        below.setdefault(cause, []).append(victim)
        above.setdefault(victim, []).append(cause)
    nodes: list[TreeNode] = []
    _grow(origin, None, below, above, nodes)
    return nodes


def _grow(
    name: str,
    parent: int | None,
    below: Mapping[str, Sequence[str]],
    above: Mapping[str, Sequence[str]],
    nodes: list[TreeNode],
) -> None:
    by, rank = (None, 0) if parent is None else (nodes[parent].name, nodes[parent].rank + 1)
    also = () if parent is None else tuple(one for one in above.get(name, ()) if one != by)
    nodes.append(TreeNode(name, rank, parent, also))
    place = len(nodes) - 1
    for victim in below.get(name, ()):
        if len(nodes) < _MOST_NODES and all(node.name != victim for node in nodes):
            _grow(victim, place, below, above, nodes)


def chain_graph(chain: Chain) -> dict[str, JsonValue]:
    """Return nodes (name, role: origin, victim or apart, rank from the origin) and edges (source, target, why)."""
    ranks: dict[str, int] = {} if chain.origin is None else {chain.origin: 0}
    for link in chain.links:
        if link.source in ranks:
            ranks.setdefault(link.target, ranks[link.source] + 1)
    roles = [(part, "origin" if rank == 0 else "victim", rank) for part, rank in ranks.items()]
    roles += [(part, "victim", 1) for part in chain.victims if part not in ranks]
    roles += [(part, "apart", 0) for part in chain.apart]
    nodes: list[JsonValue] = [{"name": name, "role": role, "rank": rank} for name, role, rank in roles]
    edges: list[JsonValue] = [{"source": link.source, "target": link.target, "why": link.why} for link in chain.links]
    return {"nodes": nodes, "edges": edges, "confidence": chain.confidence}
