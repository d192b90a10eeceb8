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

SHARES = (1.0, 0.5, 0.25, 0.1)
"""How much of each text is kept, tried in order until the card fits."""

TEXT_BLOCK = 4000
FALLBACK_TEXT = 1000
TITLE_TEXT = 300
LABEL_TEXT = 100
FACT_TEXT = 300
ENDING_TEXT = 500
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

    A picture is replaced by its alternative text, because it was uploaded to another channel. A card that is too large
    even without its longer texts is rendered with shorter ones, and fits in CARD_BYTES as it is sent.
    """
    rendered: dict[str, Any] = {}
    for share in SHARES:
        rendered = _rendered(card, share)
        if size_as_sent(rendered) <= CARD_BYTES:
            break
    return rendered


def size_as_sent(element: object) -> int:
    """Return the bytes of an element in the message, where each character outside ASCII is escaped as \\uXXXX."""
    return len(json.dumps(element))


def _rendered(card: Card, share: float) -> dict[str, Any]:
    """Render the card, with `share` of the length that each of its shorter texts may have."""
    body = [_title(card, share), *_facts(card.fields, share)]
    ending = _ending(card, share)
    frame: dict[str, Any] = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "fallbackText": wording.cut(wording.card_text(card), int(FALLBACK_TEXT * share)),
        "msteams": {"width": "Full"},
    }
    links = [_link_button(item) for item in card.links if len(item.url) <= URL_LIMIT][: int(LINK_BUTTONS * share)]
    if links:
        frame["actions"] = links
    room = CARD_BYTES - size_as_sent({**frame, "body": [*body, *ending, _text_block(LEFT_OUT, isSubtle=True)]})
    for element in (element for text in (card.text, *card.sections) for element in _text(text)):
        room -= size_as_sent(element) + len(", ")
        if room < 0:
            body.append(_text_block(LEFT_OUT, isSubtle=True))
            break
        body.append(element)
    return {**frame, "body": [*body, *ending]}


def _text_block(text: str, **style: object) -> Element:
    return {"type": "TextBlock", "text": wording.cut(text, TEXT_BLOCK), "wrap": True, **style}


def _title(card: Card, share: float) -> Element:
    """Render the title. It shows the severity as a word and an emoji; the colour only repeats it."""
    colour = _COLOURS[card.severity] if card.severity else "Default"
    text = wording.cut(wording.titled(card), int(TITLE_TEXT * share))
    return _text_block(text, size="Large", weight="Bolder", color=colour)


def _facts(fields: tuple[tuple[str, str], ...], share: float) -> list[Element]:
    facts: list[Element] = []
    for label, value in fields:
        facts.append(
            {
                "title": wording.cut(label, int(LABEL_TEXT * share)),
                "value": wording.cut(wording.plain(_with_local_times(value)), int(FACT_TEXT * share)) or "-",
            }
        )
        if size_as_sent(facts) > FACTS_BYTES * share:
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


def _ending(card: Card, share: float) -> list[Element]:
    ending = []
    limit = int(ENDING_TEXT * share)
    if card.picture:
        ending.append(_text_block(f"Chart: {wording.cut(card.picture.alt_text, limit)}", isSubtle=True))
    if card.context:
        words = wording.cut(wording.plain(_with_local_times(card.context)), limit)
        ending.append(_text_block(words, isSubtle=True, size="Small"))
    return ending


def _link_button(item: CardLink) -> Element:
    return {"type": "Action.OpenUrl", "title": wording.cut(item.label, 75), "url": item.url}
