"""The real slack_bolt, over signed HTTP and over Socket Mode, receives what people do on the page."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.request import BoltRequest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.contract.local.workspace import APP_TOKEN, SIGNING_SECRET, Json, Room, Workspace, wait_for


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


BUTTONS: list[Json] = [
    {"type": "section", "text": plain("Shall we?")},
    {
        "type": "actions",
        "elements": [
            {"type": "button", "action_id": "approve_fix", "value": "7", "text": plain("Approve"), "style": "primary"},
            {"type": "static_select", "action_id": "severity", "options": [
                {"text": plain("Low"), "value": "low"}, {"text": plain("High"), "value": "high"},
            ]},
        ],
    },
]  # fmt: skip
VIEW: Json = {
    "type": "modal",
    "callback_id": "confirm_approval",
    "title": plain("Approve fix"),
    "submit": plain("Approve"),
    "private_metadata": "7:abc",
    "blocks": [
        {
            "type": "input",
            "block_id": "note",
            "label": plain("Why"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


class BoltServer:
    """A Bolt app behind a plain HTTP server. Clearing `release` holds every acknowledgement back."""

    def __init__(self, app: App, port: int) -> None:
        self.statuses: list[int] = []
        self.release = threading.Event()
        self.release.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                outer.release.wait(60)
                headers: dict[str, str | Sequence[str]] = {name.lower(): value for name, value in self.headers.items()}
                response = app.dispatch(BoltRequest(body=body, headers=headers))
                outer.statuses.append(response.status)
                try:
                    self.send_response(response.status)
                    self.end_headers()
                    self.wfile.write((response.body or "").encode())
                except (BrokenPipeError, ConnectionResetError):
                    return

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def workspace(room: Room) -> Workspace:
    return room.workspace


@pytest.fixture
def bolt(workspace: Workspace) -> App:
    return App(client=workspace.slack(), signing_secret=SIGNING_SECRET, process_before_response=True)


def request_port(workspace: Workspace) -> int:
    """Return the port of the app's request URL."""
    port = urlsplit(workspace.config.request_url).port
    assert port is not None
    return port


@pytest.fixture
def served(bolt: App, workspace: Workspace) -> Iterator[BoltServer]:
    server = BoltServer(bolt, request_port(workspace))
    yield server
    server.stop()


@pytest.fixture
def message(room: Room) -> Json:
    return ask_in(room)


def ask_in(room: Room) -> Json:
    """Post a message with a button and a selection; return the arguments of a press on it."""
    posted = room.workspace.slack().chat_postMessage(channel=room.name, text="Shall we?", blocks=BUTTONS)
    return {"channel": posted["channel"], "message_ts": posted["ts"]}


@contextmanager
def bolt_behind(workspace: Workspace) -> Iterator[tuple[App, BoltServer]]:
    """Run a Bolt app on the port where the workspace expects it."""
    app = App(client=workspace.slack(), signing_secret=SIGNING_SECRET, process_before_response=True)
    server = BoltServer(app, request_port(workspace))
    try:
        yield app, server
    finally:
        server.stop()


def press(room: Room, message: Json, action_id: str = "approve_fix", **more: Any) -> httpx.Response:
    pressed = {**message, "user": room.ana, "action_id": action_id, **more}
    return room.workspace.page.post("/page/act", json=pressed)


def open_modal(room: Room, bolt: App, message: Json, view: Json = VIEW) -> Json:
    @bolt.action("approve_fix")
    def approve(ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=view)

    press(room, message).raise_for_status()
    return room.modals(room.ana)[-1]


def submit(room: Room, modal: Json, note: str = "because", user: str | None = None) -> httpx.Response:
    body = {"user": user or room.ana, "values": {"note": {"text": note}}}
    return room.workspace.page.post(f"/page/modals/{modal['view_id']}/submit", json=body)


def run_command(room: Room, text: str) -> None:
    body = {"user": room.ana, "channel": room.name, "text": text}
    room.workspace.page.post("/page/command", json=body).raise_for_status()


def test_a_button_press_reaches_the_listener_signed_and_complete(
    room: Room, bolt: App, served: BoltServer, message: Json
) -> None:
    seen: list[Json] = []

    @bolt.action("approve_fix")
    def approve(ack: Ack, body: Json) -> None:
        ack()
        seen.append(body)

    assert press(room, message).json() == {"ok": True}
    (body,) = seen
    action = body["actions"][0]
    assert (action["value"], action["type"], action["text"]["text"]) == ("7", "button", "Approve")
    assert body["container"]["message_ts"] == body["message"]["ts"] == message["message_ts"]
    assert (body["user"]["id"], body["channel"]["name"]) == (room.ana, room.name)
    assert served.statuses == [200]


