"""The files.* methods: reserve and complete an upload, and read a file's metadata."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.local.slack.block_kit import blocks
from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.conversations import BOT_USER_ID, Message
from integrations.local.slack.errors import SlackError
from integrations.local.slack.methods.calls import Call, Method

FILE_BYTES_LIMIT = 50_000_000


def get_upload_url(call: Call) -> Json:
    """files.getUploadURLExternal."""
    length = call.count("length", 0, FILE_BYTES_LIMIT)
    if not length:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: length"])
    alt_text = call.text("alt_txt") or call.text("alt_text")
    file = call.workspace.files.reserve(call.required("filename"), length, alt_text)
    return {"upload_url": f"{call.base_url}/slack/upload/{file.id}", "file_id": file.id}


def complete_upload(call: Call) -> Json:
    """files.completeUploadExternal; the files are shared in a channel if one is given."""
    given = call.structure("files")
    if not isinstance(given, list) or not given or not all(isinstance(entry, dict) for entry in given):
        raise SlackError("invalid_arguments", ["[ERROR] must be an array of files [json-pointer:/files]"])
    conversations = call.workspace.conversations
    reference = call.text("channel_id")
    channel = conversations.channel(reference) if reference else None
    files = [
        call.workspace.files.complete(str(entry.get("id")), str(entry.get("title") or "")).to_slack(call.base_url)
        for entry in given
    ]
    if channel is not None:
        shared = blocks.accept(
            call.structure("blocks", "invalid_blocks_format") or [], file_exists=call.workspace.files.exists
        )
        conversations.add(
            Message(
                channel=channel.id,
                ts=conversations.next_ts(),
                user=BOT_USER_ID,
                text=call.text("initial_comment"),
                blocks=shared,
                files=files,
                thread_ts=call.text("thread_ts") or None,
            )
        )
    return {"files": files}


def file_info(call: Call) -> Json:
    """files.info."""
    return {"file": call.workspace.files.find(call.required("file")).to_slack(call.base_url)}


METHODS: Mapping[str, Method] = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": file_info,
}
