from __future__ import annotations

from typing import Any

import pytest

from detection.types import Metric, Severity
from integrations.cards import Card, CardAction, CardLink, CardPicture, Modal
from integrations.charts import Chart, Point, chart_spec, render_png
from integrations.errors import AuthenticationError, NotFoundError, RejectedError, RetryableError
from integrations.protocols import ChannelUser, ChatChannel, Standing
from integrations.slack import SlackChannel
from integrations.text import ours
from tests.contract.integrations.workspace import Bot, Workspace

CARD = Card(
    title="Checkout is slow",
    severity=Severity.SEV2,
    text=ours("**p95** is `4.2 s`"),
    fields=(("Service", ours("shop")),),
    actions=(CardAction("acknowledge", "Acknowledge", "7"),),
    links=(CardLink("Pull request", "https://example.com/pull/1"),),
)


@pytest.fixture
def slack(workspace: Workspace) -> ChatChannel:
    return SlackChannel(
        workspace.bot_token, base_url=f"{workspace.url}/slack/api/", timeout_seconds=workspace.patience_seconds
    )


def posted(workspace: Workspace, key: str) -> list[dict[str, Any]]:
    """Return every message in channels and threads that has the key."""
    roots = workspace.state()["messages"]
    everything = [*roots, *(reply for root in roots for reply in root.get("thread", []))]
    return [
        message for message in everything if ((message["metadata"] or {}).get("event_payload") or {}).get("key") == key
    ]


def test_a_card_is_posted_answered_in_its_thread_and_edited_in_place(workspace: Workspace, slack: ChatChannel) -> None:
    root = slack.post("#incidents", CARD, idempotency_key="root")
    slack.post("#incidents", Card(title="Evidence"), idempotency_key="detail", thread=root)
    slack.update(root, Card(title="Checkout recovered"))
    (shown,) = posted(workspace, "root")
    assert shown["blocks"][0]["text"]["text"] == "Checkout recovered"
    assert shown["thread"][0]["blocks"][0]["text"]["text"] == "Evidence"


def test_a_chart_is_uploaded_and_shown_in_the_message(workspace: Workspace, slack: ChatChannel) -> None:
    png = render_png(chart_spec(Chart("p95", Metric.LATENCY_P95, [Point(1.77e9, 1.0), Point(1.77e9 + 60, 2.0)])))
    reference = slack.upload_picture(png, filename="p95.png", alt_text="p95 over time")
    slack.post("#incidents", Card(title="Chart", picture=CardPicture(reference, "p95")), idempotency_key="chart")
    (shown,) = posted(workspace, "chart")
    assert any(block["type"] == "image" for block in shown["blocks"])
    assert workspace.page.get(f"/page/files/{reference}").content == png


def test_a_post_whose_response_was_lost_is_found_and_not_posted_twice(workspace: Workspace, slack: ChatChannel) -> None:
    workspace.fault("slack", "lost_answer", path_contains="chat.postMessage")
    with pytest.raises(RetryableError):
        slack.post("#incidents", CARD, idempotency_key="lost")
    found = slack.post("#incidents", CARD, idempotency_key="lost", look_first=True)
    (shown,) = posted(workspace, "lost")
    assert found.message_id == shown["ts"]


def test_a_thread_reply_whose_response_was_lost_is_found_and_not_posted_twice(
    workspace: Workspace, slack: ChatChannel
) -> None:
    root = slack.post("#incidents", CARD, idempotency_key="thread-root")
    workspace.fault("slack", "lost_answer", path_contains="chat.postMessage")
    with pytest.raises(RetryableError):
        slack.post("#incidents", CARD, idempotency_key="thread-lost", thread=root)
    again = [
        slack.post("#incidents", CARD, idempotency_key="thread-lost", thread=root, look_first=True) for _ in range(2)
    ]
    assert len(posted(workspace, "thread-lost")) == 1
    assert again[0] == again[1]


def test_look_first_posts_if_nothing_was_posted_before(workspace: Workspace, slack: ChatChannel) -> None:
    slack.post("#incidents", CARD, idempotency_key="fresh", look_first=True)
    assert len(posted(workspace, "fresh")) == 1


