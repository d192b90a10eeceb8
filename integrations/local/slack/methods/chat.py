"""The chat.* methods: post, change and delete messages."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.local.slack.block_kit import blocks
from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.conversations import BOT_USER_ID, Channel, Message
from integrations.local.slack.errors import SlackError
from integrations.local.slack.methods.calls import Call, Method

TEXT_LIMIT = 40_000
ATTACHMENT_LIMIT = 100


def contents(call: Call) -> Json:
    """Check a call's text, blocks and attachments, and return them.

    Raises SlackError `no_text`, `msg_too_long`, `invalid_blocks`, `invalid_blocks_format`, `invalid_attachments`,
    `too_many_attachments`.
    """
    text = call.text("text")
    if len(text) > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    given = call.structure("blocks", "invalid_blocks_format")
    if given is not None and not isinstance(given, list):
        raise SlackError("invalid_blocks_format")
    attachments = _attachments(call)
    if not (text.strip() or given or attachments):
        raise SlackError("no_text")
    accepted = blocks.accept(given or [], file_exists=call.workspace.files.exists)
    return {"text": text, "blocks": accepted, "attachments": attachments}


def _attachments(call: Call) -> list[Json]:
    given = call.structure("attachments", "invalid_attachments")
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(attachment, dict) for attachment in given):
        raise SlackError("invalid_attachments")
    if len(given) > ATTACHMENT_LIMIT:
        raise SlackError("too_many_attachments")
    for attachment in given:
        if attachment.get("blocks"):
            attachment["blocks"] = blocks.accept(attachment["blocks"], file_exists=call.workspace.files.exists)
    return given


def _metadata(call: Call) -> Json | None:
    metadata = call.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    return metadata


def _destination(call: Call) -> Channel:
    reference = call.required("channel")
    if reference in call.workspace.conversations.people:
        return call.workspace.conversations.direct(reference)
    return call.workspace.conversations.channel(reference, by_name=True)


def post_message(call: Call) -> Json:
    """chat.postMessage."""
    conversations = call.workspace.conversations
    channel = _destination(call)
    message = Message(
        channel=channel.id,
        ts=conversations.next_ts(),
        user=BOT_USER_ID,
        metadata=_metadata(call),
        thread_ts=call.text("thread_ts") or None,
        broadcast=call.flag("reply_broadcast"),
        **contents(call),
    )
    conversations.add(message)
    shown = conversations.to_slack(message, all_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral."""
    conversations = call.workspace.conversations
    channel = _destination(call)
    user = call.required("user")
    if user not in conversations.people:
        raise SlackError("user_not_in_channel")
    ts = conversations.next_ts()
    conversations.add(
        Message(
            channel=channel.id,
            ts=ts,
            user=BOT_USER_ID,
            thread_ts=call.text("thread_ts") or None,
            visible_to=user,
            **contents(call),
        )
    )
    return {"message_ts": ts}


def _own_message(call: Call, refusal: str) -> Message:
    channel = call.workspace.conversations.channel(call.required("channel"))
    message = call.workspace.conversations.message(channel.id, call.required("ts"))
    if message.user != BOT_USER_ID:
        raise SlackError(refusal)
    return message


def update(call: Call) -> Json:
    """chat.update: attachments that are not given are kept; blocks are kept if neither blocks nor text are given.

    Only a message without blocks is marked as edited, because Slack does not mark blocks.
    """
    conversations = call.workspace.conversations
    message = _own_message(call, "cant_update_message")
    changes = contents(call)
    if call.arguments.get("attachments") is None:
        changes["attachments"] = message.attachments
    if call.arguments.get("blocks") is None and not changes["text"]:
        changes |= {"blocks": message.blocks, "text": message.text}
    if call.arguments.get("metadata") is not None:
        changes["metadata"] = _metadata(call)
    edited_at = message.edited_at if changes["blocks"] else conversations.next_ts()
    changed = conversations.save(message.model_copy(update={**changes, "edited_at": edited_at}))
    return {
        "channel": changed.channel,
        "ts": changed.ts,
        "text": changed.text,
        "message": conversations.to_slack(changed, all_metadata=True),
    }


def delete(call: Call) -> Json:
    """chat.delete."""
    message = _own_message(call, "cant_delete_message")
    call.workspace.conversations.remove(message)
    return {"channel": message.channel, "ts": message.ts}


METHODS: Mapping[str, Method] = {
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
}
