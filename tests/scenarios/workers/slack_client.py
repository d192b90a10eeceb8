"""Slack behind slack_sdk's own client: a workspace in memory, in which the calls of a chosen step are refused.

Only the wire is replaced, so that Argux gets what slack_sdk makes of Slack's bytes.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message as Headers
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl
from urllib.request import Request

import httpx
from slack_sdk import WebClient
from slack_sdk.web.file_upload_v2_result import FileUploadV2Result

from integrations.cards import Card
from integrations.http import unreachable
from integrations.slack import SlackChannel
from integrations.slack.errors import response_failure

ROOT, THREAD, DIRECT, OPEN = "root", "thread", "direct", "open a conversation"
EDIT, PICTURE, UPLOAD, COMPLETE = "edit", "picture", "upload", "complete the upload"
EPHEMERAL, RESPOND, MODAL, FILL, NAME, LOOK = "ephemeral", "respond", "modal", "fill a modal", "name", "look"


@dataclass(frozen=True)
class Answer:
    """What comes over the wire: an HTTP answer, or the error of a connection that brings none."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: Exception | None = None

    def opened(self, url: str) -> dict[str, Any]:
        """Return or raise what urllib does."""
        if self.error is not None:
            raise self.error
        headers = Headers()
        for name, value in {"Content-Type": "application/json; charset=utf-8", **self.headers}.items():
            headers[name] = value
        if self.status >= 400:
            raise HTTPError(url, self.status, "refused", headers, io.BytesIO(self.body))
        body = self.body.decode(headers.get_content_charset() or "utf-8")
        return {"status": self.status, "headers": headers, "body": body}


def refusal(code: str, **more: Any) -> Answer:
    """Return Slack's answer with an error code."""
    return Answer(json.dumps({"ok": False, "error": code, **more}).encode())


WIRE: dict[str, Answer] = {
    "429 for 20 s": Answer(b'{"ok":false,"error":"ratelimited"}', 429, {"Retry-After": "20"}),
    "429 without a time": Answer(b'{"ok":false,"error":"ratelimited"}', 429),
    "500 as a page": Answer(b"<html>Server Error</html>", 500, {"Content-Type": "text/html"}),
    "503": Answer(b'{"ok":false,"error":"service_unavailable"}', 503),
    "200 as a page": Answer(b"<html>Sign in to the Wi-Fi</html>", 200, {"Content-Type": "text/html"}),
    "200 and empty": Answer(b""),
    "200 and no object": Answer(b'["ok"]'),
    "200 and no text": Answer(b"\xff\xfe\x00"),
    "200 in no known charset": Answer(b"{}", 200, {"Content-Type": "application/json; charset=moon"}),
    "302 that leads nowhere": Answer(b"", 302, {"Location": "https://login.example/"}),
    "no code": Answer(b'{"ok":false}'),
    "a code that is no text": Answer(
        b'{"ok":false,"error":{"code":7},"errors":7,"response_metadata":{"messages":null}}'
    ),
    "reset": Answer(error=ConnectionResetError("reset by peer")),
    "timeout": Answer(error=TimeoutError("timed out")),
    "no name": Answer(error=OSError("Temporary failure in name resolution")),
}
"""The answers that have nothing to do with a method, by name."""


