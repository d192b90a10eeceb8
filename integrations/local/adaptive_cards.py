"""Validate Adaptive Cards 1.2 to 1.5, limited to what Teams shows in a webhook message.

Schema: https://adaptivecards.io/explorer/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

VERSIONS = ("1.2", "1.3", "1.4", "1.5")
# Required properties by element type.
_REQUIRED: dict[str, tuple[str, ...]] = {
    "TextBlock": ("text",),
    "RichTextBlock": ("inlines",),
    "Image": ("url",),
    "ImageSet": ("images",),
    "FactSet": ("facts",),
    "Container": ("items",),
    "ColumnSet": (),
    "Column": (),
    "ActionSet": ("actions",),
    "TextRun": ("text",),
    "Table": (),
    "TableRow": (),
    "TableCell": ("items",),
    "Action.OpenUrl": ("url",),
    "Action.ShowCard": (),
    "Action.ToggleVisibility": ("targetElements",),
}
_BODY = ("TextBlock", "RichTextBlock", "Image", "ImageSet", "FactSet", "Container", "ColumnSet", "ActionSet", "Table")
# Action.Submit and Action.Execute need a bot to receive them; a webhook has none.
_ACTIONS = ("Action.OpenUrl", "Action.ShowCard", "Action.ToggleVisibility")
# Allowed child types by parent type and property.
_CHILDREN: dict[tuple[str, str], tuple[str, ...]] = {
    ("AdaptiveCard", "body"): _BODY,
    ("AdaptiveCard", "actions"): _ACTIONS,
    ("Container", "items"): _BODY,
    ("Column", "items"): _BODY,
    ("ColumnSet", "columns"): ("Column",),
    ("ActionSet", "actions"): _ACTIONS,
    ("ImageSet", "images"): ("Image",),
    ("Table", "rows"): ("TableRow",),
    ("TableRow", "cells"): ("TableCell",),
    ("TableCell", "items"): _BODY,
}


def problems_of(card: object, place: str) -> list[str]:
    """Return everything that Teams would refuse in a card, each with its location; empty if the card is valid."""
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        return [f'{place}.type must be "AdaptiveCard"']
    problems = list(_check_children(card, "AdaptiveCard", place))
    if card.get("version") not in VERSIONS:
        problems.append(f"{place}.version must be one of {', '.join(VERSIONS)}")
    if not card.get("body") and not card.get("actions"):
        problems.append(f"{place}.body is empty")
    return problems


def _check_children(parent: dict[str, Any], kind: str, place: str) -> Iterator[str]:
    for (holder, name), allowed in _CHILDREN.items():
        if holder != kind or name not in parent:
            continue
        children = parent[name]
        if not isinstance(children, list):
            yield f"{place}.{name} must be a list"
            continue
        for index, child in enumerate(children):
            yield from _check_element(child, allowed, f"{place}.{name}[{index}]")


def _check_element(element: object, allowed: tuple[str, ...], place: str) -> Iterator[str]:
    if not isinstance(element, dict):
        yield f"{place} must be an object"
        return
    # In a list that allows only one type, an element may omit its `type`.
    kind = element.get("type", allowed[0] if len(allowed) == 1 else None)
    if kind not in allowed:
        yield f"{place}.type {kind!r} is not allowed here"
        return
    for name in _REQUIRED[kind]:
        if element.get(name) in (None, ""):
            yield f"{place}.{name} is missing"
    if kind == "FactSet":
        yield from _check_facts(element.get("facts"), place)
    if kind == "Action.OpenUrl" and not str(element.get("url", "")).startswith(("http://", "https://")):
        yield f"{place}.url must be an http or https address"
    if kind == "Action.ShowCard":
        yield from problems_of({"version": VERSIONS[0], **(element.get("card") or {})}, f"{place}.card")
    yield from _check_children(element, kind, place)


def _check_facts(facts: object, place: str) -> Iterator[str]:
    for index, fact in enumerate(facts if isinstance(facts, list) else []):
        if not isinstance(fact, dict) or not all(isinstance(fact.get(name), str) for name in ("title", "value")):
            yield f"{place}.facts[{index}] needs a title and a value"
