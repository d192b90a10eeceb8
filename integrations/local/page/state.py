"""Build the JSON of everything that the page shows one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrations.local.page.progress import Progress
from integrations.local.slack.conversations import BOT_USER_ID, SLACKBOT_USER_ID, Conversations, Message
from integrations.local.slack.modals import Modal
from integrations.local.slack.workspace import SlackWorkspace
from integrations.local.teams import TeamsPost

Json = dict[str, Any]


def _people(slack: SlackWorkspace) -> list[Json]:
    people = [
        {"id": person.id, "name": person.name, "timezone": person.timezone, "is_bot": False}
        for person in slack.config.users
    ]
    bots = [(BOT_USER_ID, slack.config.bot_name.capitalize()), (SLACKBOT_USER_ID, "Slackbot")]
    return people + [{"id": bot, "name": name, "timezone": "UTC", "is_bot": True} for bot, name in bots]


def _message(conversations: Conversations, message: Message) -> Json:
    shown = conversations.to_slack(message, all_metadata=True)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "user": message.user,
        "is_bot": message.user in (BOT_USER_ID, SLACKBOT_USER_ID),
        "text": message.text,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "files": message.files,
        "metadata": message.metadata,
        "edited": message.edited_at is not None,
        "ephemeral": message.visible_to is not None,
        "deleted": message.deleted,
        "reactions": shown.get("reactions", []),
    }


def _threaded(conversations: Conversations, messages: Sequence[Message]) -> list[Json]:
    """Return a channel's root messages, each with its thread.

    Broadcast replies, and replies whose root this person cannot see, are also listed like a root.
    """
    roots = {
        message.ts: {**_message(conversations, message), "thread": []} for message in messages if not message.is_reply
    }
    for message in messages:
        if not message.is_reply:
            continue
        shown = _message(conversations, message)
        root = roots.get(str(message.thread_ts))
        if root is not None:
            root["thread"].append(shown)
        if root is None or message.broadcast:
            roots[message.ts] = {**shown, "thread": []}
    return [roots[ts] for ts in sorted(roots)]


def _modal(modal: Modal) -> Json:
    view = modal.view
    return {
        "view_id": modal.id,
        "version": modal.version,
        "callback_id": view.get("callback_id", ""),
        "title": view["title"]["text"],
        "submit": (view.get("submit") or {}).get("text"),
        "close": (view.get("close") or {}).get("text") or "Cancel",
        "blocks": view["blocks"],
        "errors": modal.errors,
    }


def state_for(user: str, slack: SlackWorkspace, posts: Sequence[TeamsPost], progress: Progress, version: int) -> Json:
    """Return the channels, the messages with their threads, this person's modals, the Teams posts and the progress.

    Ephemeral messages are included only if this person is their recipient.
    """
    conversations = slack.conversations
    channels = [channel for channel in conversations.channels.values() if channel.person in (None, user)]
    bot = slack.config.bot_name.capitalize()
    return {
        "version": version,
        "user": user,
        "users": _people(slack),
        "commands": [
            {"name": command.name, "hints": [{"text": text, "means": means} for text, means in command.hints]}
            for command in slack.config.commands
        ],
        "channels": [
            {"id": channel.id, "name": bot if channel.person else channel.name, "is_direct": channel.person is not None}
            for channel in channels
        ],
        "messages": [
            message
            for channel in channels
            for message in _threaded(conversations, conversations.visible(channel.id, user))
        ],
        "modals": [_modal(modal) for modal in slack.modals.stack(user)],
        "progress": {**progress.model_dump(), "now": conversations.clock()},
        "teams": [post.model_dump() for post in posts],
    }
