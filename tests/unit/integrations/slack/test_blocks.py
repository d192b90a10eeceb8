from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from detection.types import Severity
from integrations.cards import ActionStyle, Card, CardAction, CardLink, CardPicture, Modal, ModalInput
from integrations.errors import ContentRefusedError
from integrations.slack.blocks import card_blocks, characters, message_text, modal_view
from integrations.text import ours, theirs

TEXT = st.text(max_size=120)
LONG = st.one_of(TEXT, st.integers(1, 9000).map(lambda size: "line & more\n" * (size // 12)))
ACTIONS = st.builds(
    CardAction,
    action_id=st.sampled_from(["acknowledge", "resolve", "escalate"]),
    label=TEXT,
    value=st.text(max_size=200),
    style=st.sampled_from(ActionStyle),
    confirm=st.none() | TEXT,
)
CARDS = st.builds(
    Card,
    title=TEXT,
    severity=st.none() | st.sampled_from(Severity),
    text=LONG,
    fields=st.lists(st.tuples(TEXT, LONG), max_size=14).map(tuple),
    sections=st.lists(LONG, max_size=8).map(tuple),
    picture=st.none() | st.builds(CardPicture, reference=st.just("F0123"), alt_text=LONG),
    actions=st.lists(ACTIONS, max_size=30).map(tuple),
    links=st.lists(st.builds(CardLink, label=TEXT, url=TEXT.map("https://x.y/".__add__)), max_size=9).map(tuple),
    context=LONG,
)
MODALS = st.builds(
    Modal,
    callback_id=st.just("confirm_approval"),
    title=TEXT,
    submit_label=TEXT,
    value=st.text(max_size=300),
    sections=st.lists(LONG, max_size=4).map(tuple),
    code=LONG,
    code_language=st.just("diff"),
    fields=st.lists(st.tuples(TEXT, TEXT), max_size=12).map(tuple),
)


def checked_by_slack_sdk(blocks: list[dict[str, Any]]) -> None:
    for block in Block.parse_all(blocks):
        assert block.to_dict()["type"]


def action_ids(blocks: list[dict[str, Any]]) -> list[str]:
    return [element["action_id"] for block in blocks for element in block.get("elements", []) if "action_id" in element]


@settings(max_examples=60, deadline=None)
@given(CARDS)
def test_every_card_stays_within_slacks_limits(card: Card) -> None:
    blocks = card_blocks(card)
    checked_by_slack_sdk(blocks)
    assert len(blocks) <= 50
    assert characters(blocks) <= 13_000
    assert len(set(action_ids(blocks))) == len(action_ids(blocks))
    for block in blocks:
        text = block.get("text") or {"text": "x"}
        assert 1 <= len(text["text"]) <= (150 if block["type"] == "header" else 3000)
        assert len(block.get("fields", [])) <= 10
        for element in block.get("elements", []):
            if element["type"] == "button":
                assert 1 <= len(element["text"]["text"]) <= 75
                assert len(element["value"]) <= 2000
    assert 1 <= len(message_text(card)) <= 4000


@settings(max_examples=60, deadline=None)
@given(MODALS)
def test_every_modal_stays_within_slacks_limits(modal: Modal) -> None:
    view = modal_view(modal)
    assert View(**view).to_dict()["type"] == "modal"
    checked_by_slack_sdk(view["blocks"])
    assert 1 <= len(view["blocks"]) <= 100
    assert ("submit" in view) == bool(modal.submit_label)
    assert all(1 <= len(view[part]["text"]) <= 24 for part in ("title", "submit", "close") if part in view)
    assert all(len(block["text"]["text"]) <= 3000 for block in view["blocks"] if "text" in block)
    assert len(json.dumps(view)) < 250_000
    assert view["private_metadata"] == modal.value


def test_a_dialog_asks_for_a_choice_by_a_list_and_for_a_text_by_a_line() -> None:
    modal = Modal(
        callback_id="ticket_fields",
        title="Create Jira ticket",
        submit_label="Create ticket",
        value="7",
        inputs=(
            ModalInput("customfield_1", "Team", choices=(("11", "Pay *ments*"), ("12", "S" * 90))),
            ModalInput("customfield_2", "Cost centre", 255, hint="A number"),
        ),
    )
    view = modal_view(modal)
    assert View(**view).to_dict()["type"] == "modal"
    chooser, line = view["blocks"]
    assert [(one["value"], len(one["text"]["text"])) for one in chooser["element"]["options"]] == [
        ("11", 11),
        ("12", 75),
    ]
    assert chooser["element"]["options"][0]["text"]["type"] == "plain_text"
    assert (chooser["block_id"], chooser["element"]["type"]) == ("customfield_1", "static_select")
    assert (line["element"]["type"], line["hint"]["text"]) == ("plain_text_input", "A number")


def test_the_severity_is_written_as_a_word() -> None:
    card = Card(title="Checkout is slow", severity=Severity.SEV2)
    assert card_blocks(card)[0]["text"]["text"] == "🟠 SEV2 · Checkout is slow"
    assert message_text(card).startswith("🟠 SEV2 · Checkout is slow")


def test_a_card_shows_its_parts_in_order_from_title_to_buttons() -> None:
    card = Card(
        title="Checkout is slow",
        severity=Severity.SEV1,
        text=ours("**p95** is up"),
        fields=(("Service", theirs("shop")),),
        sections=(ours("Evidence"),),
        picture=CardPicture("F1", "p95 over time"),
        actions=(CardAction("acknowledge", "Acknowledge", "7", ActionStyle.PRIMARY),),
        links=(CardLink("Pull request", "https://x.y/1"),),
        context=ours("since 14:05"),
    )
    blocks = card_blocks(card)
    assert [block["type"] for block in blocks] == [
        "header",
        "rich_text",
        "rich_text",
        "rich_text",
        "image",
        "rich_text",
        "actions",
        "context",
    ]
    assert blocks[4]["slack_file"] == {"id": "F1"}
    assert blocks[6]["elements"][0]["value"] == "7"


def test_the_fallback_text_contains_everything_in_the_blocks() -> None:
    card = Card(
        title="Checkout is slow",
        text=ours("**p95** is up"),
        fields=(("Service", theirs("shop")),),
        sections=(ours("See [docs](https://x.y)"),),
        picture=CardPicture("F1", "p95 over time"),
        links=(CardLink("Pull request", "https://x.y/1"),),
        context=ours("since 14:05"),
    )
    text = message_text(card)
    for part in ("p95 is up", "Service: shop", "docs (https://x.y)", "p95 over time", "https://x.y/1", "since 14:05"):
        assert part in text


def test_a_card_too_long_for_one_message_shows_a_notice_and_keeps_its_buttons() -> None:
    card = Card(
        title="Long",
        sections=tuple(theirs(f"section {number} " + "word " * 400) for number in range(20)),
        actions=(CardAction("resolve", "Resolve", "1"),),
    )
    blocks = card_blocks(card)
    assert any("does not fit" in json.dumps(block) for block in blocks)
    assert action_ids(blocks) == ["resolve"]


def test_the_eleventh_field_is_still_in_the_message() -> None:
    card = Card(title="Many", fields=tuple((f"name{number}", theirs(f"value{number}")) for number in range(12)))
    assert "value11" in json.dumps(card_blocks(card))


def test_a_repeated_button_gets_a_unique_id_that_starts_with_its_name() -> None:
    action = CardAction("resolve", "Resolve", "1")
    assert action_ids(card_blocks(Card(title="x", actions=(action, action)))) == ["resolve", "resolve:2"]


def test_a_button_whose_value_is_too_long_is_left_out_and_never_cut() -> None:
    actions = (CardAction("resolve", "Resolve", "1" * 2001), CardAction("acknowledge", "Acknowledge", "1"))
    assert action_ids(card_blocks(Card(title="x", actions=actions))) == ["acknowledge"]


def test_a_dialog_whose_value_is_too_long_is_refused_with_our_own_error() -> None:
    with pytest.raises(ContentRefusedError, match="does not fit"):
        modal_view(Modal("confirm_approval", "Approve fix", "Merge", "1" * 3001))


def test_a_long_diff_is_shown_in_fences_and_its_remaining_lines_are_counted() -> None:
    diff = "\n".join(f"+line {number} " + "x" * 80 for number in range(400))
    blocks = modal_view(Modal("confirm_approval", "Approve fix", "Merge", "1:abc", code=diff))["blocks"]
    elements = [block["elements"][0] for block in blocks]
    shown = [found["elements"][0]["text"] for found in elements if found["type"] == "rich_text_preformatted"]
    lines = sum(text.count("+line") for text in shown)
    assert len(shown) > 1
    assert elements[-1]["elements"][0]["text"] == f"… {400 - lines} more lines, see the pull request"


def test_a_diff_is_shown_character_by_character_and_what_is_hidden_in_it_is_spelled() -> None:
    diff = "+```\n+<!channel>\t*x* \u202e}"
    blocks = modal_view(Modal("confirm_approval", "Approve", "Merge", "1:abc", code=diff))["blocks"]
    (element,) = blocks[0]["elements"]
    assert element["type"] == "rich_text_preformatted"
    assert element["elements"] == [{"type": "text", "text": "+```\n+<!channel>\t*x* \\u202e}"}]
