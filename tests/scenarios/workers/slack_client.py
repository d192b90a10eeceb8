"""Slack behind slack_sdk's client: a workspace in memory, in which chosen methods are refused with a chosen code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from integrations.cards import Card
from integrations.slack import SlackChannel

ROOT, THREAD, DIRECT = "root", "thread", "direct"
EDIT, PICTURE, EPHEMERAL, MODAL, NAME = "edit", "picture", "ephemeral", "modal", "name"


@dataclass
class Message:
    """A message as Slack keeps it."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None
    metadata: dict[str, Any]
    at: float = 0.0

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
    """The methods that SlackChannel calls. `refuse[step]` is the code with which the calls of a step are refused."""

    refuse: dict[str, str] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    private: list[tuple[str, str]] = field(default_factory=list)
    modals: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    files: int = 0

    def _check(self, step: str) -> None:
        self.calls[step] += 1
        if step not in self.refuse:
            return
        body = {"ok": False, "error": self.refuse[step]}
        response = SlackResponse(
            client=None, http_verb="POST", api_url="", req_args={}, data=body, headers={}, status_code=200
        )  # fmt: skip
        raise SlackApiError("refused", response)  # type: ignore[no-untyped-call]

    def chat_postMessage(self, **sent: Any) -> Any:
        channel = sent["channel"]
        self._check(DIRECT if channel.startswith("D") else THREAD if sent.get("thread_ts") else ROOT)
        message = Message(
            channel, f"{len(self.messages) + 1}.0", sent["text"], sent["blocks"], sent.get("thread_ts"),
            sent.get("metadata") or {},
        )  # fmt: skip
        self.messages.append(message)
        return {"channel": channel, "ts": message.ts}

    def chat_update(self, **sent: Any) -> Any:
        self._check(EDIT)
        [message] = [one for one in self.messages if one.ts == sent["ts"]]
        message.text, message.blocks = sent["text"], sent["blocks"]
        return {"ok": True}

    def chat_postEphemeral(self, **sent: Any) -> Any:
        self._check(EPHEMERAL)
        self.private.append((sent["user"], sent["text"]))
        return {"ok": True}

    def files_upload_v2(self, **sent: Any) -> Any:
        self._check(PICTURE)
        self.files += 1
        return {"files": [{"id": f"F{self.files}"}]}

    def views_open(self, **sent: Any) -> Any:
        self._check(MODAL)
        self.modals.append(sent["view"])
        return {"ok": True}

    def views_update(self, **sent: Any) -> Any:
        self._check(MODAL)
        self.modals.append(sent["view"])
        return {"ok": True}

    def users_info(self, **sent: Any) -> Any:
        self._check(NAME)
        name = sent["user"].removeprefix("U").capitalize()
        return {"user": {"id": sent["user"], "team_id": "T1", "name": name, "tz": "UTC"}}

    def auth_test(self, **sent: Any) -> Any:
        return {"team_id": "T1"}

    def conversations_open(self, **sent: Any) -> Any:
        return {"channel": {"id": f"D{sent['users']}"}}

    def conversations_history(self, **sent: Any) -> Any:
        return {"messages": [self._to_slack(one) for one in self.messages if one.channel == sent["channel"]]}

    def conversations_replies(self, **sent: Any) -> Any:
        return {"messages": [self._to_slack(one) for one in self.messages if one.thread_ts == sent["ts"]]}

    def _to_slack(self, message: Message) -> dict[str, Any]:
        return {"ts": message.ts, "metadata": message.metadata}

    def titles(self) -> list[str]:
        """Return the titles of all messages to the channel, in their order."""
        return [message.title for message in self.messages if not message.channel.startswith("D")]

    def thread_titles(self) -> list[str]:
        return [one.title for one in self.messages if one.thread_ts is not None]


class Channel(SlackChannel):
    """Slack's own adapter, with the workspace behind it. `responses` are the answers at response URLs."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("xoxb-test")
        self._client = workspace  # type: ignore[assignment]
        self.responses: list[Card] = []

    def respond(self, response_url: str, card: Card) -> None:
        self.responses.append(card)