@dataclass
class Message:
    """A message as Slack keeps it."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None
    metadata: dict[str, Any]

    @property
    def title(self) -> str:
        """The header, or the first line of the text."""
        header = next((block["text"]["text"] for block in self.blocks if block["type"] == "header"), None)
        return header or self.text.splitlines()[0]

    @property
    def has_picture(self) -> bool:
        """Whether it shows a picture."""
        return any(block["type"] == "image" for block in self.blocks)


@dataclass
class Workspace:
    """The methods that SlackChannel calls. `refuse[step]` is the answer that the calls of a step get."""

    refuse: dict[str, Answer] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    private: list[tuple[str, str]] = field(default_factory=list)
    modals: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    files: int = 0

    def answer(self, method: str, sent: dict[str, Any]) -> Answer:
        """Carry out a call, unless its step is refused."""
        step = _step(method, sent)
        self.calls[step] += 1
        if step in self.refuse:
            return self.refuse[step]
        handler = getattr(self, method.replace(".", "_"))
        return Answer(json.dumps({"ok": True, **handler(sent)}).encode())

    def chat_postMessage(self, sent: dict[str, Any]) -> dict[str, Any]:
        message = Message(
            sent["channel"], f"{len(self.messages) + 1}.0", sent["text"], sent["blocks"], sent.get("thread_ts"),
            sent.get("metadata") or {},
        )  # fmt: skip
        self.messages.append(message)
        return {"channel": message.channel, "ts": message.ts}

    def chat_update(self, sent: dict[str, Any]) -> dict[str, Any]:
        [message] = [one for one in self.messages if one.ts == sent["ts"]]
        message.text, message.blocks = sent["text"], sent["blocks"]
        return {}

    def chat_postEphemeral(self, sent: dict[str, Any]) -> dict[str, Any]:
        self.private.append((sent["user"], sent["text"]))
        return {}

    def files_getUploadURLExternal(self, sent: dict[str, Any]) -> dict[str, Any]:
        self.files += 1
        return {"file_id": f"F{self.files}", "upload_url": "https://files.example/upload"}

    def upload(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {}

    def files_completeUploadExternal(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {"files": [{"id": f"F{self.files}"}]}

    def views_open(self, sent: dict[str, Any]) -> dict[str, Any]:
        self.modals[sent["view"]["external_id"]] = sent["view"]
        return {}

    def views_update(self, sent: dict[str, Any]) -> dict[str, Any]:
        if sent["external_id"] not in self.modals:
            return {"ok": False, "error": "not_found"}
        self.modals[sent["external_id"]] = sent["view"]
        return {}

    def users_info(self, sent: dict[str, Any]) -> dict[str, Any]:
        name = sent["user"].removeprefix("U").capitalize()
        return {"user": {"id": sent["user"], "team_id": "T1", "name": name, "tz": "UTC"}}

    def auth_test(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {"team_id": "T1"}

    def conversations_open(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": f"D{sent['users']}"}}

    def conversations_info(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"is_member": True}}

    def conversations_list(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {"channels": [{"name": "incidents", "id": "C1"}]}

    def auth_teams_list(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {"teams": []}

    def conversations_history(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [_to_slack(one) for one in self.messages if one.channel == sent["channel"]]}

    def conversations_replies(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [_to_slack(one) for one in self.messages if one.thread_ts == sent["ts"]]}

    def titles(self) -> list[str]:
        """Return the titles of all messages to the channel, in their order."""
        return [message.title for message in self.messages if not message.channel.startswith("D")]

    def thread_titles(self) -> list[str]:
        return [one.title for one in self.messages if one.thread_ts is not None]


def _to_slack(message: Message) -> dict[str, Any]:
    return {"ts": message.ts, "metadata": message.metadata}


def _step(method: str, sent: dict[str, Any]) -> str:
    if method == "chat.postMessage":
        return DIRECT if sent["channel"][:1] in "DU" else THREAD if sent.get("thread_ts") else ROOT
    steps = {
        "chat.update": EDIT, "chat.postEphemeral": EPHEMERAL, "files.getUploadURLExternal": PICTURE, "upload": UPLOAD,
        "files.completeUploadExternal": COMPLETE, "views.open": MODAL, "views.update": FILL, "users.info": NAME,
        "conversations.open": OPEN, "conversations.history": LOOK, "conversations.replies": LOOK,
    }  # fmt: skip
    return steps.get(method, method)


class _Client(WebClient):
    """slack_sdk's client with the workspace at the other end of the wire."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("xoxb-test", retry_handlers=[])
        self._workspace = workspace

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        return self._workspace.answer(url.rpartition("/")[2], _arguments(req)).opened(url)

    def _upload_file(self, *, url: str, **rest: Any) -> FileUploadV2Result:
        opened = self._workspace.answer("upload", {}).opened(Request(url, method="POST").full_url)
        return FileUploadV2Result(status=opened["status"], body=opened["body"])


def _arguments(request: Request) -> dict[str, Any]:
    body = request.data.decode() if isinstance(request.data, bytes) else ""
    if "json" in str(request.get_header("Content-type")) and body.startswith("{"):
        sent: dict[str, Any] = json.loads(body)
    else:
        sent = dict(parse_qsl(body))
    structures = ("blocks", "metadata", "view", "files")
    return {
        name: json.loads(value) if name in structures and isinstance(value, str) else value
        for name, value in sent.items()
    }


class Channel(SlackChannel):
    """Slack's own adapter, with the workspace behind it. `responses` are the answers at response URLs."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("xoxb-test")
        self._client = _Client(workspace)
        self._workspace = workspace
        self.responses: list[Card] = []

    def respond(self, response_url: str, card: Card) -> None:
        answer = self._workspace.refuse.get(RESPOND)
        if answer is None:
            self.responses.append(card)
            return
        if answer.error is not None:
            raise unreachable("Slack", answer.error)
        failure = response_failure(httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body))
        assert failure is not None
        raise failure