@pytest.mark.parametrize(("status", "wait"), [(429, 3.0), (500, None)])
def test_a_temporary_failure_is_reported_as_retryable(
    workspace: Workspace, slack: ChatChannel, status: int, wait: float | None
) -> None:
    workspace.fault("slack", status, retry_after=3 if wait else None, path_contains="chat.postMessage")
    with pytest.raises(RetryableError) as caught:
        slack.post("#incidents", CARD, idempotency_key=f"status-{status}")
    assert caught.value.retry_after_seconds == wait


def test_a_wrong_token_an_unknown_channel_and_an_unknown_picture_give_different_errors(
    workspace: Workspace, slack: ChatChannel
) -> None:
    with pytest.raises(AuthenticationError):
        SlackChannel("xoxb-wrong", base_url=f"{workspace.url}/slack/api/").check()
    with pytest.raises(NotFoundError):
        slack.post("#nowhere", CARD, idempotency_key="nowhere")
    with pytest.raises((RetryableError, RejectedError)):
        slack.post("#incidents", Card(title="x", picture=CardPicture("F0GONE", "x")), idempotency_key="no-picture")


def test_a_click_is_answered_with_a_modal_an_ephemeral_message_and_its_response_url(
    workspace: Workspace, slack: ChatChannel, bot: Bot
) -> None:
    root = slack.post("#incidents", CARD, idempotency_key="clicked")
    workspace.do("/page/act", user="U0ANA", channel="incidents", message_ts=root.message_id, action_id="acknowledge")
    click = bot.received[-1]
    slack.open_modal(
        click["trigger_id"],
        Modal("confirm_approval", "Approve fix", "Merge", "3:abc", code="-a\n+b", fields=(("Head", ours("abc")),)),
    )
    slack.post_ephemeral("#incidents", "U0ANA", ours("Only you see this"), thread=root)
    slack.respond(click["response_url"], Card(title="Thanks"))
    state = workspace.state()
    assert [modal["callback_id"] for modal in state["modals"]] == ["confirm_approval"]
    roots = state["messages"]
    everything = [*roots, *(reply for root in roots for reply in root.get("thread", []))]
    private = [message["text"] for message in everything if message["ephemeral"]]
    assert any("Only you see this" in text for text in private)
    assert any("Thanks" in text for text in private)


def test_an_open_modal_is_found_by_its_dialog_id_and_updated(
    workspace: Workspace, slack: ChatChannel, bot: Bot
) -> None:
    root = slack.post("#incidents", CARD, idempotency_key="filled")
    workspace.do("/page/act", user="U0ANA", channel="incidents", message_ts=root.message_id, action_id="acknowledge")
    loading = Modal("words", "Approve fix", "", "", sections=(ours("Loading the change …"),), dialog_id="argux:1")
    with pytest.raises(NotFoundError):
        slack.update_modal(loading)
    slack.open_modal(bot.received[-1]["trigger_id"], loading)
    [shown] = workspace.state()["modals"]
    assert (shown["submit"], shown["close"]) == (None, "Close")
    slack.update_modal(Modal("confirm_approval", "Approve fix", "Merge", "3:abc", code="-a\n+b", dialog_id="argux:1"))
    [filled] = workspace.state()["modals"]
    assert (filled["view_id"], filled["submit"]) == (shown["view_id"], "Merge")


def test_an_expired_trigger_is_refused(slack: ChatChannel) -> None:
    with pytest.raises(RejectedError):
        slack.open_modal("1.2.never-given", Modal("confirm_approval", "Approve", "Merge", "1:a"))


def test_a_user_is_looked_up_with_their_time_zone(slack: ChatChannel) -> None:
    assert slack.user("U0ANA") == ChannelUser("U0ANA", "Ana", "Europe/Berlin", Standing.MEMBER, "T0LOCAL")


def test_the_configured_channel_and_people_are_looked_up(slack: ChatChannel) -> None:
    assert slack.check_channel("#incidents") == "posts to #incidents"
    assert slack.check_person("U0ANA") == "Ana"
    with pytest.raises(NotFoundError, match="#nowhere"):
        slack.check_channel("#nowhere")
    with pytest.raises(NotFoundError):
        slack.check_person("U0NOBODY")
    with pytest.raises(RejectedError, match="not a person"):
        slack.check_person("U0ARGUX")


def test_the_check_returns_the_account_in_use(slack: ChatChannel) -> None:
    assert "as argux" in slack.check()
