"""Cards as Adaptive Cards 1.4, which every Teams client shows: https://adaptivecards.io/explorer/."""

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
"""Teams takes 28 KB a message; the rest is for the envelope."""

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
    """The card as an Adaptive Card. Buttons become links only: a webhook's card cannot call us back.

    A picture is told by its words, because its reference belongs to the channel that it was uploaded to.
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
    links = [_open_url(item) for item in card.links if len(item.url) <= URL_LIMIT][:LINK_BUTTONS]
    if links:
        frame["actions"] = links
    room = CARD_BYTES - _size([frame, *body, *ending])
    for element in (element for text in (card.text, *card.sections) for element in _text(text)):
        room -= _size(element)
        if room < 0:
            body.append(_block(LEFT_OUT, isSubtle=True))
            break
        body.append(element)
    return {**frame, "body": [*body, *ending]}


def _size(element: object) -> int:
    return len(json.dumps(element, ensure_ascii=False).encode())


def _block(text: str, **style: object) -> Element:
    return {"type": "TextBlock", "text": wording.cut(text, TEXT_BLOCK), "wrap": True, **style}


def _title(card: Card) -> Element:
    """The severity is a word and a sign; the colour only repeats it."""
    colour = _COLOURS[card.severity] if card.severity else "Default"
    text = wording.cut(wording.titled(card), 300)
    return _block(text, size="Large", weight="Bolder", color=colour)


def _facts(fields: tuple[tuple[str, str], ...]) -> list[Element]:
    facts: list[Element] = []
    for label, value in fields:
        facts.append(
            {"title": wording.cut(label, 100), "value": wording.cut(wording.plain(_local(value)), FACT_TEXT) or "-"}
        )
        if _size(facts) > FACTS_BYTES:
            facts.pop()
            break
    return [{"type": "FactSet", "facts": facts}] if facts else []


def _text(markdown: str) -> Iterator[Element]:
    """Prose as Teams' own Markdown (bold, lists, links), fenced code in a fixed-width block of its own."""
    position = 0
    for fence in _FENCED.finditer(markdown):
        yield from _prose(markdown[position : fence.start()])
        if fence[1].strip():
            yield _block(_line_by_line(fence[1].rstrip("\n")), fontType="Monospace", size="Small")
        position = fence.end()
    yield from _prose(markdown[position:])


def _prose(markdown: str) -> Iterator[Element]:
    if markdown.strip():
        yield _block(_line_by_line(_local(markdown.strip().replace("`", ""))))


def _local(text: str) -> str:
    """Moments in the form that Teams shows in the reader's own zone."""
    return MOMENT.sub(lambda found: _date_and_time(int(found[1])), text)


def _date_and_time(at: int) -> str:
    iso = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{{{{TIME({iso})}}}} {{{{DATE({iso}, SHORT)}}}}"


def _line_by_line(text: str) -> str:
    """Teams joins lines as Markdown does; a blank line between them keeps them apart, except within a list."""
    return re.sub(r"\n+(?!\s*[-*] )", "\n\n", text)


def _ending(card: Card) -> list[Element]:
    ending = []
    if card.picture:
        ending.append(_block(f"Chart: {wording.cut(card.picture.alt_text, 500)}", isSubtle=True))
    if card.context:
        ending.append(_block(wording.cut(wording.plain(_local(card.context)), 500), isSubtle=True, size="Small"))
    return ending


def _open_url(item: CardLink) -> Element:
    return {"type": "Action.OpenUrl", "title": wording.cut(item.label, 75), "url": item.url}
