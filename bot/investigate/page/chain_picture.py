"""The chain of an incident as an SVG picture: each victim below and right of whom it was dragged along by.

A tree and not a net, so that it stays readable on a phone; who was dragged along by several is said so in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from integrations.text import visible

ROW, INDENT, LETTER, MARGIN = 30, 22, 8.8, 14
LONGEST_NAME = 36
MOST_NODES = 40


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    rank: int
    parent: int | None
    also: tuple[str, ...] = ()


def chain_picture(origin: str, path: Sequence[tuple[str, str]]) -> str:
    """Return the picture as an SVG element that takes its colours from the page; empty without any link.

    path: (cause, victim) pairs.
    """
    nodes = _tree(origin, path)
    if len(nodes) < 2:
        return ""
    width = max(MARGIN * 3 + INDENT * node.rank + LETTER * len(_label(node)) for node in nodes)
    height = ROW * len(nodes) + MARGIN
    parts = [text for place, node in enumerate(nodes) for text in _drawn(place, node)]
    label = escape(f"{_short(origin)} failed first", quote=True)
    return (
        f'<svg class="chain" role="img" aria-label="{label}" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}">{"".join(parts)}</svg>'
    )


def _tree(origin: str, path: Sequence[tuple[str, str]]) -> list[_Node]:
    """Return the parts depth first, each once."""
    below: dict[str, list[str]] = {}
    above: dict[str, list[str]] = {}
    for cause, victim in path:
        below.setdefault(cause, []).append(victim)
        above.setdefault(victim, []).append(cause)
    nodes: list[_Node] = []
    _grow(origin, 0, None, below, above, nodes)
    return nodes


def _grow(
    name: str,
    rank: int,
    parent: int | None,
    below: Mapping[str, Sequence[str]],
    above: Mapping[str, Sequence[str]],
    nodes: list[_Node],
) -> None:
    by = nodes[parent].name if parent is not None else None
    nodes.append(_Node(name, rank, parent, tuple(one for one in above.get(name, ()) if one != by and rank)))
    place = len(nodes) - 1
    for victim in below.get(name, ()):
        if len(nodes) < MOST_NODES and all(node.name != victim for node in nodes):
            _grow(victim, rank + 1, place, below, above, nodes)


def _drawn(place: int, node: _Node) -> Iterator[str]:
    x, y = MARGIN + INDENT * node.rank, MARGIN + ROW * place
    if node.parent is not None:
        from_x, from_y = x - INDENT, MARGIN + ROW * node.parent
        yield f'<path d="M{from_x} {from_y + 6}V{y}H{x - 6}"/>'
    yield f'<circle class="{"origin" if node.parent is None else "victim"}" cx="{x}" cy="{y}" r="5"/>'
    yield f'<text x="{x + 11}" y="{y + 4}">{escape(_label(node))}</text>'


def _label(node: _Node) -> str:
    also = f" (also by {', '.join(_short(name) for name in node.also[:2])})" if node.also else ""
    return _short(node.name) + also


def _short(name: str) -> str:
    line = visible(name)
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1] + "…"
