"""The picture of a chain for a thread: each victim below and right of the part that dragged it along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from detection.chain import TreeNode, chain_tree
from detection.types import JsonValue
from integrations.charts import MEASURED, ONSET, USUAL
from integrations.text import visible

LEAST_WIDTH, ROW, MARGIN = 480, 52, 26
INDENT = 40
LETTER = 12.5
"""Pixels a letter takes in the font below, at most in the mean."""

FONT_SIZE = 22
LONGEST_NAME = 40


def chain_chart(origin: str, path: Sequence[tuple[str, str]]) -> dict[str, JsonValue]:
    """Return the picture as a Vega-Lite 5 specification with inline data. path: (cause, victim) pairs."""
    nodes = chain_tree(origin, path)
    width = max(LEAST_WIDTH, *(_x(node) + 20 + LETTER * len(node_label(node)) for node in nodes))
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": round(width),
        "height": ROW * len(nodes),
        "background": "white",
        "padding": 16,
        "encoding": {"x": _place("x", [0, round(width)]), "y": _place("y", [ROW * len(nodes), 0])},
        "layer": [
            {
                "data": {"values": list(_lines(nodes))},
                "mark": {"type": "rule", "color": USUAL, "strokeWidth": 3},
                "encoding": {"x2": {"field": "x2"}, "y2": {"field": "y2"}},
            },
            *(_dots(nodes, is_origin=is_origin) for is_origin in (True, False)),
            {
                "data": {
                    "values": [{**_at(place, node), "label": node_label(node)} for place, node in enumerate(nodes)]
                },
                "mark": {"type": "text", "align": "left", "dx": 18, "baseline": "middle", "fontSize": FONT_SIZE},
                "encoding": {"text": {"field": "label"}},
            },
        ],
        "config": {"font": "sans-serif", "view": {"stroke": None}},
    }


def _place(field: str, domain: list[JsonValue]) -> dict[str, JsonValue]:
    return {"field": field, "type": "quantitative", "scale": {"domain": domain, "nice": False}, "axis": None}


def _dots(nodes: Sequence[TreeNode], *, is_origin: bool) -> JsonValue:
    shown: list[JsonValue] = [_at(place, node) for place, node in enumerate(nodes) if (node.rank == 0) == is_origin]
    colour, shape = (ONSET, "diamond") if is_origin else (MEASURED, "circle")
    return {
        "data": {"values": shown},
        "mark": {"type": "point", "filled": True, "size": 260, "color": colour, "shape": shape, "opacity": 1},
    }


def _lines(nodes: Sequence[TreeNode]) -> Iterable[JsonValue]:
    """Yield a line down from each cause and one across to its victim."""
    for place, node in enumerate(nodes):
        if node.parent is not None:
            cause = nodes[node.parent]
            yield {"x": _x(cause), "y": _y(node.parent), "x2": _x(cause), "y2": _y(place)}
            yield {"x": _x(cause), "y": _y(place), "x2": _x(node), "y2": _y(place)}


def _at(place: int, node: TreeNode) -> dict[str, JsonValue]:
    return {"x": _x(node), "y": _y(place)}


def _x(node: TreeNode) -> float:
    return MARGIN + INDENT * node.rank


def _y(place: int) -> float:
    return ROW * (place + 0.5)


def node_label(node: TreeNode) -> str:
    """Return what stands beside a part: its name, whether it failed first, and who dragged it along too."""
    also = f" (also by {', '.join(_short(name) for name in node.also[:2])})" if node.also else ""
    first = " failed first" if node.rank == 0 else ""
    return _short(node.name) + first + also


def _short(name: str) -> str:
    line = visible(name)
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1] + "…"
