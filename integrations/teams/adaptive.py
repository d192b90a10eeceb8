"""Render cards as Adaptive Cards 1.4, which every Teams client can show: https://adaptivecards.io/explorer/.

Texts are RichTextBlocks, whose runs are shown character by character. A TextBlock or a FactSet would take Markdown from
the texts of others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from detection.types import Severity
from integrations import wording
from integrations.cards import Card, CardLink
from integrations.markdown import Kind, Line, Run, cut_runs, read_lines
from integrations.text import Markup, visible

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

_TWO_BRACES = re.compile(r"(?<=\{)(?=\{)")


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
    body = [_title(card, share), *_fields(card.fields, share)]
    ending = _ending(card, share)
    frame: dict[str, Any] = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "fallbackText": wording.cut(wording.card_text(card), int(FALLBACK_TEXT * share)),
        "msteams": {"width": "Full"},
    }
    links = [_link_button(item) for item in card.links if _is_usable(item)][: int(LINK_BUTTONS * share)]
    if links:
        frame["actions"] = links
    left_out = _block([Run(LEFT_OUT)], isSubtle=True)
    room = CARD_BYTES - size_as_sent({**frame, "body": [*body, *ending, left_out]})
    for element in (element for text in (card.text, *card.sections) for element in _text(text)):
        room -= size_as_sent(element) + len(", ")
        if room < 0:
            body.append(left_out)
            break
        body.append(element)
    return {**frame, "body": [*body, *ending]}


def _block(runs: Sequence[Run], *, spacing: str = "Default", **look: object) -> Element:
    """Return one line of text. look: properties of every run, such as its size."""
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [{**piece, **look} for piece in _pieces(runs)]}


def _pieces(runs: Iterable[Run]) -> Iterator[Element]:
    for run in runs:
        if run.moment is not None:
            yield _piece(_date_and_time(run.moment), run)
            continue
        # Two braces together could begin a date function in text of theirs.
        for part in _TWO_BRACES.split(run.text):
            yield _piece(part, run)


def _piece(text: str, run: Run) -> Element:
    piece: Element = {"type": "TextRun", "text": text}
    if run.bold:
        piece["weight"] = "Bolder"
    if run.code:
        piece["fontType"] = "Monospace"
    if run.url:
        piece["selectAction"] = {"type": "Action.OpenUrl", "url": run.url}
    return piece


def _title(card: Card, share: float) -> Element:
    """Render the title. It shows the severity as a word and an emoji; the colour only repeats it."""
    colour = _COLOURS[card.severity] if card.severity else "Default"
    text = wording.cut(wording.titled(card), int(TITLE_TEXT * share))
    return _block([Run(text)], size="Large", weight="Bolder", color=colour)


def _fields(fields: tuple[tuple[str, Markup], ...], share: float) -> list[Element]:
    """Render each field as a line; those that do not fit are left out."""
    shown: list[Element] = []
    for label, value in fields:
        runs = cut_runs(_joined(read_lines(value)), int(FACT_TEXT * share)) or (Run("-"),)
        name = Run(f"{wording.cut(visible(label), int(LABEL_TEXT * share))}: ", bold=True)
        shown.append(_block([name, *runs], spacing="Small"))
        if size_as_sent(shown) > FACTS_BYTES * share:
            shown.pop()
            break
    return shown


def _text(markdown: str) -> Iterator[Element]:
    """Render each line, with "•" before the items of a list, and code in a monospace font."""
    for index, line in enumerate(line for line in read_lines(markdown) if line.text.strip()):
        spacing = "Small" if index else "Default"
        runs = cut_runs(line.runs, TEXT_BLOCK)
        if line.kind is Kind.CODE:
            yield _block(runs, spacing=spacing, fontType="Monospace", size="Small")
        else:
            yield _block([Run("• "), *runs] if line.kind is Kind.BULLET else runs, spacing=spacing)


def _joined(lines: Iterable[Line]) -> list[Run]:
    return [run for line in lines for run in (*line.runs, Run(" "))][:-1]


def _date_and_time(at: int) -> str:
    iso = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{{{{TIME({iso})}}}} {{{{DATE({iso}, SHORT)}}}}"


def _ending(card: Card, share: float) -> list[Element]:
    ending = []
    limit = int(ENDING_TEXT * share)
    if card.picture:
        words = wording.cut(visible(card.picture.alt_text), limit)
        ending.append(_block([Run(f"Chart: {words}")], isSubtle=True))
    if runs := cut_runs(_joined(read_lines(card.context)), limit):
        ending.append(_block(runs, isSubtle=True, size="Small"))
    return ending


def _is_usable(item: CardLink) -> bool:
    return item.url.startswith(("https://", "http://")) and len(item.url) <= URL_LIMIT


def _link_button(item: CardLink) -> Element:
    return {"type": "Action.OpenUrl", "title": wording.cut(visible(item.label), 75), "url": item.url}
