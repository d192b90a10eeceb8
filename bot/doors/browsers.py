"""The doors that applications in a browser may send to from any site; nothing else of the web process is open to them.

Browsers ask first whether a site may (Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol): a preflight
brings no key and needs none. There are no cookies at these doors, so any site may be told yes.
"""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.doors import otlp, product

REMEMBER_SECONDS = 86_400
"""So long a browser need not ask again; most take less."""

_METHODS = ("POST", "OPTIONS")
_ROUTES = (*product.router.routes, *otlp.router.routes)
_PATHS = frozenset({"/api/events", *(route.path for route in _ROUTES if isinstance(route, Route))})


class BrowserDoors:
    """Answers browsers' questions at those doors, and lets everything else through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["POST"],
            # Libraries send headers of their own beside the key's; whatever a browser names is welcome.
            allow_headers=["*"],
            expose_headers=["Retry-After"],
            max_age=REMEMBER_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, by way of the browsers' rules where it is at one of their doors."""
        await (self._open if _is_of_a_browser(scope) else self._app)(scope, receive, send)


def _is_of_a_browser(scope: Scope) -> bool:
    """Only browsers send an Origin; most senders are none, and should lose no time here."""
    if scope["type"] != "http" or scope["method"] not in _METHODS:
        return False
    return any(name == b"origin" for name, _ in scope["headers"]) and _is_open(scope["path"])


def _is_open(path: str) -> bool:
    """Sentry's door has the project's number in its path."""
    return path in _PATHS or (path.startswith("/api/") and path.endswith("/envelope/"))
