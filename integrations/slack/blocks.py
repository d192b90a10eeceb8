"""Render cards and modals as Block Kit, within every limit that Slack enforces.

The limits: https://docs.slack.dev/reference/block-kit/blocks. A whole message may have 50 blocks and about 13,000
characters (`msg_blocks_too_long`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from integrations import wording
from integrations.cards import ActionStyle, Card, CardAction, CardLink, Modal, ModalInput
from integrations.errors import ContentRefusedError
from integrations.markdown import Run, cut_runs, read_lines
from integrations.slack.mrkdwn import cut, escape, small_print
from integrations.slack.rich_text import preformatted, rich_lines, rich_texts
from integrations.text import Markup, visible, visible_lines

Block: TypeAlias = dict[str, Any]

MESSAGE_BLOCKS = 50
MESSAGE_CHARACTERS = 12_500
MESSAGE_TEXT = 4000
MODAL_BLOCKS = 100
MODAL_CODE_SECTIONS = 5
MODAL_CODE_LINE = 500
SECTION_TEXT = 3000
MOST_FIELDS = 20
FIELD_TEXT = 300
HEADER_TEXT = 150
ALT_TEXT = 500
ESSENTIAL_TEXT = 1000
LINK_TEXT = 200
LINKS_TEXT = 3000
MOST_LINKS = 10
CONTEXT_TEXT = 500
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
BUTTONS = 25
CONFIRM_TEXT = 150
ACTION_ID = 255
MODAL_TITLE = 24
MODAL_METADATA = 3000
INPUT_LABEL = 2000
INPUT_ACTION = "answer"
OPTIONS = 100
OPTION_TEXT = 75
OPTION_VALUE = 150
LEFT_OUT = "… the rest does not fit in one message."


def card_blocks(card: Card) -> list[Block]:
    """Render the card as at most 50 blocks. If the text is too long for one message, the last sections are left out."""
    top = [_header(wording.titled(card))]
    fields = _fields(card.fields)
    bottom = [*_picture(card), *_links(card.links), *_actions(card.actions), *_context(card.context)]
    room = MESSAGE_CHARACTERS - characters([*top, *fields, *bottom])
    blocks_left = MESSAGE_BLOCKS - len(top) - len(fields) - len(bottom)
    lead_blocks = _fit([card.text] if card.text else [], room, min(blocks_left, 4))
    room -= characters(lead_blocks)
    rest_blocks = _fit(list(card.sections), room, blocks_left - len(lead_blocks))
    return [*top, *lead_blocks, *fields, *rest_blocks, *bottom]


def message_text(card: Card) -> str:
    """Return the fallback text that notifications, screen readers and old clients show instead of the blocks."""
    return cut(escape(wording.card_text(card)), MESSAGE_TEXT)


def plainer_forms(card: Card) -> Iterator[dict[str, Any]]:
    """Return the arguments for the card as it is, then, for when Slack refuses that, with less and less in it.

    First the whole, then what a person needs to act (the lead sentence and the buttons), then plain text.
    """
    yield {"text": message_text(card), "blocks": card_blocks(card)}
    essential = cut(message_text(card), ESSENTIAL_TEXT)
    lead = [_plain_section(wording.plain(card.text))] if card.text.strip() else []
    yield {"text": essential, "blocks": [_header(wording.titled(card)), *lead, *_actions(card.actions)]}
    yield {"text": essential, "blocks": [], "mrkdwn": False}


def text_blocks(text: Markup) -> list[Block]:
    """Render a message that only one person sees. A mention of ours in it is a mention."""
    found = list(rich_texts(text, SECTION_TEXT, mentions=True))[: MESSAGE_TEXT // SECTION_TEXT + 1]
    return found or [rich_lines([[Run("…")]])]


def modal_view(modal: Modal) -> Block:
    """Render the modal as a view. `value` is sent as private_metadata and comes back when the view is submitted."""
    body = [piece for section in modal.sections for piece in rich_texts(section, SECTION_TEXT)]
    code = _code_blocks(modal.code)
    fields = _fields(modal.fields)
    inputs = [_input(item) for item in modal.inputs]
    blocks = [*body[: MODAL_BLOCKS - len(fields) - len(code) - len(inputs)], *fields, *code, *inputs]
    view: Block = {
        "type": "modal",
        "callback_id": modal.callback_id[:ACTION_ID],
        "private_metadata": _bounded_value(modal.value, MODAL_METADATA),
        "title": _plain(modal.title, MODAL_TITLE),
        "close": _plain("Cancel" if modal.submit_label else "Close", MODAL_TITLE),
        "blocks": blocks or [rich_lines([[Run(visible(modal.title) or "…")]])],
    }
    if modal.submit_label:
        view["submit"] = _plain(modal.submit_label, MODAL_TITLE)
    if modal.dialog_id:
        view["external_id"] = _bounded_value(modal.dialog_id, ACTION_ID)
    return view


def _input(item: ModalInput) -> Block:
    block = {
        "type": "input",
        "block_id": item.name,
        "label": _plain(item.label, INPUT_LABEL),
        "element": _chooser(item) if item.choices else _line(item),
    }
    return {**block, "hint": _plain(item.hint, INPUT_LABEL)} if item.hint else block


def _line(item: ModalInput) -> Block:
    return {"type": "plain_text_input", "action_id": INPUT_ACTION, "max_length": item.limit}


def _chooser(item: ModalInput) -> Block:
    options = [
        {"text": _plain(label, OPTION_TEXT), "value": _bounded_value(value, OPTION_VALUE)}
        for value, label in item.choices[:OPTIONS]
    ]
    return {"type": "static_select", "action_id": INPUT_ACTION, "options": options}


def characters(blocks: Iterable[Block]) -> int:
    """Count the characters of text in the blocks, including button values."""
    return sum(_characters(block) for block in blocks)


def _characters(node: object) -> int:
    if isinstance(node, dict):
        return sum(
            len(value)
            if key in ("text", "alt_text", "value", "fallback", "url") and isinstance(value, str)
            else _characters(value)
            for key, value in node.items()
        )
    if isinstance(node, list):
        return sum(_characters(item) for item in node)
    return 0


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": wording.cut(visible(text) or "…", limit), "emoji": False}


def _plain_section(text: str) -> Block:
    return {
        "type": "section",
        "text": {"type": "plain_text", "text": wording.cut(text, ESSENTIAL_TEXT) or "…", "emoji": False},
    }


def _header(title: str) -> Block:
    return {"type": "header", "text": _plain(title, HEADER_TEXT)}


def _fit(texts: list[Markup], room: int, blocks_left: int) -> list[Block]:
    """Return the blocks that fit in `room` characters and `blocks_left` blocks, with a notice if some do not fit."""
    fitted: list[Block] = []
    room -= len(LEFT_OUT)
    for block in (block for text in texts for block in rich_texts(text, SECTION_TEXT)):
        size = characters([block])
        if size > room or len(fitted) + 1 >= blocks_left:
            return [*fitted, rich_lines([[Run(LEFT_OUT)]])] if blocks_left > 0 and room >= 0 else fitted
        fitted.append(block)
        room -= size
    return fitted


def _fields(fields: tuple[tuple[str, Markup], ...]) -> list[Block]:
    """Return one block with a line for each field."""
    if not fields:
        return []
    return [
        rich_lines([(Run(f"{visible(label)}: ", bold=True), *_value(value)) for label, value in fields[:MOST_FIELDS]])
    ]


def _value(value: Markup) -> tuple[Run, ...]:
    runs = [run for line in read_lines(value) for run in (*line.runs, Run(" "))][:-1]
    return cut_runs(runs, FIELD_TEXT) or (Run("-"),)


def _picture(card: Card) -> list[Block]:
    if card.picture is None:
        return []
    alt_text = wording.cut(visible(card.picture.alt_text) or "chart", ALT_TEXT)
    return [{"type": "image", "slack_file": {"id": card.picture.reference}, "alt_text": alt_text}]


def _links(links: tuple[CardLink, ...]) -> list[Block]:
    """Return one line with the links. One whose address has no room left, or is none of the web, is only its label."""
    runs: list[Run] = []
    room = LINKS_TEXT
    for item in links[:MOST_LINKS]:
        label = wording.cut(visible(item.label) or item.url, LINK_TEXT)
        is_usable = item.url.startswith(("https://", "http://")) and len(item.url) <= room
        room -= len(item.url) if is_usable else 0
        runs += [Run("   ·   "), Run(label, url=item.url if is_usable else "")]
    return [rich_lines([runs[1:]])] if runs else []


def _context(text: Markup) -> list[Block]:
    if not text.strip():
        return []
    return [{"type": "context", "elements": [small_print(text, CONTEXT_TEXT)]}]


def _actions(actions: tuple[CardAction, ...]) -> list[Block]:
    if not actions:
        return []
    seen: dict[str, int] = {}
    fitting = [action for action in actions if len(action.value) <= BUTTON_VALUE]
    buttons = [_button(action, seen) for action in fitting[:BUTTONS]]
    return [{"type": "actions", "elements": buttons}] if buttons else []


def _button(action: CardAction, seen: dict[str, int]) -> Block:
    """Render a button. Slack refuses a repeated action_id, so the second one is "name:2"; readers cut it at ":"."""
    seen[action.action_id] = count = seen.get(action.action_id, 0) + 1
    button: Block = {
        "type": "button",
        "action_id": action.action_id[:ACTION_ID] if count == 1 else f"{action.action_id[: ACTION_ID - 4]}:{count}",
        "text": _plain(action.label, BUTTON_TEXT),
        "value": action.value,
    }
    if action.style is not ActionStyle.DEFAULT:
        button["style"] = action.style.value
    if action.confirm:
        button["confirm"] = {
            "title": _plain("Are you sure?", BUTTON_TEXT),
            "text": _plain(action.confirm, CONFIRM_TEXT),
            "confirm": _plain("Yes", BUTTON_TEXT),
            "deny": _plain("No", BUTTON_TEXT),
        }
    return button


def _bounded_value(value: str, limit: int) -> str:
    """Return the value. Raises ContentRefusedError if it is too long: a cut value could identify another object."""
    if len(value) > limit:
        raise ContentRefusedError("Slack", f"a value of {len(value)} characters does not fit in {limit}")
    return value


def _code_blocks(code: str) -> list[Block]:
    """Render code or a diff, divided into blocks. The last line counts the lines that are left out."""
    lines = [wording.cut(line, MODAL_CODE_LINE) for line in visible_lines(code).splitlines()]
    blocks: list[Block] = []
    start = 0
    while start < len(lines) and len(blocks) < MODAL_CODE_SECTIONS:
        end = start
        used = 0
        while end < len(lines) and used + len(lines[end]) + 1 <= SECTION_TEXT:
            used += len(lines[end]) + 1
            end += 1
        blocks.append(preformatted("\n".join(lines[start:end]) or " "))
        start = end
    if start < len(lines):
        left = len(lines) - start
        words = f"… {left} more {'line' if left == 1 else 'lines'}, see the pull request"
        blocks.append(rich_lines([[Run(words)]]))
    return blocks
