"""Validate Block Kit blocks as strictly as Slack does.

Limits: https://docs.slack.dev/reference/block-kit/blocks. The limit on the total text of a message is the length at
which Slack was observed to return `msg_blocks_too_long` (slackapi/bolt-js issues 2509 and 2867).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from integrations.local.slack.block_kit.elements import (
    ACCESSORY,
    ACTION_ELEMENT,
    CONTEXT_ELEMENT,
    INPUT_ELEMENT,
    PICTURE,
)
from integrations.local.slack.block_kit.schema import (
    Check,
    Findings,
    Json,
    all_of,
    any_text,
    anything,
    array,
    at_least_one,
    boolean,
    number,
    one_of,
    plain_text,
    shape,
    string,
    tagged,
)
from integrations.local.slack.errors import SlackError

MESSAGE_TEXT_LIMIT = 13_000
MARKDOWN_TEXT_LIMIT = 12_000


class Surface(StrEnum):
    """Where blocks are shown. The surface determines their maximum number and the allowed types."""

    MESSAGE = "message"
    MODAL = "modal"


def _block_id(value: object, pointer: str, findings: Findings) -> None:
    string(255)(value, pointer, findings)
    if isinstance(value, str):
        if value in findings.block_ids:
            findings.add(f"block_id {value!r} already exists", pointer)
        findings.block_ids.add(value)


def _block(kind: str, required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    return shape({"type": one_of(kind), **required}, {"block_id": _block_id, **(optional or {})})


def _rich_text() -> Check:
    inline = tagged(
        {
            "text": shape({"type": anything, "text": string(MARKDOWN_TEXT_LIMIT)}, {"style": anything}),
            "link": shape(
                {"type": anything, "url": string(3000)}, {"text": string(3000), "style": anything, "unsafe": boolean}
            ),
            "emoji": shape(
                {"type": anything, "name": string(255)}, {"unicode": anything, "skin_tone": number, "style": anything}
            ),
            "date": shape(
                {"type": anything, "timestamp": number, "format": string(255)},
                {"url": string(3000), "fallback": string(3000), "style": anything},
            ),
            "user": shape({"type": anything, "user_id": string(255)}, {"style": anything}),
            "channel": shape({"type": anything, "channel_id": string(255)}, {"style": anything}),
            "broadcast": shape({"type": anything, "range": one_of("here", "channel", "everyone")}, {"style": anything}),
        }
    )
    line: dict[str, Check] = {"type": anything, "elements": array(inline, 1000, 0)}
    section = shape(line)
    bulleted: dict[str, Check] = {
        "type": anything,
        "elements": array(section, 1000),
        "style": one_of("bullet", "ordered"),
    }
    return tagged(
        {
            "rich_text_section": section,
            "rich_text_quote": shape(line, {"border": number}),
            "rich_text_preformatted": shape(line, {"border": number, "language": string(100)}),
            "rich_text_list": shape(bulleted, {"indent": number, "offset": number, "border": number}),
        }
    )


_SHARED_BLOCKS: dict[str, Check] = {
    "section": all_of(
        _block(
            "section",
            {},
            {
                "text": any_text(3000),
                "fields": array(any_text(2000), 10),
                "accessory": ACCESSORY,
                "expand": boolean,
            },
        ),
        at_least_one(("text", "fields")),
    ),
    "header": _block("header", {"text": plain_text(150)}),
    "divider": _block("divider", {}),
    "context": _block("context", {"elements": array(CONTEXT_ELEMENT, 10)}),
    "actions": _block("actions", {"elements": array(ACTION_ELEMENT, 25)}),
    "image": all_of(
        _block("image", {"alt_text": string(2000)}, {**PICTURE, "title": plain_text(2000)}),
        at_least_one(("image_url", "slack_file")),
    ),
    "rich_text": _block("rich_text", {"elements": array(_rich_text(), 100)}),
    "input": _block(
        "input",
        {"label": plain_text(2000), "element": INPUT_ELEMENT},
        {"hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
    ),
}
_BLOCKS = {
    Surface.MESSAGE: tagged(
        {**_SHARED_BLOCKS, "markdown": _block("markdown", {"text": string(MARKDOWN_TEXT_LIMIT)})},
    ),
    Surface.MODAL: tagged(_SHARED_BLOCKS),
}
_COUNTS = {Surface.MESSAGE: 50, Surface.MODAL: 100}


def problems_of(
    blocks: object, surface: Surface, *, file_exists: Callable[[str], bool], pointer: str = "/blocks"
) -> list[str]:
    """Return everything that Slack would refuse in `blocks`, each with its JSON pointer; empty if they are valid."""
    findings = Findings(file_exists)
    array(_BLOCKS[surface], _COUNTS[surface], 1 if surface is Surface.MODAL else 0)(blocks, pointer, findings)
    return findings.problems


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, entry in value.items():
            if name == "text" and isinstance(entry, str):
                yield entry
            else:
                yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def accept(blocks: list[Json], *, file_exists: Callable[[str], bool]) -> list[Json]:
    """Check a message's blocks and return them with ids filled in.

    Raises SlackError `invalid_blocks` with JSON pointers, or `msg_blocks_too_long`.
    """
    problems = problems_of(blocks, Surface.MESSAGE, file_exists=file_exists)
    if problems:
        raise SlackError("invalid_blocks", problems)
    if sum(len(text) for text in _texts(blocks)) > MESSAGE_TEXT_LIMIT:
        raise SlackError("msg_blocks_too_long")
    return with_ids(blocks)


def with_ids(blocks: list[Json]) -> list[Json]:
    """Fill in missing `block_id`s and, in interactive elements, missing `action_id`s, as Slack does."""
    filled = [{**block, "block_id": block.get("block_id") or f"block-{index}"} for index, block in enumerate(blocks)]
    for index, block in enumerate(filled):
        for place, element in enumerate(interactive_elements(block)):
            element.setdefault("action_id", f"action-{index}-{place}")
    return filled


def interactive_elements(block: Json) -> list[Json]:
    """Return the elements of one block that a person can press or choose in."""
    if block["type"] == "actions":
        elements = block["elements"]
        return list(elements) if isinstance(elements, list) else []
    held = block.get("accessory") if block["type"] == "section" else block.get("element")
    return [held] if isinstance(held, dict) and held.get("type") != "image" else []


def find_element(blocks: list[Json], action_id: str) -> tuple[Json, Json] | None:
    """Return the element with this `action_id` and its block, or None."""
    for block in blocks:
        for element in interactive_elements(block):
            if element.get("action_id") == action_id:
                return block, element
    return None
