"""The door that every request to a system comes through: it logs, and it fails where a fault was ordered."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from integrations.local.changes import Changes
from integrations.local.faults import Fault, Faults, LoggedRequest, System, error_body


class Traffic:
    """ASGI middleware around the whole workspace; requests to the page itself pass untouched."""

    def __init__(self, app: ASGIApp, *, faults: Faults, changes: Changes, clock: Callable[[], float]) -> None:
        self._app = app
        self._faults = faults
        self._changes = changes
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
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
            await _hang_up(scope, receive, send)
        elif fault.status == "lost_answer":
            await self._app(scope, receive, _swallow)
            await _hang_up(scope, receive, send)
        else:
            status = int(fault.status)
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            await JSONResponse(error_body(fault.system, status), status, headers)(scope, receive, send)


# What the clients call; the pages that people read of pull requests and tickets are not among it.
_PREFIXES = {
    "/slack/": System.SLACK,
    "/github/repos/": System.GITHUB,
    "/github/user": System.GITHUB,
    "/jira/rest/": System.JIRA,
    "/teams/": System.TEAMS,
}


def _system(scope: Scope) -> System | None:
    if scope["type"] != "http":
        return None
    return next((system for prefix, system in _PREFIXES.items() if scope["path"].startswith(prefix)), None)


async def _swallow(message: Message) -> None:
    """Take an answer that nobody will see."""


async def _hang_up(scope: Scope, receive: Receive, send: Send) -> None:
    """Cut the connection without an answer.

    ASGI has no word for that, so uvicorn's own connection is reached through its bound `receive`; under another
    server the client gets a 500, which it must treat in the same way.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    abort = getattr(transport, "abort", None)
    if callable(abort):
        abort()
        while (await receive())["type"] != "http.disconnect":
            continue
    else:
        await JSONResponse({"error": "the answer was lost"}, 500)(scope, receive, send)
