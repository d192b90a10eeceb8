"""The response_url: for half an hour, an app can answer a command or a button press by posting to it."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from integrations.local.addresses import base_url
from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.conversations import BOT_USER_ID, Message
from integrations.local.slack.errors import SlackError
from integrations.local.slack.grants import ResponseTarget
from integrations.local.slack.methods import chat
from integrations.local.slack.methods.calls import Call
from integrations.local.slack.workspace import SlackWorkspace


def apply_response(workspace: SlackWorkspace, target: ResponseTarget, body: Json, address: str = "") -> None:
    """Apply an app's response: replace or delete the original message, or post a new one. Raises SlackError."""
    call = Call(workspace, body, address)
    conversations = workspace.conversations
    if target.message_ts and (call.flag("replace_original") or call.flag("delete_original")):
        original = conversations.seen_by(target.user, target.channel, target.message_ts)
        if call.flag("delete_original"):
            conversations.remove(original)
        else:
            changes = chat.contents(call)
            edited_at = original.edited_at if changes["blocks"] else conversations.next_ts()
            conversations.save(original.model_copy(update={**changes, "edited_at": edited_at}))
        return
    public = body.get("response_type") == "in_channel"
    conversations.add(
        Message(
            channel=target.channel,
            ts=conversations.next_ts(),
            user=BOT_USER_ID,
            thread_ts=call.text("thread_ts") or target.thread_ts,
            visible_to=None if public else target.user,
            **chat.contents(call),
        )
    )


def routes(workspace: SlackWorkspace) -> APIRouter:
    """Return the route of the response_url. Like Slack's, it responds with `ok` or the error code as text."""
    router = APIRouter()

    @router.post("/slack/response/{token}")
    async def respond(token: str, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError:
            return PlainTextResponse("invalid_payload", status_code=400)
        if not isinstance(body, dict):
            return PlainTextResponse("invalid_payload", status_code=400)
        try:
            apply_response(workspace, workspace.grants.use_response_token(token), body, base_url(request))
        except SlackError as error:
            status = 404 if error.code in ("expired_url", "used_url") else 400
            return PlainTextResponse(error.code, status_code=status)
        return PlainTextResponse("ok")

    return router
