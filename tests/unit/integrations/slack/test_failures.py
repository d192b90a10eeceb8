from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from integrations.cards import Card, CardAction
from integrations.errors import (
    AuthenticationError,
    ChannelRefusedError,
    ContentRefusedError,
    IntegrationError,
    MessageGoneError,
    NotEditableError,
    NotFoundError,
    RejectedError,
    RetryableError,
    ThreadRefusedError,
)
from integrations.protocols import MessageReference
from integrations.slack import SlackChannel
from integrations.slack.codes import MEANINGS, REMEDIES, Meaning, meaning_of
from integrations.text import ours
from tests.unit.integrations.loopback import Loopback

CARD = Card(title="Checkout is slow")


def refusal(error: str, **more: Any) -> bytes:
    return json.dumps({"ok": False, "error": error, **more}).encode()


def failure(loopback: Loopback, status: int, body: bytes, **headers: str) -> IntegrationError:
    loopback.answer(status, body, **headers)
    with pytest.raises(IntegrationError) as caught:
        SlackChannel("xoxb-secret", base_url=loopback.url).update(MessageReference("C123", "1.2"), CARD)
    assert "xoxb-secret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, refusal("invalid_auth"), AuthenticationError),
        (200, refusal("missing_scope", needed="chat:write"), AuthenticationError),
        (200, refusal("channel_not_found"), ChannelRefusedError),
        (200, refusal("is_archived"), ChannelRefusedError),
        (200, refusal("message_not_found"), MessageGoneError),
        (200, refusal("edit_window_closed"), NotEditableError),
        (200, refusal("restricted_action_thread_locked"), ThreadRefusedError),
        (200, refusal("org_login_required"), RetryableError),
        (200, refusal("a_code_of_tomorrow"), RejectedError),
        (200, refusal("internal_error"), RetryableError),
        (500, b"<html>oops</html>", RetryableError),
        (503, refusal("service_unavailable"), RetryableError),
        (200, b"<html>a captive portal</html>", RetryableError),
    ],
)
def test_a_failure_becomes_the_error_that_says_whether_a_retry_can_help(
    loopback: Loopback, status: int, body: bytes, kind: type[IntegrationError]
) -> None:
    assert type(failure(loopback, status, body)) is kind
    assert len(loopback.received) == 1


def test_a_rate_limit_reports_when_to_retry_and_is_not_retried_by_the_client(loopback: Loopback) -> None:
    error = failure(loopback, 429, refusal("ratelimited"), Retry_After="7")
    assert isinstance(error, RetryableError)
    assert error.retry_after_seconds == 7.0
    assert len(loopback.received) == 1


def test_a_refusal_reports_the_invalid_block(loopback: Loopback) -> None:
    body = refusal("invalid_blocks", response_metadata={"messages": ["[ERROR] must be more than 0 characters"]})
    for _ in range(2):
        loopback.answer(200, body)
    error = failure(loopback, 200, body)
    assert isinstance(error, ContentRefusedError)
    assert "must be more than 0 characters" in str(error)


def blocks_sent(loopback: Loopback) -> list[list[str]]:
    sent = [json.loads(request.body)["blocks"] for request in loopback.received]
    return [[block["type"] for block in json.loads(blocks) if block] if isinstance(blocks, str) else
            [block["type"] for block in blocks] for blocks in sent]  # fmt: skip


@pytest.mark.parametrize("code", ["msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_arguments"])
def test_content_that_slack_refuses_is_sent_again_plainer_and_its_buttons_are_given_up_last(
    loopback: Loopback, code: str
) -> None:
    for _ in range(2):
        loopback.answer(200, refusal(code))
    loopback.answer(200, json.dumps({"ok": True, "channel": "C123", "ts": "1.2"}).encode())
    card = Card(
        title="Slow", text=ours("**It** is"), sections=(ours("More"),), actions=(CardAction("acknowledge", "Ack", "1"),)
    )
    posted = SlackChannel("xoxb-secret", base_url=loopback.url).post("C123", card, idempotency_key="k")
    assert posted == MessageReference("C123", "1.2")
    whole, essential, plain = blocks_sent(loopback)
    assert whole == ["header", "rich_text", "rich_text", "actions"]
    assert essential == ["header", "section", "actions"]
    assert plain == []


def test_a_token_that_may_not_list_channels_posts_by_name(loopback: Loopback) -> None:
    loopback.answer(200, refusal("missing_scope", needed="channels:read"))
    loopback.answer(200, json.dumps({"ok": True, "channel": "C7", "ts": "1.2"}).encode())
    slack = SlackChannel("xoxb-secret", base_url=loopback.url)
    assert slack.post("#incidents", CARD, idempotency_key="k") == MessageReference("C7", "1.2")
    assert json.loads(loopback.received[-1].body)["channel"] == "#incidents"


def test_a_message_is_posted_even_if_the_channel_may_not_be_searched_for_an_earlier_try(loopback: Loopback) -> None:
    loopback.answer(200, refusal("missing_scope", needed="channels:history"))
    loopback.answer(200, json.dumps({"ok": True, "channel": "C123", "ts": "1.2"}).encode())
    slack = SlackChannel("xoxb-secret", base_url=loopback.url)
    assert slack.post("C123", CARD, idempotency_key="k", look_first=True).message_id == "1.2"


