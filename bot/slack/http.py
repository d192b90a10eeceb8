"""The HTTP door for Slack: POST /slack/events takes slash commands, clicks and dialogs.

Whoever sends is a stranger until the signature of the whole body is checked, so the body is read through the gate that
limits strangers at every door, and nothing of it is parsed before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import App, BoltRequest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import BotError
from bot.reception.error_responses import error_response
from bot.reception.gate import MEGABYTE, Gate, Limits
from bot.slack import requests

PATH = "/slack/events"
LIMITS = Limits(
    body_bytes=1 * MEGABYTE,
    bytes_in_flight=16 * MEGABYTE,
    stranger_bytes=16 * MEGABYTE,
    pause_seconds=3.0,
    reading_seconds=5.0,
)
"""Slack's payloads are far smaller than 1 MB, and it gives up after 3 seconds. The gate is Slack's own, so that a crowd
at the other doors does not keep clicks out."""


def slack_route(app: App, threads: ThreadPoolExecutor, secret: str, *, limits: Limits = LIMITS) -> Route:
    """Return the route, which runs Bolt in its own threads, so that slow API calls do not delay clicks.

    Bolt's FastAPI adapter would run the database write on the event loop.
    """
    return Route(PATH, _handler(app, threads, secret, Gate(limits)), methods=["POST"])


def _handler(
    app: App, threads: ThreadPoolExecutor, secret: str, gate: Gate
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        try:
            with gate.visit(is_recognised=False) as visit:
                body = await visit.read_body(request)
                requests.check_signature(body, request.headers, secret, now=time.time())
                requests.read(body, request.headers.get("content-type", ""))
                visit.store()
                bolt_request = BoltRequest(
                    body=body.decode(),
                    query=dict(request.query_params),
                    headers={name: [value] for name, value in request.headers.items()},
                )
                answer = await asyncio.get_running_loop().run_in_executor(threads, app.dispatch, bolt_request)
        except BotError as error:
            return error_response(error)
        return Response(answer.body, answer.status, answer.first_headers_without_set_cookie())

    return handle
