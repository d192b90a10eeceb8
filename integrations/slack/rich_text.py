"""Render the cards' Markdown as Slack's rich text, whose text elements are shown character by character.

In mrkdwn, `*`, `_`, `~`, a backtick, a web address and `:name:` of an outside text would become formatting, links and
emoji, and nothing escapes them. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, TypeAlias

from integrations.markdown import Kind, Line, Run, read_lines

Element: TypeAlias = dict[str, Any]

DATE_FORMAT = "{time} {date_short_pretty}"
_MOST_RUNS = 300


def rich_texts(markdown: str, limit: int, *, mentions: bool = False) -> Iterator[Element]:
    """Yield the text as rich text blocks of at most `limit` characters each, divided between lines where possible.

    mentions: make <@U123> of ours a mention.
    """
    chunk: list[Line] = []
    length = 0
    for line in _short_lines(read_lines(markdown), limit):
        size = len(line.text) + 1
        if chunk and length + size > limit:
            yield from _block(chunk, mentions)
            chunk, length = [], 0
        chunk.append(line)
        length += size
    yield from _block(chunk, mentions)


def rich_lines(rows: Iterable[Sequence[Run]]) -> Element:
    """Return one block with one line for each row of runs."""
    elements = [element for row in rows for element in [*_inlines(row, mentions=False), {"type": "text", "text": "\n"}]]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements[:-1]}]}


def preformatted(text: str) -> Element:
    """Return a block that shows the text in a monospace font."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}],
    }


def _short_lines(lines: Iterable[Line], limit: int) -> Iterator[Line]:
    """Divide the lines that are longer than `limit` characters, or have more runs than an element may have."""
    for line in lines:
        kept: list[Run] = []
        room = limit - 1
        for run in line.runs:
            for start in range(0, len(run.text), limit - 1):
                part = replace(run, text=run.text[start : start + limit - 1])
                if len(part.text) > room or len(kept) >= _MOST_RUNS:
                    yield Line(line.kind, tuple(kept))
                    kept, room = [], limit - 1
                kept.append(part)
                room -= len(part.text)
        yield Line(line.kind, tuple(kept))


def _block(lines: Sequence[Line], mentions: bool) -> Iterator[Element]:
    if not any(line.text.strip() for line in lines):
        return
    elements = [_element(kind, list(group), mentions) for kind, group in groupby(lines, key=_shape)]
    yield {"type": "rich_text", "elements": [element for element in elements if element["elements"]]}


def _shape(line: Line) -> Kind:
    return Kind.TEXT if line.kind is Kind.HEADING else line.kind


def _element(kind: Kind, lines: Sequence[Line], mentions: bool) -> Element:
    if kind is Kind.BULLET:
        items = [{"type": "rich_text_section", "elements": _inlines(line.runs, mentions)} for line in lines]
        items = [item for item in items if item["elements"]]
        return {"type": "rich_text_list", "style": "bullet", "elements": items}
    if kind is Kind.CODE:
        text = "\n".join(line.text for line in lines)
        return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}] if text else []}
    inlines: list[Element] = []
    for index, line in enumerate(lines):
        if index:
            inlines.append({"type": "text", "text": "\n"})
        inlines += _inlines(line.runs, mentions)
    return {"type": "rich_text_section", "elements": inlines}


def _inlines(runs: Iterable[Run], mentions: bool) -> list[Element]:
    return [_inline(run, mentions) for run in runs if run.text]


def _inline(run: Run, mentions: bool) -> Element:
    element: Element = {"type": "text", "text": run.text}
    if run.moment is not None:
        element = {"type": "date", "timestamp": run.moment, "format": DATE_FORMAT, "fallback": run.text}
    elif run.mention and mentions:
        element = {"type": "user", "user_id": run.mention}
    elif run.url:
        element = {"type": "link", "url": run.url, "text": run.text}
    style = {name: True for name, on in (("bold", run.bold), ("code", run.code)) if on}
    return {**element, "style": style} if style else element
