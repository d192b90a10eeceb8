"""The real slack_sdk against the local workspace: messages, threads, files and refusals."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from integrations.local.slack.delivery import signature
from tests.contract.local.workspace import Json, Room, Workspace

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
SECTION = [{"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}]


def refusal(call: Callable[..., object], **arguments: Any) -> Any:
    """Call a method that must fail, and return the response."""
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value.response


def test_a_message_can_be_posted_changed_read_back_and_deleted(room: Room) -> None:
    slack = room.workspace.slack()
    posted = slack.chat_postMessage(
        channel=f"#{room.name}",
        text="first",
        blocks=SECTION,
        metadata={"event_type": "incident", "event_payload": {"key": "i-1"}},
    )
    channel, ts = posted["channel"], posted["ts"]
    slack.chat_update(channel=channel, ts=ts, text="second", blocks=SECTION)

    plain = slack.conversations_history(channel=channel)["messages"]
    full = slack.conversations_history(channel=channel, include_all_metadata=True)["messages"]
    assert [message["text"] for message in plain] == ["second"]
    assert "metadata" not in plain[0]
    assert full[0]["metadata"] == {"event_type": "incident", "event_payload": {"key": "i-1"}}
    assert "edited" not in full[0]

    slack.chat_update(channel=channel, ts=ts, text="third")
    (changed,) = slack.conversations_history(channel=channel)["messages"]
    assert "blocks" not in changed
    assert changed["edited"]["user"] == slack.auth_test()["user_id"]

    slack.chat_delete(channel=channel, ts=ts)
    assert slack.conversations_history(channel=channel)["messages"] == []


def test_replies_stay_in_their_thread_unless_they_are_broadcast(room: Room) -> None:
    slack = room.workspace.slack()
    root = slack.chat_postMessage(channel=room.name, text="root")
    place = {"channel": root["channel"], "thread_ts": root["ts"]}
    slack.chat_postMessage(**place, text="quiet")
    slack.chat_postMessage(**place, text="loud", reply_broadcast=True)

    history = slack.conversations_history(channel=root["channel"])["messages"]
    thread = slack.conversations_replies(channel=root["channel"], ts=root["ts"])["messages"]
    assert [message["text"] for message in history] == ["loud", "root"]
    assert [message["text"] for message in thread] == ["root", "quiet", "loud"]
    assert history[1]["reply_count"] == 2
    assert thread[2]["subtype"] == "thread_broadcast"


def test_history_pages_contain_every_message_once(room: Room) -> None:
    slack = room.workspace.slack()
    for number in range(7):
        channel = slack.chat_postMessage(channel=room.name, text=str(number))["channel"]
    texts = [
        message["text"]
        for page in slack.conversations_history(channel=channel, limit=3)
        for message in page["messages"]
    ]
    assert texts == ["6", "5", "4", "3", "2", "1", "0"]


def test_an_ephemeral_message_is_visible_only_to_its_user_and_not_in_the_history(room: Room) -> None:
    slack = room.workspace.slack()
    slack.chat_postEphemeral(channel=room.name, user=room.ana, text="only you")
    assert [message["text"] for message in room.seen_by(room.ana)] == ["only you"]
    assert room.seen_by(room.ben) == []
    assert slack.conversations_history(channel=room.channel)["messages"] == []


def test_a_direct_message_is_visible_only_to_its_recipient(workspace: Workspace) -> None:
    slack = workspace.slack()
    channel = slack.conversations_open(users="U0BEN")["channel"]["id"]
    slack.chat_postMessage(channel=channel, text="psst")
    assert [message["text"] for message in workspace.state("U0BEN")["messages"]] == ["psst"]
    assert workspace.state("U0ANA")["messages"] == []


def test_people_and_channels_can_be_looked_up(shared_workspace: Workspace) -> None:
    slack = shared_workspace.slack()
    assert slack.users_info(user="U0ANA")["user"]["tz"] == "Europe/Berlin"
    assert {member["id"] for member in slack.users_list()["members"]} > {"U0ANA", "U0BEN", "U0ARGUX"}
    assert [channel["name"] for channel in slack.conversations_list()["channels"]][:2] == ["incidents", "general"]
    assert slack.conversations_join(channel="C0GENERAL")["channel"]["is_member"]


def test_an_uploaded_picture_can_be_shown_in_a_block(shared_workspace: Workspace) -> None:
    slack = shared_workspace.slack()
    uploaded = slack.files_upload_v2(content=PNG, filename="chart.png", alt_txt="a chart")["files"][0]
    block = {"type": "image", "slack_file": {"id": uploaded["id"]}, "alt_text": "a chart"}
    slack.chat_postMessage(channel="incidents", text="look", blocks=[block])
    shown = shared_workspace.page.get(f"/page/files/{uploaded['id']}")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert slack.files_info(file=uploaded["id"])["file"]["alt_txt"] == "a chart"


def test_a_file_cannot_be_shown_before_its_upload_is_completed(shared_workspace: Workspace) -> None:
    slack = shared_workspace.slack()
    reserved = slack.files_getUploadURLExternal(filename="chart.png", length=len(PNG))
    block = {"type": "image", "slack_file": {"id": reserved["file_id"]}, "alt_text": "a chart"}
    response = refusal(slack.chat_postMessage, channel="incidents", text="look", blocks=[block])
    assert response["error"] == "invalid_blocks"
    early = refusal(slack.files_completeUploadExternal, files=[{"id": reserved["file_id"]}])
    assert early["error"] == "file_not_found"


def test_an_upload_with_a_wrong_length_is_refused(shared_workspace: Workspace) -> None:
    address = shared_workspace.slack().files_getUploadURLExternal(filename="chart.png", length=5)["upload_url"]
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(address, data=PNG, method="POST"))
    caught.value.close()
    assert caught.value.code == 400


def test_uploaded_html_is_not_served_as_html(shared_workspace: Workspace) -> None:
    uploaded = shared_workspace.slack().files_upload_v2(content="<script>1</script>", filename="x.html")["files"][0]
    assert (
        shared_workspace.page.get(f"/page/files/{uploaded['id']}").headers["content-type"] == "application/octet-stream"
    )


@pytest.mark.parametrize("token", ["xoxb-wrong", "xapp-local"])
def test_a_wrong_token_is_refused(shared_workspace: Workspace, token: str) -> None:
    assert refusal(shared_workspace.slack(token).auth_test)["error"] == "invalid_auth"


def test_a_missing_token_is_refused(shared_workspace: Workspace) -> None:
    assert shared_workspace.page.post("/slack/api/auth.test").json() == {"ok": False, "error": "not_authed"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "nowhere", "text": "x"}, "channel_not_found"),
        ({"channel": "incidents", "text": ""}, "no_text"),
        ({"channel": "incidents", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "incidents", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "incidents", "text": "x", "metadata": {"event_type": "k"}}, "invalid_metadata_format"),
        ({"channel": "incidents", "text": "x", "blocks": "not json"}, "invalid_blocks_format"),
        ({"channel": "incidents", "text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        (
            {"channel": "incidents", "text": "x", "blocks": [{"type": "markdown", "text": "x" * 7000}] * 2},
            "msg_blocks_too_long",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")
def test_an_invalid_message_is_refused_with_slacks_error_code(
    shared_workspace: Workspace, arguments: Json, error: str
) -> None:
    assert refusal(shared_workspace.slack().chat_postMessage, **arguments)["error"] == error


def test_refused_blocks_are_reported_with_a_json_pointer(shared_workspace: Workspace) -> None:
    blocks = [{"type": "divider"}, {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    response = refusal(shared_workspace.slack().chat_postMessage, channel="incidents", text="x", blocks=blocks)
    assert response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


def test_the_bot_can_change_only_its_own_messages(shared_workspace: Workspace) -> None:
    slack = shared_workspace.slack()
    said = shared_workspace.page.post(
        "/page/messages", json={"user": "U0ANA", "channel": "general", "text": "mine"}
    ).json()
    assert refusal(slack.chat_update, **said, text="not yours")["error"] == "cant_update_message"
    assert refusal(slack.chat_delete, **said)["error"] == "cant_delete_message"
    missing = {"channel": said["channel"], "ts": "1.000001"}
    assert refusal(slack.chat_update, **missing, text="x")["error"] == "message_not_found"
    assert refusal(slack.conversations_replies, **missing)["error"] == "thread_not_found"


def test_a_reply_to_a_reply_is_refused(shared_workspace: Workspace) -> None:
    slack = shared_workspace.slack()
    root = slack.chat_postMessage(channel="general", text="root")
    reply = slack.chat_postMessage(channel="general", text="reply", thread_ts=root["ts"])
    response = refusal(slack.chat_postMessage, channel="general", text="x", thread_ts=reply["ts"])
    assert response["error"] == "cannot_reply_to_message"


def test_the_signature_matches_that_of_slack_sdk() -> None:
    verifier = SignatureVerifier("secret")
    assert signature("secret", 1_790_000_000, b"payload=1") == verifier.generate_signature(
        timestamp="1790000000", body="payload=1"
    )


def test_messages_and_the_order_of_timestamps_survive_a_restart(workspace: Workspace) -> None:
    posted = workspace.slack().chat_postMessage(channel="incidents", text="keep me")
    workspace.restart()
    slack = workspace.slack()
    after = slack.chat_postMessage(channel="incidents", text="after", thread_ts=posted["ts"])
    assert [message["text"] for message in workspace.state()["messages"]] == ["keep me"]
    assert float(after["ts"]) > float(posted["ts"])


def test_an_open_page_does_not_delay_the_servers_stop(workspace: Workspace) -> None:
    with workspace.page.stream("GET", "/page/stream") as stream:
        assert next(stream.iter_lines()) == "event: changed"
        workspace.server.config.timeout_graceful_shutdown = 300
        workspace.server.should_exit = True
        workspace.thread.join(60)
        assert not workspace.thread.is_alive()
