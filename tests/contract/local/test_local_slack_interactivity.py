"""The real slack_bolt, over signed HTTP and over Socket Mode, against what people do on the page."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.request import BoltRequest
from slack_sdk.errors import SlackApiError


def plain(text):
    return {"type": "plain_text", "text": text}


BUTTONS = [
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
VIEW = {
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
    """A Bolt app behind a plain HTTP server; `delay` holds every acknowledgement back."""

    def __init__(self, app, port):
        self.statuses = []
        self.release = threading.Event()
        self.release.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                outer.release.wait(60)
                headers = {name.lower(): value for name, value in self.headers.items()}
                response = app.dispatch(BoltRequest(body=body, headers=headers))
                outer.statuses.append(response.status)
                try:
                    self.send_response(response.status)
                    self.end_headers()
                    self.wfile.write((response.body or "").encode())
                except (BrokenPipeError, ConnectionResetError):
                    return

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def workspace(room):
    return room.workspace


@pytest.fixture
def bolt(workspace):
    return App(client=workspace.slack(), signing_secret=workspace.signing_secret, process_before_response=True)


@pytest.fixture
def app_port(workspace):
    """Where the workspace expects the app."""
    return urlsplit(workspace.config.request_url).port


@pytest.fixture
def served(bolt, app_port):
    server = BoltServer(bolt, app_port)
    yield server
    server.stop()


@pytest.fixture
def message(room):
    return ask_in(room)


def ask_in(room):
    posted = room.workspace.slack().chat_postMessage(channel=room.name, text="Shall we?", blocks=BUTTONS)
    return {"channel": posted["channel"], "message_ts": posted["ts"]}


@contextmanager
def bolt_behind(workspace):
    """A Bolt app, and its server where the workspace expects it."""
    app = App(client=workspace.slack(), signing_secret=workspace.signing_secret, process_before_response=True)
    server = BoltServer(app, urlsplit(workspace.config.request_url).port)
    try:
        yield app, server
    finally:
        server.stop()


def press(room, message, action_id="approve_fix", **more):
    pressed = {**message, "user": room.ana, "action_id": action_id, **more}
    return room.workspace.page.post("/page/act", json=pressed)


def open_modal(room, bolt, message, view=VIEW):
    @bolt.action("approve_fix")
    def approve(ack, body, client):
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=view)

    press(room, message).raise_for_status()
    return room.modals(room.ana)[-1]


def submit(room, modal, note="because", user=None):
    body = {"user": user or room.ana, "values": {"note": {"text": note}}}
    return room.workspace.page.post(f"/page/modals/{modal['view_id']}/submit", json=body)


def run_command(room, text):
    body = {"user": room.ana, "channel": room.name, "text": text}
    room.workspace.page.post("/page/command", json=body).raise_for_status()


def test_a_press_reaches_the_listener_signed_and_whole(room, bolt, served, message):
    seen = []
    bolt.action("approve_fix")(lambda ack, body: (ack(), seen.append(body)))
    assert press(room, message).json() == {"ok": True}
    (body,) = seen
    action = body["actions"][0]
    assert (action["value"], action["type"], action["text"]["text"]) == ("7", "button", "Approve")
    assert body["container"]["message_ts"] == body["message"]["ts"] == message["message_ts"]
    assert (body["user"]["id"], body["channel"]["name"]) == (room.ana, room.name)
    assert served.statuses == [200]


def test_a_choice_reaches_the_listener_with_its_option(room, bolt, served, message):
    seen = []
    bolt.action("severity")(lambda ack, action: (ack(), seen.append(action["selected_option"]["value"])))
    press(room, message, "severity", value="high").raise_for_status()
    assert seen == ["high"]


def test_a_press_signed_with_another_secret_is_turned_away_and_said_so(room, workspace, app_port, message):
    stranger = App(client=workspace.slack(), signing_secret="another", process_before_response=True)
    stranger.action("approve_fix")(lambda ack: ack())
    server = BoltServer(stranger, app_port)
    answer = press(room, message)
    server.stop()
    assert (answer.status_code, answer.json()["detail"]["error"]) == (502, "dispatch_failed")
    assert server.statuses == [401]


def test_an_app_that_is_not_there_is_said_so(room, message):
    assert press(room, message).json()["detail"]["error"] == "dispatch_failed"


def test_an_app_that_takes_longer_than_three_seconds_is_said_so(hasty_room):
    with bolt_behind(hasty_room.workspace) as (bolt, served):
        bolt.action("approve_fix")(lambda ack: ack())
        served.release.clear()
        assert press(hasty_room, ask_in(hasty_room)).json()["detail"]["error"] == "operation_timeout"


def test_a_button_that_is_not_there_cannot_be_pressed(room, message):
    assert press(room, message, "nonsense").json()["detail"]["error"] == "action_not_found"
    assert press(room, {**message, "message_ts": "1.000001"}).json()["detail"]["error"] == "message_not_found"
    assert press(room, message, user="U0NOBODY").json()["detail"]["error"] == "user_not_found"


def test_a_modal_is_opened_filled_and_submitted(room, bolt, served, message):
    seen = []

    @bolt.view("confirm_approval")
    def confirm(ack, view):
        ack()
        seen.append((view["private_metadata"], view["state"]["values"]["note"]["text"]["value"]))

    modal = open_modal(room, bolt, message)
    assert (modal["title"], modal["submit"], modal["close"]) == ("Approve fix", "Approve", "Cancel")
    assert room.modals(room.ben) == []
    assert submit(room, modal, user=room.ben).status_code == 404
    assert submit(room, modal).json() == {"ok": True, "errors": {}}
    assert seen == [("7:abc", "because")]
    assert room.modals(room.ana) == []


def test_a_required_input_left_empty_never_reaches_the_app(room, bolt, served, message):
    modal = open_modal(room, bolt, message)
    before = list(served.statuses)
    assert submit(room, modal, note="").json()["errors"] == {"note": "Please complete this required field."}
    assert served.statuses == before


def test_the_app_can_refuse_replace_and_clear_what_was_submitted(room, bolt, served, message):
    answers = [
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


def test_closing_tells_the_app_only_where_it_asked(room, workspace, bolt, served, message):
    closed = []
    bolt.view_closed("confirm_approval")(lambda ack, view: (ack(), closed.append(view["id"])))
    modal = open_modal(room, bolt, message, {**VIEW, "notify_on_close": True})
    workspace.page.post(f"/page/modals/{modal['view_id']}/close", json={"user": room.ana}).raise_for_status()
    assert closed == [modal["view_id"]]
    assert room.modals(room.ana) == []


def test_a_trigger_opens_one_modal_within_three_seconds(hasty_room):
    workspace = hasty_room.workspace
    slack = workspace.slack()
    triggers = []

    def error_of(trigger_id, view=VIEW):
        with pytest.raises(SlackApiError) as caught:
            slack.views_open(trigger_id=trigger_id, view=view)
        return caught.value.response["error"]

    with bolt_behind(workspace) as (bolt, _), workspace.clock.standing_still():
        bolt.action("approve_fix")(lambda ack, body: (ack(), triggers.append(body["trigger_id"])))
        message = ask_in(hasty_room)
        press(hasty_room, message)
        press(hasty_room, message)
        first, second = triggers
        assert error_of(first, {**VIEW, "title": plain("x" * 25)}) == "invalid_arguments"
        slack.views_open(trigger_id=first, view=VIEW)
        assert error_of(first) == "exchanged_trigger_id"
        workspace.clock.added_seconds += 3.1
        assert error_of(second) == "expired_trigger_id"
        assert error_of("1.2.3") == "invalid_trigger_id"


def test_an_open_modal_can_be_updated_but_not_over_a_newer_one(room, workspace, bolt, served, message):
    modal = open_modal(room, bolt, message)
    slack = workspace.slack()
    changed = slack.views_update(view_id=modal["view_id"], view={**VIEW, "title": plain("Newer")})["view"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        slack.views_update(view_id=modal["view_id"], view=VIEW, hash="0.stale")
    slack.views_update(view_id=modal["view_id"], view={**VIEW, "title": plain("Newest")}, hash=changed["hash"])
    assert room.modals(room.ana)[0]["title"] == "Newest"
    with pytest.raises(SlackApiError, match="not_found"):
        slack.views_update(view_id="VNOTHERE", view=VIEW)


def test_a_press_is_answered_through_its_response_url(room, workspace, bolt, served, message):
    urls = []

    @bolt.action("approve_fix")
    def approve(ack, respond, body):
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


def test_a_slash_command_is_answered_to_its_asker(room, bolt, served):
    @bolt.command("/argux")
    def argux(ack, command, respond):
        ack(f"You said {command['text']!r} in {command['channel_name']}.")
        respond(text="And everybody may know.", response_type="in_channel")

    run_command(room, "/argux status")
    assert [message["text"] for message in room.seen_by(room.ben)] == ["And everybody may know."]
    texts = {message["text"] for message in room.seen_by(room.ana)}
    assert texts == {"And everybody may know.", f"You said 'status' in {room.name}."}


def test_a_command_that_fails_or_does_not_exist_is_told_to_its_asker_alone(room):
    for text in ("/argux status", "/nonsense"):
        run_command(room, text)
    failed, unknown = room.seen_by(room.ana)
    assert failed["text"] == "`/argux` failed with the error `dispatch_failed`."
    assert unknown["text"].startswith("`/nonsense` is not a valid command.")
    assert room.seen_by(room.ben) == []


def test_over_socket_mode_presses_commands_and_submissions_arrive_without_any_http(room, workspace, bolt, message):
    seen = []
    bolt.command("/argux")(lambda ack, command: (ack("over the socket"), seen.append(command["text"])))
    bolt.view("confirm_approval")(lambda ack: (ack(), seen.append("submitted")))
    handler = SocketModeHandler(bolt, workspace.app_token)
    handler.connect()
    workspace.wait_for(handler.client.is_connected)
    try:
        modal = workspace.wait_for(lambda: open_modal(room, bolt, message))
        submit(room, modal).raise_for_status()
        run_command(room, "/argux help")
    finally:
        handler.close()
    assert seen == ["submitted", "help"]
    assert "over the socket" in {message["text"] for message in room.seen_by(room.ana)}


def test_socket_mode_needs_the_app_token(workspace):
    with pytest.raises(SlackApiError, match="invalid_auth"):
        workspace.slack().apps_connections_open(app_token="xapp-wrong")
