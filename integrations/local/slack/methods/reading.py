"""The methods conversations.*, users.*, reactions.add and auth.test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from integrations.local.config import Person
from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.conversations import (
    BOT_ID,
    BOT_USER_ID,
    TEAM_ID,
    Message,
)
from integrations.local.slack.errors import SlackError
from integrations.local.slack.methods.calls import Call, Method


def auth_test(call: Call) -> Json:
    """auth.test."""
    return {
        "url": f"{call.base_url}/",
        "team": "Local workspace",
        "user": call.workspace.config.bot_name,
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def _page(call: Call, messages: list[Message], *, newest_first: bool) -> Json:
    """Return the requested page of `messages`, which are oldest first. The cursor is the ts of the next message.

    Raises SlackError `invalid_cursor` or `invalid_arguments`.
    """
    oldest, latest = call.text("oldest", "0"), call.text("latest") or "9" * 17
    inclusive = call.flag("inclusive")
    requested = [
        message
        for message in messages
        if _seconds(oldest) < _seconds(message.ts) < _seconds(latest) or (inclusive and message.ts in (oldest, latest))
    ]
    if newest_first:
        requested.reverse()
    cursor = call.text("cursor")
    start = next((index for index, message in enumerate(requested) if message.ts == cursor), None) if cursor else 0
    if start is None:
        raise SlackError("invalid_cursor")
    limit = call.count("limit", 100, 999)
    following = requested[start + limit : start + limit + 1]
    conversations = call.workspace.conversations
    shown = [
        conversations.to_slack(message, all_metadata=call.flag("include_all_metadata"))
        for message in requested[start : start + limit]
    ]
    return {
        "messages": shown,
        "has_more": bool(following),
        "response_metadata": {"next_cursor": following[0].ts if following else ""},
    }


def _seconds(ts: str) -> float:
    try:
        return float(ts)
    except ValueError as error:
        raise SlackError("invalid_arguments", [f"[ERROR] {ts!r} is not a timestamp"]) from error


def history(call: Call) -> Json:
    """conversations.history: newest first; of the replies only those that were broadcast."""
    channel = call.workspace.conversations.channel(call.required("channel"))
    return {**_page(call, call.workspace.conversations.roots(channel.id), newest_first=True), "pin_count": 0}


def replies(call: Call) -> Json:
    """conversations.replies: the root, then its replies, oldest first."""
    conversations = call.workspace.conversations
    channel = conversations.channel(call.required("channel"))
    try:
        root = conversations.message(channel.id, call.required("ts"))
    except SlackError as error:
        raise SlackError("thread_not_found") from error
    return _page(call, [root, *conversations.replies(channel.id, root.ts)], newest_first=False)


def list_channels(call: Call) -> Json:
    """conversations.list."""
    kinds = call.text("types", "public_channel").split(",")
    channels = [
        channel.to_slack()
        for channel in call.workspace.conversations.channels.values()
        if ("im" if channel.person else "public_channel") in kinds
    ]
    return {"channels": channels, "response_metadata": {"next_cursor": ""}}


def channel_info(call: Call) -> Json:
    """conversations.info, and conversations.join: the bot is a member of every channel, so joining changes nothing."""
    return {"channel": call.workspace.conversations.channel(call.required("channel")).to_slack()}


def open_direct(call: Call) -> Json:
    """conversations.open with one person."""
    given = call.arguments.get("users")
    users = given if isinstance(given, list) else call.required("users").split(",")
    if len(users) != 1:
        raise SlackError("not_supported", ["[ERROR] only one person at a time [json-pointer:/users]"])
    channel = call.workspace.conversations.direct(users[0])
    return {"channel": channel.to_slack() if call.flag("return_im") else {"id": channel.id}}


def _member(call: Call, person: Person) -> Json:
    now = call.workspace.conversations.clock()
    offset = datetime.fromtimestamp(now, ZoneInfo(person.timezone)).utcoffset()
    assert offset is not None
    return {
        "id": person.id,
        "team_id": person.team or TEAM_ID,
        "name": person.name.lower().replace(" ", "."),
        "real_name": person.name,
        "tz": person.timezone,
        "tz_label": person.timezone,
        "tz_offset": int(offset.total_seconds()),
        "deleted": person.is_deactivated,
        "is_bot": False,
        "is_admin": False,
        "is_restricted": person.is_guest,
        "is_ultra_restricted": False,
        "profile": {"real_name": person.name, "display_name": person.name, "team": person.team or TEAM_ID},
    }


def _bot(call: Call) -> Json:
    return {**_member(call, Person(id=BOT_USER_ID, name=call.workspace.config.bot_name)), "is_bot": True}


def user_info(call: Call) -> Json:
    """users.info."""
    user = call.required("user")
    if user == BOT_USER_ID:
        return {"user": _bot(call)}
    if user not in call.workspace.conversations.people:
        raise SlackError("user_not_found")
    return {"user": _member(call, call.workspace.conversations.people[user])}


def list_users(call: Call) -> Json:
    """users.list."""
    people = [_member(call, person) for person in call.workspace.conversations.people.values()]
    return {"members": [*people, _bot(call)], "response_metadata": {"next_cursor": ""}}


def add_reaction(call: Call) -> Json:
    """reactions.add."""
    conversations = call.workspace.conversations
    channel = conversations.channel(call.required("channel"))
    message = conversations.message(channel.id, call.required("timestamp"))
    name = call.required("name").strip(":")
    users = message.reactions.get(name, [])
    if BOT_USER_ID in users:
        raise SlackError("already_reacted")
    conversations.save(message.model_copy(update={"reactions": {**message.reactions, name: [*users, BOT_USER_ID]}}))
    return {}


METHODS: Mapping[str, Method] = {
    "auth.test": auth_test,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.list": list_channels,
    "conversations.info": channel_info,
    "conversations.join": channel_info,
    "conversations.open": open_direct,
    "users.info": user_info,
    "users.list": list_users,
    "reactions.add": add_reaction,
}
