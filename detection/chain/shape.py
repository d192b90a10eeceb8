"""The links that are drawn: each victim's likeliest way, others that are as good, and no shortcuts."""

from __future__ import annotations

from detection.chain.dependencies import Dependencies, Tie
from detection.chain.link import Link
from detection.chain.origin import Candidate

_AS_GOOD = 1.5
_CLEARLY_BEFORE = 1.2


def drawn_links(chosen: Candidate, links: dict[tuple[str, str], Link], dependencies: Dependencies) -> tuple[Link, ...]:
    """Return the links from the origin outwards, in the order in which the failure spread; never one against it."""
    rank = {chosen.part: 0} | {link.target: place for place, link in enumerate(chosen.grown, start=1)}
    tree = {link.target: link for link in chosen.grown}
    kept = list(chosen.grown)
    for link in links.values():
        best = tree.get(link.target)
        if best is None or link is best or rank.get(link.source, len(rank)) >= rank[link.target]:
            continue
        if link.is_named or link.score >= (_CLEARLY_BEFORE if best.is_named else best.score - _AS_GOOD):
            kept.append(link)
    kept = _without_shortcuts(kept, chosen.part, dependencies)
    return tuple(sorted(kept, key=lambda link: (rank[link.target], rank[link.source])))


def _without_shortcuts(links: list[Link], origin: str, dependencies: Dependencies) -> list[Link]:
    """Leave out a link whose ends a longer way joins as well, unless the errors name its source.

    From a node it is the other way round: all that run there are hit at once, whoever of them calls whom.
    """
    neighbours = dependencies.on_node(origin)
    direct = {link.target for link in links if link.source == origin and link.target in neighbours}
    links = [link for link in links if link.source == origin or link.target not in direct or link.is_named]
    kept = []
    for link in links:
        is_hit_at_once = link.source == origin and link.target in direct
        if link.is_named or is_hit_at_once or not _joined_otherwise(link, links):
            kept.append(link)
    return kept


def _joined_otherwise(link: Link, links: list[Link]) -> bool:
    border, seen = [link.source], {link.source}
    while border:
        part = border.pop()
        for other in links:
            if other.source != part or other is link or other.target in seen:
                continue
            if other.target == link.target:
                return True
            seen.add(other.target)
            border.append(other.target)
    return False


def holders_of(origin: str, using: set[str], dependencies: Dependencies) -> tuple[str, ...]:
    """Return the parts that only use much of the origin, a store or a node, and so hold what the others lack."""
    return tuple(
        sorted(
            one
            for (one, other), tie in dependencies.ties.items()
            if other == origin and one in using and tie in (Tie.STORES, Tie.RUNS_ON, Tie.NAMES, Tie.CALLS)
        )
    )
