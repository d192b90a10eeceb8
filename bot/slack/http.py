"""The HTTP door for Slack: POST /slack/events takes slash commands, clicks and dialogs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import App, BoltRequest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.errors import error_body

PATH = "/slack/events"
BODY_BYTES = 1_000_000
"""The size limit of a body. Slack's payloads are far smaller."""


def slack_route(app: App, threads: ThreadPoolExecutor) -> Route:
    """Return the route, which runs Bolt in its own threads, so that slow API calls do not delay clicks.

    Bolt's FastAPI adapter would run the database write on the event loop.
    """
    return Route(PATH, _handler(app, threads), methods=["POST"])


def _handler(app: App, threads: ThreadPoolExecutor) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES:
                return JSONResponse(error_body(f"The body is longer than {BODY_BYTES} bytes."), 413)
        if not request.headers.get("x-slack-request-timestamp", "").isdecimal():
            return JSONResponse(error_body("This request is not signed by Slack."), 401)
        bolt_request = BoltRequest(
            body=body.decode("utf-8", errors="replace"),
            query=dict(request.query_params),
            headers={name: [value] for name, value in request.headers.items()},
        )
        answer = await asyncio.get_running_loop().run_in_executor(threads, app.dispatch, bolt_request)
        return Response(answer.body, answer.status, answer.first_headers_without_set_cookie())

    return handle
