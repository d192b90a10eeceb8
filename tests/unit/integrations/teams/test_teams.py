from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft6Validator

from detection.types import Severity
from integrations.cards import Card, CardAction, CardLink, CardPicture
from integrations.errors import AuthenticationError, NotFoundError, RejectedError, RetryableError
from integrations.teams import TeamsWebhook
from integrations.teams.adaptive import adaptive_card
from integrations.teams.message import webhook_message
from integrations.text import ours, theirs
from tests.unit.integrations.loopback import Loopback

CARD = Card(
    title="Checkout is slow",
    severity=Severity.SEV1,
    text=ours("**p95** is `4.2 s`"),
    fields=(("Service", theirs("shop")),),
    sections=(ours("```sql\nSELECT 1\n```\nafter"),),
    picture=CardPicture("F1", "p95 over time"),
    actions=(CardAction("resolve", "Resolve", "1"),),
    links=(CardLink("Pull request", "https://x.y/1"),),
    context=ours("since 14:05"),
)

TEXTS = st.one_of(st.text(max_size=60), st.integers(1, 30_000).map(lambda size: "🟠ber\n" * (size // 5)))


def text_of(block: dict[str, Any]) -> str:
    assert block["type"] == "RichTextBlock"
    return "".join(run["text"] for run in block["inlines"])


def test_a_card_starts_with_its_title_and_writes_its_severity_as_a_word() -> None:
    body = adaptive_card(CARD)["body"]
    assert text_of(body[0]) == "🔴 SEV1 · Checkout is slow"
    assert [text_of(block) for block in body[1:]] == [
        "Service: shop",
        "p95 is 4.2 s",
        "SELECT 1",
        "after",
        "Chart: p95 over time",
        "since 14:05",
    ]
    assert body[2]["inlines"][0] == {"type": "TextRun", "text": "p95", "weight": "Bolder"}
    assert body[3]["inlines"][0]["fontType"] == "Monospace"


def test_a_time_is_shown_in_the_readers_time_zone() -> None:
    card = adaptive_card(Card(title="x", text=ours("since <t:1770465600>")))
    assert text_of(card["body"][1]) == "since {{TIME(2026-02-07T12:00:00Z)}} {{DATE(2026-02-07T12:00:00Z, SHORT)}}"
    assert "since 2026-02-07 12:00 UTC" in card["fallbackText"]


def test_links_become_buttons_and_action_buttons_are_left_out() -> None:
    rendered = adaptive_card(CARD)
    assert rendered["actions"] == [{"type": "Action.OpenUrl", "title": "Pull request", "url": "https://x.y/1"}]
    assert "Resolve" not in json.dumps(rendered)


def test_the_fallback_text_contains_the_whole_card() -> None:
    fallback = adaptive_card(CARD)["fallbackText"]
    for part in ("SEV1", "p95 is 4.2 s", "SELECT 1", "https://x.y/1"):
        assert part in fallback


def test_the_card_is_valid_under_the_published_schema() -> None:
    schema = json.loads((resources.files("adaptive_cards") / "schemas" / "schema-1.4.json").read_text())
    card = {name: value for name, value in adaptive_card(CARD).items() if name != "msteams"}
    assert [error.message for error in Draft6Validator(schema).iter_errors(card)] == []


@settings(max_examples=40, deadline=None)
@given(
    st.builds(
        Card,
        title=TEXTS,
        text=TEXTS,
        fields=st.lists(st.tuples(TEXTS, TEXTS), max_size=25).map(tuple),
        sections=st.lists(TEXTS, max_size=5).map(tuple),
        context=TEXTS,
        links=st.lists(st.builds(CardLink, label=TEXTS, url=TEXTS.map("https://x.y/".__add__)), max_size=8).map(tuple),
    )
)
def test_every_message_stays_under_the_size_limit_of_teams(card: Card) -> None:
    assert len(json.dumps(webhook_message(card))) <= 28 * 1024


def test_the_webhook_gets_a_message_with_the_card_attached(loopback: Loopback) -> None:
    TeamsWebhook(f"{loopback.url}/teams/webhook/secret").escalate(CARD)
    message = json.loads(loopback.received[0].body)
    assert message["type"] == "message"
    assert message["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert message["attachments"][0]["content"]["type"] == "AdaptiveCard"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, RetryableError),
        (502, RetryableError),
        (404, NotFoundError),
        (401, AuthenticationError),
        (400, RejectedError),
    ],
)
def test_a_failure_becomes_the_error_that_says_whether_a_retry_can_help(
    loopback: Loopback, status: int, kind: type[Exception]
) -> None:
    loopback.answer(status, b"no", Retry_After="12")
    with pytest.raises(kind) as caught:
        TeamsWebhook(f"{loopback.url}/teams/webhook/secret").escalate(CARD)
    assert "secret" not in str(caught.value)
    assert getattr(caught.value, "retry_after_seconds", 12.0) == 12.0


def test_a_failure_reported_in_a_200_response_is_detected(loopback: Loopback) -> None:
    loopback.answer(
        200, b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"
    )
    with pytest.raises(RetryableError):
        TeamsWebhook(f"{loopback.url}/x").escalate(CARD)


def test_a_redirect_is_not_followed(loopback: Loopback) -> None:
    loopback.answer(302, b"", Location="http://169.254.169.254/")
    with pytest.raises(RejectedError):
        TeamsWebhook(f"{loopback.url}/x").escalate(CARD)


def test_nothing_is_posted_to_a_private_network_address() -> None:
    with pytest.raises(RejectedError, match="private network"):
        TeamsWebhook("https://10.1.2.3/hook").escalate(CARD)


def test_the_check_shows_only_the_host_of_the_secret_address(loopback: Loopback) -> None:
    assert (
        TeamsWebhook("https://acme.webhook.office.com/webhookb2/secret").check() == "posts to acme.webhook.office.com"
    )


@pytest.mark.parametrize("text", ["a", "é", "ключ ", '"\\', "🔴", "\x01"])
def test_a_card_of_any_alphabet_fits_as_it_is_sent(loopback: Loopback, text: str) -> None:
    long = text * 6_000
    card = Card(
        title=long,
        text=theirs(long),
        fields=tuple((long, theirs(long)) for _ in range(40)),
        sections=(theirs(long), theirs(long)),
        picture=CardPicture("F1", long),
        links=tuple(CardLink(long, f"https://x.y/{'a' * 900}") for _ in range(6)),
        context=theirs(long),
    )
    loopback.answer(200, b"1")
    TeamsWebhook(f"{loopback.url}/hook").escalate(card)
    assert len(loopback.received[0].body) <= 28 * 1024
    json.loads(loopback.received[0].body)