def test_a_selection_reaches_the_listener_with_its_option(
    room: Room, bolt: App, served: BoltServer, message: Json
) -> None:
    seen: list[str] = []

    @bolt.action("severity")
    def choose(ack: Ack, action: Json) -> None:
        ack()
        seen.append(action["selected_option"]["value"])

    press(room, message, "severity", value="high").raise_for_status()
    assert seen == ["high"]


def test_a_press_signed_with_another_secret_is_refused_and_reported(
    room: Room, workspace: Workspace, message: Json
) -> None:
    stranger = App(client=workspace.slack(), signing_secret="another", process_before_response=True)
    stranger.action("approve_fix")(lambda ack: ack())
    server = BoltServer(stranger, request_port(workspace))
    answer = press(room, message)
    server.stop()
    assert (answer.status_code, answer.json()["detail"]["error"]) == (502, "dispatch_failed")
    assert server.statuses == [401]


def test_an_unreachable_app_is_reported(room: Room, message: Json) -> None:
    assert press(room, message).json()["detail"]["error"] == "dispatch_failed"


def test_an_app_slower_than_three_seconds_is_reported_as_a_timeout(room_with_slack_timeout: Room) -> None:
    with bolt_behind(room_with_slack_timeout.workspace) as (bolt, served):
        bolt.action("approve_fix")(lambda ack: ack())
        served.release.clear()
        assert (
            press(room_with_slack_timeout, ask_in(room_with_slack_timeout)).json()["detail"]["error"]
            == "operation_timeout"
        )


def test_a_press_with_an_unknown_button_message_or_user_is_refused(room: Room, message: Json) -> None:
    assert press(room, message, "nonsense").json()["detail"]["error"] == "action_not_found"
    assert press(room, {**message, "message_ts": "1.000001"}).json()["detail"]["error"] == "message_not_found"
    assert press(room, message, user="U0NOBODY").json()["detail"]["error"] == "user_not_found"


def test_a_modal_is_opened_filled_and_submitted(room: Room, bolt: App, served: BoltServer, message: Json) -> None:
    seen: list[tuple[str, str]] = []

    @bolt.view("confirm_approval")
    def confirm(ack: Ack, view: Json) -> None:
        ack()
        seen.append((view["private_metadata"], view["state"]["values"]["note"]["text"]["value"]))

    modal = open_modal(room, bolt, message)
    assert (modal["title"], modal["submit"], modal["close"]) == ("Approve fix", "Approve", "Cancel")
    assert room.modals(room.ben) == []
    assert submit(room, modal, user=room.ben).status_code == 404
    assert submit(room, modal).json() == {"ok": True, "errors": {}}
    assert seen == [("7:abc", "because")]
    assert room.modals(room.ana) == []


def test_a_submission_with_an_empty_required_input_is_not_sent_to_the_app(
    room: Room, bolt: App, served: BoltServer, message: Json
) -> None:
    modal = open_modal(room, bolt, message)
    before = list(served.statuses)
    assert submit(room, modal, note="").json()["errors"] == {"note": "Please complete this required field."}
    assert served.statuses == before


def test_the_app_can_answer_a_submission_with_errors_an_update_or_clear(
    room: Room, bolt: App, served: BoltServer, message: Json
) -> None:
    answers: list[Json] = [
        {"response_action": "errors", "errors": {"note": "Too short."}},
        {"response_action": "update", "view": {**VIEW, "title": plain("Really?")}},
        {"response_action": "clear"},
    ]
    bolt.view("confirm_approval")(lambda ack: ack(**answers.pop(0)))
    modal = open_modal(room, bolt, message)
    assert submit(room, modal).json()["errors"] == {"note": "Too short."}
    submit(room, modal).raise_for_status()
    assert room.modals(room.ana)[0]["title"] == "Really?"
    submit(room, modal).raise_for_status()
    assert room.modals(room.ana) == []


def test_closing_a_modal_notifies_an_app_that_asked_for_it(
    room: Room, workspace: Workspace, bolt: App, served: BoltServer, message: Json
) -> None:
    closed: list[str] = []

    @bolt.view_closed("confirm_approval")
    def note_closed(ack: Ack, view: Json) -> None:
        ack()
        closed.append(view["id"])

    modal = open_modal(room, bolt, message, {**VIEW, "notify_on_close": True})
    workspace.page.post(f"/page/modals/{modal['view_id']}/close", json={"user": room.ana}).raise_for_status()
    assert closed == [modal["view_id"]]
    assert room.modals(room.ana) == []


