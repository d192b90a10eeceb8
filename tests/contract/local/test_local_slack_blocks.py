"""Which blocks and views the local workspace refuses, and which JSON pointer it reports."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.local.slack.block_kit import blocks, views
from integrations.local.slack.block_kit.blocks import Surface
from integrations.local.slack.errors import SlackError
from tests.contract.local.workspace import Json


def text(length: int, kind: str = "mrkdwn") -> Json:
    return {"type": kind, "text": "x" * length}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "go", "text": text(75, "plain_text"), "value": "x" * 2000, **more}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "elements": list(elements)}]


CONFIRM = {name: text(30, "plain_text") for name in ("title", "text", "confirm", "deny")}
RICH_SECTION = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}


def problems(given: list[Any], surface: Surface = Surface.MESSAGE) -> list[str]:
    return blocks.problems_of(given, surface, file_exists=lambda file_id: file_id == "F1")


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": text(24, "plain_text"), "blocks": [{"type": "divider"}], **more}


@pytest.mark.parametrize(
    "given",
    [
        [{"type": "divider"}] * 50,
        [{"type": "section", "text": text(3000), "fields": [text(2000)] * 10}],
        [{"type": "header", "text": text(150, "plain_text")}],
        [{"type": "context", "elements": [text(2000)] * 10}],
        actions(*(button(action_id=str(number)) for number in range(25))),
        actions(button(style="danger", confirm=CONFIRM)),
        [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "x" * 2000}],
        [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}],
        [{"type": "markdown", "text": "x" * 12_000}],
        [{"type": "rich_text", "elements": [RICH_SECTION]}],
    ],
)
def test_blocks_at_their_limits_are_accepted(given: list[Any]) -> None:
    assert problems(given) == []


@pytest.mark.parametrize(
    ("given", "problem", "pointer"),
    [
        ([{"type": "divider"}] * 51, "no more than 50 items allowed", "/blocks"),
        ([{"type": "fancy"}], "unsupported type: fancy", "/blocks/0/type"),
        (["text"], "must be an object", "/blocks/0"),
        ([{"type": "section"}], "must define either text or fields", "/blocks/0"),
        ([{"type": "section", "text": text(3001)}], "must be less than 3001 characters", "/blocks/0/text/text"),
        ([{"type": "section", "text": text(0)}], "must be more than 0 characters", "/blocks/0/text/text"),
        ([{"type": "section", "text": "x"}], "must be an object", "/blocks/0/text"),
        ([{"type": "section", "fields": [text(1)] * 11}], "no more than 10 items allowed", "/blocks/0/fields"),
        ([{"type": "section", "fields": [text(2001)]}], "must be less than 2001 characters", "/blocks/0/fields/0/text"),
        ([{"type": "header", "text": text(151, "plain_text")}], "must be less than 151", "/blocks/0/text/text"),
        ([{"type": "header", "text": text(1)}], "must be one of: plain_text", "/blocks/0/text/type"),
        ([{"type": "context", "elements": [text(1)] * 11}], "no more than 10 items allowed", "/blocks/0/elements"),
        ([{"type": "divider", "colour": "red"}], "invalid additional property: colour", "/blocks/0"),
        ([{"type": "image", "alt_text": "a"}], "must define either image_url or slack_file", "/blocks/0"),
        ([{"type": "image", "slack_file": {"id": "F1"}}], "missing required field: alt_text", "/blocks/0"),
        (
            [{"type": "image", "slack_file": {"id": "F2"}, "alt_text": "a"}],
            "invalid slack file",
            "/blocks/0/slack_file",
        ),
        (actions(), "no fewer than 1 items required", "/blocks/0/elements"),
        (actions(*(button(action_id=str(n)) for n in range(26))), "no more than 25", "/blocks/0/elements"),
        (actions(button(), button()), "action_id 'go' already exists", "/blocks/0/elements/1/action_id"),
        (actions(button(text=text(76, "plain_text"))), "must be less than 76", "/blocks/0/elements/0/text/text"),
        (actions(button(value="x" * 2001)), "must be less than 2001", "/blocks/0/elements/0/value"),
        (actions(button(action_id="x" * 256)), "must be less than 256", "/blocks/0/elements/0/action_id"),
        (actions(button(style="loud")), "must be one of: primary, danger", "/blocks/0/elements/0/style"),
        ([{"type": "divider", "block_id": "a"}] * 2, "block_id 'a' already exists", "/blocks/1/block_id"),
    ],
)
def test_blocks_beyond_their_limits_are_refused_with_a_json_pointer(
    given: list[Any], problem: str, pointer: str
) -> None:
    found = problems(given)
    assert len(found) == 1
    assert problem in found[0]
    assert found[0].endswith(f"[json-pointer:{pointer}]")


def test_a_markdown_block_in_a_modal_is_refused() -> None:
    assert problems([{"type": "markdown", "text": "x"}], Surface.MODAL)


def test_blocks_without_ids_get_generated_ones() -> None:
    filled = blocks.accept(actions(button()), file_exists=lambda _: False)
    assert blocks.find_element(filled, "go") == (filled[0], filled[0]["elements"][0])
    assert filled[0]["block_id"]


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        (modal(title=text(25, "plain_text")), "/view/title/text"),
        (modal(submit=text(25, "plain_text")), "/view/submit/text"),
        (modal(close=text(25, "plain_text")), "/view/close/text"),
        (modal(callback_id="x" * 256), "/view/callback_id"),
        (modal(private_metadata="x" * 3001), "/view/private_metadata"),
        (modal(blocks=[]), "/view/blocks"),
        (modal(blocks=[{"type": "divider"}] * 101), "/view/blocks"),
        (modal(type="home"), "/view/type"),
        (
            modal(
                blocks=[
                    {
                        "type": "input",
                        "label": text(1, "plain_text"),
                        "element": {"type": "plain_text_input", "action_id": "note"},
                    }
                ]
            ),
            "/view/submit",
        ),
    ],
)
def test_a_view_beyond_its_limits_is_refused_with_a_json_pointer(view: Json, pointer: str) -> None:
    with pytest.raises(SlackError) as caught:
        views.accept(view, file_exists=lambda _: False)
    assert caught.value.code == "invalid_arguments"
    assert [message for message in caught.value.messages if message.endswith(f"[json-pointer:{pointer}]")]
