"""Render cards as Adaptive Cards 1.4, which every Teams client can show: https://adaptivecards.io/explorer/."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

from detection.types import Severity
from integrations import wording
from integrations.cards import MOMENT, Card, CardLink

Element: TypeAlias = dict[str, Any]

CARD_BYTES = 26_000
"""Teams accepts 28 KB per message; the rest is for the envelope."""

TEXT_BLOCK = 4000
FALLBACK_TEXT = 1000
FACT_TEXT = 300
FACTS_BYTES = 8000
LINK_BUTTONS = 6
URL_LIMIT = 1000
LEFT_OUT = "… the rest does not fit in one message."

_COLOURS = {
    Severity.SEV1: "Attention",
    Severity.SEV2: "Warning",
    Severity.SEV3: "Accent",
    Severity.SEV4: "Default",
}
_FENCED = re.compile(r"^```\w*[ \t]*\n(.*?)(?:^```[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)


def adaptive_card(card: Card) -> dict[str, Any]:
    """Render the card as an Adaptive Card, with links but without buttons: a webhook's card cannot call us back.

    A picture is replaced by its alternative text, because it was uploaded to another channel.
    """
    body = [_title(card), *_facts(card.fields)]
    ending = _ending(card)
    frame: dict[str, Any] = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "fallbackText": wording.cut(wording.card_text(card), FALLBACK_TEXT),
        "msteams": {"width": "Full"},
    }
    links = [_link_button(item) for item in card.links if len(item.url) <= URL_LIMIT][:LINK_BUTTONS]
    if links:
        frame["actions"] = links
    room = CARD_BYTES - _size([frame, *body, *ending])
    for element in (element for text in (card.text, *card.sections) for element in _text(text)):
        room -= _size(element)
        if room < 0:
            body.append(_text_block(LEFT_OUT, isSubtle=True))
            break
        body.append(element)
    return {**frame, "body": [*body, *ending]}


def _size(element: object) -> int:
    return len(json.dumps(element, ensure_ascii=False).encode())


def _text_block(text: str, **style: object) -> Element:
    return {"type": "TextBlock", "text": wording.cut(text, TEXT_BLOCK), "wrap": True, **style}


def _title(card: Card) -> Element:
    """Render the title. It shows the severity as a word and an emoji; the colour only repeats it."""
    colour = _COLOURS[card.severity] if card.severity else "Default"
    text = wording.cut(wording.titled(card), 300)
    return _text_block(text, size="Large", weight="Bolder", color=colour)


def _facts(fields: tuple[tuple[str, str], ...]) -> list[Element]:
    facts: list[Element] = []
    for label, value in fields:
        facts.append(
            {
                "title": wording.cut(label, 100),
                "value": wording.cut(wording.plain(_with_local_times(value)), FACT_TEXT) or "-",
            }
        )
        if _size(facts) > FACTS_BYTES:
            facts.pop()
            break
    return [{"type": "FactSet", "facts": facts}] if facts else []


def _text(markdown: str) -> Iterator[Element]:
    """Render prose as Teams' Markdown (bold, lists, links), and each fence as a separate monospace block."""
    position = 0
    for fence in _FENCED.finditer(markdown):
        yield from _prose(markdown[position : fence.start()])
        if fence[1].strip():
            yield _text_block(_separate_lines(fence[1].rstrip("\n")), fontType="Monospace", size="Small")
        position = fence.end()
    yield from _prose(markdown[position:])


def _prose(markdown: str) -> Iterator[Element]:
    if markdown.strip():
        yield _text_block(_separate_lines(_with_local_times(markdown.strip().replace("`", ""))))


def _with_local_times(text: str) -> str:
    """Replace each time with the form that Teams shows in the reader's time zone."""
    return MOMENT.sub(lambda found: _date_and_time(int(found[1])), text)


def _date_and_time(at: int) -> str:
    iso = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{{{{TIME({iso})}}}} {{{{DATE({iso}, SHORT)}}}}"


def _separate_lines(text: str) -> str:
    """Put a blank line between lines that are not list items, because Teams joins adjacent lines as Markdown does."""
    return re.sub(r"\n+(?!\s*[-*] )", "\n\n", text)


def _ending(card: Card) -> list[Element]:
    ending = []
    if card.picture:
        ending.append(_text_block(f"Chart: {wording.cut(card.picture.alt_text, 500)}", isSubtle=True))
    if card.context:
        ending.append(
            _text_block(wording.cut(wording.plain(_with_local_times(card.context)), 500), isSubtle=True, size="Small")
        )
    return ending


def _link_button(item: CardLink) -> Element:
    return {"type": "Action.OpenUrl", "title": wording.cut(item.label, 75), "url": item.url}
