"""The chain of an incident as an SVG picture: each victim below and right of whom it was dragged along by.

A tree and not a net, so that it stays readable on a phone; who was dragged along by several is said so in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from detection.chain import TreeNode, chain_tree
from integrations.text import visible
from workers.telling.chain_chart import node_label

ROW, INDENT, LETTER, MARGIN = 30, 22, 8.8, 14


def chain_picture(origin: str, path: Sequence[tuple[str, str]]) -> str:
    """Return the picture as an SVG element that takes its colours from the page; empty without any link.

    path: (cause, victim) pairs.
    """
    nodes = chain_tree(origin, path)
    if len(nodes) < 2:
        return ""
    width = max(MARGIN * 3 + INDENT * node.rank + LETTER * len(node_label(node)) for node in nodes)
    height = ROW * len(nodes) + MARGIN
    parts = [text for place, node in enumerate(nodes) for text in _drawn(place, node)]
    label = escape(f"{visible(origin)} failed first", quote=True)
    return (
        f'<svg class="chain" role="img" aria-label="{label}" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}">{"".join(parts)}</svg>'
    )


def _drawn(place: int, node: TreeNode) -> Iterator[str]:
    x, y = MARGIN + INDENT * node.rank, MARGIN + ROW * place
    if node.parent is not None:
        from_x, from_y = x - INDENT, MARGIN + ROW * node.parent
        yield f'<path d="M{from_x} {from_y + 6}V{y}H{x - 6}"/>'
    yield f'<circle class="{"origin" if node.parent is None else "victim"}" cx="{x}" cy="{y}" r="5"/>'
    yield f'<text x="{x + 11}" y="{y + 4}">{escape(node_label(node))}</text>'
