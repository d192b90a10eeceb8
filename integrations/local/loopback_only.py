"""Middleware that lets only this machine's own pages use the workspace.

The workspace trusts whoever reaches it, and it listens on a loopback address. A page of another site, open in the same
browser, could still send requests to it, or reach it under a name of its own that it lets resolve to 127.0.0.1.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)


class LoopbackOnly:
    """ASGI middleware that refuses a foreign Host (DNS rebinding) and a foreign Origin (cross-site requests)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of this machine; answer 403 to any other, also to a web socket's handshake."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        reason = refusal(Headers(scope=scope))
        if not reason:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await JSONResponse({"error": "forbidden", "message": reason}, 403)(scope, receive, send)


def refusal(headers: Headers) -> str:
    """Return why a request is refused, or an empty text. Programs send no Origin; browsers always do with a POST."""
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    if len(hosts) != 1 or not _LOOPBACK.fullmatch(hosts[0]):
        return "The local workspace answers only to localhost and 127.0.0.1."
    if origins and origins != [f"http://{hosts[0]}"]:
        return "The local workspace answers only to its own page."
    return ""