def test_a_trigger_opens_one_modal_within_three_seconds(room_with_slack_timeout: Room) -> None:
    workspace = room_with_slack_timeout.workspace
    slack = workspace.slack()
    triggers: list[str] = []

    def error_of(trigger_id: str, view: Json = VIEW) -> Any:
        with pytest.raises(SlackApiError) as caught:
            slack.views_open(trigger_id=trigger_id, view=view)
        return caught.value.response["error"]

    with bolt_behind(workspace) as (bolt, _), workspace.clock.frozen():

        @bolt.action("approve_fix")
        def approve(ack: Ack, body: Json) -> None:
            ack()
            triggers.append(body["trigger_id"])

        message = ask_in(room_with_slack_timeout)
        press(room_with_slack_timeout, message)
        press(room_with_slack_timeout, message)
        first, second = triggers
        assert error_of(first, {**VIEW, "title": plain("x" * 25)}) == "invalid_arguments"
        slack.views_open(trigger_id=first, view=VIEW)
        assert error_of(first) == "exchanged_trigger_id"
        workspace.clock.added_seconds += 3.1
        assert error_of(second) == "expired_trigger_id"
        assert error_of("1.2.3") == "invalid_trigger_id"


def test_an_open_modal_can_be_updated_unless_the_hash_is_stale(
    room: Room, workspace: Workspace, bolt: App, served: BoltServer, message: Json
) -> None:
    modal = open_modal(room, bolt, message)
    slack = workspace.slack()
    changed = slack.views_update(view_id=modal["view_id"], view={**VIEW, "title": plain("Newer")})["view"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        slack.views_update(view_id=modal["view_id"], view=VIEW, hash="0.stale")
    slack.views_update(view_id=modal["view_id"], view={**VIEW, "title": plain("Newest")}, hash=changed["hash"])
    assert room.modals(room.ana)[0]["title"] == "Newest"
    with pytest.raises(SlackApiError, match="not_found"):
        slack.views_update(view_id="VNOTHERE", view=VIEW)


def test_a_press_is_answered_through_its_response_url(
    room: Room, workspace: Workspace, bolt: App, served: BoltServer, message: Json
) -> None:
    urls: list[str] = []

    @bolt.action("approve_fix")
    def approve(ack: Ack, respond: Respond, body: Json) -> None:
        ack()
        urls.append(body["response_url"])
        respond(text="Only you see this.", replace_original=False)
        respond(text="Approved by Ana.", replace_original=True)

    press(room, message).raise_for_status()
    root, private = room.seen_by(room.ana)
    assert (root["text"], root["blocks"], root["edited"]) == ("Approved by Ana.", [], True)
    assert (private["text"], private["ephemeral"]) == ("Only you see this.", True)
    assert len(room.seen_by(room.ben)) == 1
    for _ in range(3):
        assert workspace.page.post(urls[0], json={"text": "again"}).text == "ok"
    assert workspace.page.post(urls[0], json={"text": "too often"}).text == "used_url"


def test_a_slash_command_is_answered_privately_and_in_the_channel(room: Room, bolt: App, served: BoltServer) -> None:
    @bolt.command("/argux")
    def argux(ack: Ack, command: Json, respond: Respond) -> None:
        ack(f"You said {command['text']!r} in {command['channel_name']}.")
        respond(text="And everybody may know.", response_type="in_channel")

    run_command(room, "/argux status")
    assert [message["text"] for message in room.seen_by(room.ben)] == ["And everybody may know."]
    texts = {message["text"] for message in room.seen_by(room.ana)}
    assert texts == {"And everybody may know.", f"You said 'status' in {room.name}."}


def test_a_failed_or_unknown_command_is_reported_only_to_its_user(room: Room) -> None:
    for text in ("/argux status", "/nonsense"):
        run_command(room, text)
    failed, unknown = room.seen_by(room.ana)
    assert failed["text"] == "`/argux` failed with the error `dispatch_failed`."
    assert unknown["text"].startswith("`/nonsense` is not a valid command.")
    assert room.seen_by(room.ben) == []


def test_presses_commands_and_submissions_arrive_over_socket_mode(
    room: Room, workspace: Workspace, bolt: App, message: Json
) -> None:
    seen: list[str] = []

    @bolt.command("/argux")
    def argux(ack: Ack, command: Json) -> None:
        ack("over the socket")
        seen.append(command["text"])

    @bolt.view("confirm_approval")
    def confirm(ack: Ack) -> None:
        ack()
        seen.append("submitted")

    handler: Any = SocketModeHandler(bolt, APP_TOKEN)
    handler.connect()
    wait_for(handler.client.is_connected)
    try:
        modal = wait_for(lambda: open_modal(room, bolt, message))
        submit(room, modal).raise_for_status()
        run_command(room, "/argux help")
    finally:
        handler.close()
    assert seen == ["submitted", "help"]
    assert "over the socket" in {message["text"] for message in room.seen_by(room.ana)}


def test_socket_mode_needs_the_app_token(workspace: Workspace) -> None:
    with pytest.raises(SlackApiError, match="invalid_auth"):
        workspace.slack().apps_connections_open(app_token="xapp-wrong")
