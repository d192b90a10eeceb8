"""Channels and messages: store them, find them, and convert them to the objects of Slack's API."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import BaseModel

from integrations.local.changes import Changes
from integrations.local.config import WorkspaceConfig, channel_id
from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.errors import SlackError
from integrations.local.store import Store

TEAM_ID = "T0LOCAL"
TEAM_DOMAIN = "local"
APP_ID = "A0ARGUX"
BOT_ID = "B0ARGUX"
BOT_USER_ID = "U0ARGUX"
SLACKBOT_USER_ID = "USLACKBOT"


class Channel(BaseModel):
    """A public channel, or the bot's direct conversation with `person`."""

    id: str
    name: str
    person: str | None = None
    created: int = 0

    def to_slack(self) -> Json:
        """Return the conversation object of Slack's API."""
        if self.person:
            return {"id": self.id, "is_im": True, "user": self.person, "created": self.created}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": True,
            "is_im": False,
            "is_private": False,
            "is_archived": False,
            "is_member": True,
            "created": self.created,
            "topic": {"value": ""},
            "purpose": {"value": ""},
        }


class Message(BaseModel):
    """One message. `visible_to` is the only recipient of an ephemeral message; `attachments` and `blocks` are JSON."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = []
    attachments: list[Json] = []
    metadata: Json | None = None
    files: list[Json] = []
    thread_ts: str | None = None
    broadcast: bool = False
    edited_at: str | None = None
    reactions: dict[str, list[str]] = {}
    deleted: bool = False
    visible_to: str | None = None

    @property
    def is_reply(self) -> bool:
        """Whether the message is in a thread and is not its root."""
        return self.thread_ts is not None and self.thread_ts != self.ts


class Conversations:
    """All channels and messages of the workspace. Every change is stored before open pages are notified."""

    def __init__(self, config: WorkspaceConfig, store: Store, changes: Changes, clock: Callable[[], float]) -> None:
        self._store = store
        self._changes = changes
        self.clock = clock
        self._last_microsecond = 0
        self.people = {person.id: person for person in config.users}
        self.channels = {channel.id: channel for channel in store.read("channel", Channel)}
        self._messages: dict[str, dict[str, Message]] = {}
        for message in store.read("message", Message):
            self._messages.setdefault(message.channel, {})[message.ts] = message
            self._last_microsecond = max(self._last_microsecond, int(message.ts.replace(".", "")))
        for name in config.channels:
            self._ensure(Channel(id=channel_id(name), name=name, created=int(clock())))

    def next_ts(self) -> str:
        """Return a unique timestamp (seconds and microseconds) that is later than every earlier one."""
        self._last_microsecond = max(int(self.clock() * 1_000_000), self._last_microsecond + 1)
        return f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}"

    def channel(self, reference: str, *, by_name: bool = False) -> Channel:
        """Find a channel by id or, with `by_name`, also by name. Raises SlackError `channel_not_found`."""
        found = self.channels.get(reference)
        if found is None and by_name:
            found = self.channels.get(channel_id(reference.removeprefix("#")))
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def direct(self, user: str) -> Channel:
        """Return the bot's direct conversation with a person; open it if needed. Raises SlackError `user_not_found`."""
        if user not in self.people:
            raise SlackError("user_not_found")
        return self._ensure(
            Channel(id="D" + user[1:], name=self.people[user].name, person=user, created=int(self.clock()))
        )

    def message(self, channel: str, ts: str) -> Message:
        """Return one message that everybody can see. Raises SlackError `message_not_found`."""
        found = self._messages.get(channel, {}).get(ts)
        if found is None or found.deleted or found.visible_to:
            raise SlackError("message_not_found")
        return found

    def seen_by(self, user: str, channel: str, ts: str) -> Message:
        """Return one message that this person can see, also an ephemeral one. Raises SlackError `message_not_found`."""
        found = self._messages.get(channel, {}).get(ts)
        if found is None or found.deleted or found.visible_to not in (None, user):
            raise SlackError("message_not_found")
        return found

    def add(self, message: Message) -> Message:
        """Add a new message. Raises SlackError `thread_not_found` or `cannot_reply_to_message`."""
        if message.thread_ts is not None and message.visible_to is None:
            root = self._messages.get(message.channel, {}).get(message.thread_ts)
            if root is None or root.visible_to:
                raise SlackError("thread_not_found")
            if root.is_reply:
                raise SlackError("cannot_reply_to_message")
        return self.save(message)

    def save(self, message: Message) -> Message:
        """Store a new or changed message."""
        self._messages.setdefault(message.channel, {})[message.ts] = message
        self._store.put("message", f"{message.channel}/{message.ts}", message)
        self._changes.announce()
        return message

    def remove(self, message: Message) -> None:
        """Delete a message. One with replies becomes a tombstone, so that its thread stays readable."""
        if self.replies(message.channel, message.ts):
            self.save(
                message.model_copy(
                    update={"deleted": True, "text": "This message was deleted.", "blocks": [], "attachments": []}
                )
            )
            return
        del self._messages[message.channel][message.ts]
        self._store.delete("message", f"{message.channel}/{message.ts}")
        self._changes.announce()

    def roots(self, channel: str) -> list[Message]:
        """Return the messages of a channel's history, oldest first: all except replies that were not broadcast."""
        return [message for message in self._public(channel) if not message.is_reply or message.broadcast]

    def replies(self, channel: str, thread_ts: str) -> list[Message]:
        """Return the replies in one thread, oldest first, without the root."""
        return [message for message in self._public(channel) if message.is_reply and message.thread_ts == thread_ts]

    def visible(self, channel: str, user: str) -> list[Message]:
        """Return all messages of a channel that this person can see, oldest first."""
        messages = self._messages.get(channel, {}).values()
        return [message for message in messages if message.visible_to in (None, user)]

    def to_slack(self, message: Message, *, all_metadata: bool = False) -> Json:
        """Return the message object of Slack's API."""
        replies = self.replies(message.channel, message.ts)
        return {
            "type": "message",
            "ts": message.ts,
            "user": message.user,
            "team": TEAM_ID,
            "text": message.text,
            **_author(message),
            **_contents(message, all_metadata=all_metadata),
            **_thread(message, replies),
        }

    def _public(self, channel: str) -> Iterator[Message]:
        # Timestamps only increase, so insertion order is chronological.
        return (message for message in self._messages.get(channel, {}).values() if message.visible_to is None)

    def _ensure(self, channel: Channel) -> Channel:
        if channel.id not in self.channels:
            self.channels[channel.id] = channel
            self._store.put("channel", channel.id, channel)
            self._changes.announce()
        return self.channels[channel.id]


def _author(message: Message) -> Json:
    return {"bot_id": BOT_ID, "app_id": APP_ID} if message.user == BOT_USER_ID else {}


def _contents(message: Message, *, all_metadata: bool) -> Json:
    contents: Json = {}
    if message.blocks:
        contents["blocks"] = message.blocks
    if message.attachments:
        contents["attachments"] = message.attachments
    if message.files:
        contents["files"] = message.files
    if message.metadata and all_metadata:
        contents["metadata"] = message.metadata
    if message.edited_at:
        contents["edited"] = {"user": message.user, "ts": message.edited_at}
    if message.reactions:
        contents["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    if message.deleted:
        contents["subtype"] = "tombstone"
    return contents


def _thread(message: Message, replies: list[Message]) -> Json:
    if message.is_reply:
        return {"thread_ts": message.thread_ts, **({"subtype": "thread_broadcast"} if message.broadcast else {})}
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
    }