def test_the_token_of_an_organisation_lists_the_channels_of_each_workspace(loopback: Loopback) -> None:
    loopback.answer(200, refusal("missing_argument"))
    loopback.answer(200, json.dumps({"ok": True, "teams": [{"id": "T1"}, {"id": "T2"}]}).encode())
    loopback.answer(200, json.dumps({"ok": True, "channels": [{"id": "C1", "name": "general"}]}).encode())
    loopback.answer(200, json.dumps({"ok": True, "channels": [{"id": "C2", "name": "incidents"}]}).encode())
    loopback.answer(200, json.dumps({"ok": True, "channel": "C2", "ts": "1.5"}).encode())
    slack = SlackChannel("xoxb-secret", base_url=loopback.url)
    assert slack.post("#incidents", CARD, idempotency_key="a") == MessageReference("C2", "1.5")
    assert b"team_id=T1" in loopback.received[2].body
    assert b"team_id=T2" in loopback.received[3].body


def test_a_channel_that_was_made_anew_under_its_name_is_looked_up_again(loopback: Loopback) -> None:
    loopback.answer(200, json.dumps({"ok": True, "channels": [{"id": "C1", "name": "incidents"}]}).encode())
    loopback.answer(200, refusal("is_archived"))
    loopback.answer(200, json.dumps({"ok": True, "channels": [{"id": "C2", "name": "incidents"}]}).encode())
    loopback.answer(200, json.dumps({"ok": True, "channel": "C2", "ts": "1.5"}).encode())
    slack = SlackChannel("xoxb-secret", base_url=loopback.url)
    with pytest.raises(ChannelRefusedError, match="unarchive"):
        slack.post("#incidents", CARD, idempotency_key="a")
    assert slack.post("#incidents", CARD, idempotency_key="a").channel == "C2"


def test_direct_messages_go_to_the_person_themselves_if_a_conversation_may_not_be_opened(loopback: Loopback) -> None:
    loopback.answer(200, refusal("missing_scope", needed="im:write"))
    assert SlackChannel("xoxb-secret", base_url=loopback.url).direct_channel("U1") == "U1"


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_a_code_that_a_person_can_mend_says_how(code: str) -> None:
    assert meaning_of(code) in (Meaning.ACCOUNT, Meaning.CHANNEL)


@pytest.mark.parametrize(
    "code", [code for code, meaning in MEANINGS.items() if meaning in (Meaning.ACCOUNT, Meaning.CHANNEL)]
)
def test_every_refusal_that_a_person_can_mend_has_a_remedy(code: str) -> None:
    assert code in REMEDIES


def test_a_picture_that_slack_has_not_processed_yet_is_retryable(loopback: Loopback) -> None:
    body = refusal(
        "invalid_blocks", response_metadata={"messages": ["[ERROR] invalid slack_file [json-pointer:/blocks/1]"]}
    )
    error = failure(loopback, 200, body)
    assert isinstance(error, RetryableError)
    assert error.retry_after_seconds


def test_a_refused_connection_and_a_timeout_are_retryable() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        slack = SlackChannel("xoxb-secret", base_url=url, timeout_seconds=1)
        with pytest.raises(RetryableError, match="cannot be reached"):
            slack.check()
        listening.listen()
        with pytest.raises(RetryableError, match=r"did not answer in time|cannot be reached"):
            slack.check()


@pytest.mark.parametrize(
    "call",
    [
        lambda slack: slack.post("C123", CARD, idempotency_key="k"),
        lambda slack: slack.post_ephemeral("C123", "U1", "hello"),
        lambda slack: slack.upload_picture(b"png", filename="a.png", alt_text="a"),
        lambda slack: slack.user("U1"),
        lambda slack: slack.check(),
    ],
)
def test_every_call_raises_our_own_errors(loopback: Loopback, call: Callable[[SlackChannel], object]) -> None:
    loopback.answer(200, refusal("token_revoked"))
    with pytest.raises(AuthenticationError):
        call(SlackChannel("xoxb-secret", base_url=loopback.url))


def test_channels_are_looked_up_by_name_on_all_pages_and_cached(loopback: Loopback) -> None:
    page = {"ok": True, "channels": [{"id": "C1", "name": "general"}], "response_metadata": {"next_cursor": "more"}}
    loopback.answer(200, json.dumps(page).encode())
    loopback.answer(200, json.dumps({"ok": True, "channels": [{"id": "C2", "name": "incidents"}]}).encode())
    for _ in range(2):
        loopback.answer(200, json.dumps({"ok": True, "channel": "C2", "ts": "1.5"}).encode())
    slack = SlackChannel("xoxb-secret", base_url=loopback.url)
    assert slack.post("#incidents", CARD, idempotency_key="a") == MessageReference("C2", "1.5")
    slack.post("incidents", CARD, idempotency_key="b")
    assert [request.path for request in loopback.received] == [
        "/conversations.list",
        "/conversations.list",
        "/chat.postMessage",
        "/chat.postMessage",
    ]


def test_the_error_for_an_invisible_channel_names_the_channel(loopback: Loopback) -> None:
    loopback.answer(200, json.dumps({"ok": True, "channels": []}).encode())
    with pytest.raises(NotFoundError, match="#incidents"):
        SlackChannel("xoxb-secret", base_url=loopback.url).post("#incidents", CARD, idempotency_key="a")


def test_an_expired_response_url_is_reported_as_gone(loopback: Loopback) -> None:
    loopback.answer(404, b"expired_url")
    with pytest.raises(NotFoundError):
        SlackChannel("xoxb-secret", base_url=f"{loopback.url}/").respond(f"{loopback.url}/commands/1", CARD)


def test_a_response_url_in_a_private_network_is_refused() -> None:
    with pytest.raises(RejectedError):
        SlackChannel("xoxb-secret").respond("http://169.254.169.254/latest", CARD)
