"""The chain as one line for a card, and as a graph for the API."""

from __future__ import annotations

from detection.chain.account import Chain
from detection.types import JsonValue

_LONGEST_LINE = 6


def chain_line(chain: Chain) -> str:
    """Return "cart-db → cart → checkout": the longest way, and who else was dragged along; empty without an origin."""
    if chain.origin is None or not chain.links:
        return chain.origin or ""
    way = _longest_way(chain, chain.origin, frozenset())
    beside = [victim for victim in chain.victims if victim not in way]
    shown = way if len(way) <= _LONGEST_LINE else (*way[:3], "…", *way[-2:])
    line = " → ".join(shown)
    if len(way) == 2 and beside:
        return f"{way[0]} → {', '.join((way[1], *beside))}"
    return f"{line} (and {', '.join(beside)})" if beside else line


def _longest_way(chain: Chain, part: str, passed: frozenset[str]) -> tuple[str, ...]:
    ways = [
        _longest_way(chain, link.target, passed | {part})
        for link in chain.links
        if link.source == part and link.target not in passed
    ]
    return (part, *max(ways, key=len, default=()))


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
