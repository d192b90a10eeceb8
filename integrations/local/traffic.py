"""Middleware that logs every request to an emulated system and injects the requested faults."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from integrations.local.changes import Changes
from integrations.local.faults import Fault, Faults, LoggedRequest, System, error_body


class Traffic:
    """ASGI middleware around the whole workspace. Requests to the page itself pass unchanged and unlogged."""

    def __init__(self, app: ASGIApp, *, faults: Faults, changes: Changes, clock: Callable[[], float]) -> None:
        self._app = app
        self._faults = faults
        self._changes = changes
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log one request and serve it, or make it fail."""
        system = _system(scope)
        if system is None:
            await self._app(scope, receive, send)
            return
        entry = LoggedRequest(at=self._clock(), system=system, method=scope["method"], path=scope["path"], status=None)
        self._faults.log.append(entry)
        fault = self._faults.take(system, scope["path"])
        entry.fault = str(fault.status) if fault else None

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        if fault is None:
            await self._app(scope, receive, send_and_note)
        else:
            await self._fail(fault, scope, receive, send_and_note)

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.status == "timeout":
            await self._changes.pause(fault.seconds)
            await _close_connection(scope, receive, send)
        elif fault.status == "lost_answer":
            await self._app(scope, receive, _discard)
            await _close_connection(scope, receive, send)
        else:
            status = int(fault.status)
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            if isinstance(fault.body, str):
                answer: Response = HTMLResponse(fault.body, status, headers)
            else:
                body = error_body(fault.system, status, fault.error) if fault.body is None else fault.body
                answer = JSONResponse(body, status, headers)
            await answer(scope, receive, send)


# Paths that clients call. The pages of pull requests and tickets, which people read, are not among them.
_PREFIXES = {
    "/slack/": System.SLACK,
    "/github/repos/": System.GITHUB,
    "/github/user": System.GITHUB,
    "/github/graphql": System.GITHUB,
    "/jira/rest/": System.JIRA,
    "/teams/": System.TEAMS,
}


def _system(scope: Scope) -> System | None:
    if scope["type"] != "http":
        return None
    return next((system for prefix, system in _PREFIXES.items() if scope["path"].startswith(prefix)), None)


async def _discard(message: Message) -> None:
    """Discard a part of a response."""


async def _close_connection(scope: Scope, receive: Receive, send: Send) -> None:
    """Close the connection without a response.

    ASGI has no message for that, so this gets uvicorn's connection through its bound `receive`. Under another server
    the client gets a 500 instead, which it must handle in the same way.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    abort = getattr(transport, "abort", None)
    if callable(abort):
        abort()
        while (await receive())["type"] != "http.disconnect":
            continue
    else:
        await JSONResponse({"error": "the answer was lost"}, 500)(scope, receive, send)
