"""Slack's Web API over HTTP: authenticate the caller, read the arguments, call the method, wrap the response."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.datastructures import UploadFile

from integrations.local.addresses import base_url
from integrations.local.slack.errors import SlackError
from integrations.local.slack.methods import chat, file_methods, modal_methods, reading
from integrations.local.slack.methods.calls import Call, Method
from integrations.local.slack.workspace import SlackWorkspace

METHODS: Mapping[str, Method] = {
    **chat.METHODS,
    **reading.METHODS,
    **modal_methods.METHODS,
    **file_methods.METHODS,
}

SCOPES = (
    "channels:history,channels:read,chat:write,chat:write.public,commands,files:write,groups:history,groups:read,"
    "im:write,users:read"
)
"""The scopes that every answer names as granted to the app."""


async def _arguments(request: Request) -> dict[str, Any]:
    """Read the arguments of a call from the query and from the JSON body or form; the latter takes precedence.

    Raises SlackError `invalid_json` or `json_not_object`.
    """
    arguments: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json":
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError as error:
            raise SlackError("invalid_json") from error
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return arguments | body
    return arguments | {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def _check_token(request: Request, arguments: dict[str, Any], expected: str) -> None:
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip() or str(arguments.get("token", ""))
    if not given:
        raise SlackError("not_authed")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise SlackError("invalid_auth")


def _open_connection(workspace: SlackWorkspace, address: str) -> dict[str, Any]:
    scheme, _, rest = address.partition("://")
    return {"url": f"{'wss' if scheme == 'https' else 'ws'}://{rest}/slack/socket?ticket={workspace.sockets.ticket()}"}


async def _answer(workspace: SlackWorkspace, name: str, request: Request) -> dict[str, Any]:
    arguments = await _arguments(request)
    config = workspace.config
    if name == "apps.connections.open":
        _check_token(request, arguments, config.app_token.get_secret_value())
        return _open_connection(workspace, base_url(request))
    _check_token(request, arguments, config.bot_token.get_secret_value())
    if name not in METHODS:
        raise SlackError("unknown_method")
    return METHODS[name](Call(workspace, arguments, base_url(request)))


async def _uploaded_bytes(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await request.body()
    files = [part for part in (await request.form()).values() if isinstance(part, UploadFile)]
    return await files[0].read() if files else b""


def routes(workspace: SlackWorkspace) -> APIRouter:
    """Return the routes of the methods, and of the upload URLs that they return."""
    router = APIRouter()

    @router.api_route("/slack/api/{name}", methods=["GET", "POST"])
    async def call_method(name: str, request: Request) -> Response:
        try:
            answer = {"ok": True, **await _answer(workspace, name, request)}
            return JSONResponse(answer, headers={"x-oauth-scopes": SCOPES})
        except SlackError as error:
            refusal: dict[str, Any] = {"ok": False, "error": error.code}
            if error.messages:
                refusal["errors"] = list(error.messages)
                refusal["response_metadata"] = {"messages": list(error.messages)}
            return JSONResponse(refusal)

    @router.post("/slack/upload/{file_id}")
    async def upload(file_id: str, request: Request) -> Response:
        contents = await _uploaded_bytes(request)
        try:
            workspace.files.receive(file_id, contents)
        except SlackError as error:
            return PlainTextResponse(error.code, status_code=404 if error.code == "file_not_found" else 400)
        return PlainTextResponse(f"OK - {len(contents)}")

    return router
