"""CORS for the doors that web pages of any site may post to. All other routes stay closed to other sites.

A browser first sends a preflight request without a key (https://fetch.spec.whatwg.org/#http-cors-protocol). These doors
use no cookies, so every origin can be allowed.
"""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.doors import otlp, product, product_beside

PREFLIGHT_CACHE_SECONDS = 86_400
"""How long a browser may cache a preflight answer; most cap it at less."""

_METHODS = ("GET", "POST", "OPTIONS")
_ASKED = frozenset(
    route.path for route in product_beside.router.routes if isinstance(route, Route) and "GET" in (route.methods or ())
)
"""What product libraries ask in a page. No other answer can be read from another site, stored data least of all."""

_ROUTES = (*product.router.routes, *product_beside.router.routes, *otlp.router.routes)
_PATHS = frozenset({"/api/events", *(route.path for route in _ROUTES if isinstance(route, Route))})


class BrowserDoors:
    """ASGI middleware that applies CORS to those doors and passes every other request through unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sending = _cors(app, ["POST"])
        self._asking = _cors(app, ["GET", "POST"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, with CORS if a browser sent it to one of those doors."""
        if not _needs_cors(scope):
            await self._app(scope, receive, send)
        else:
            await (self._asking if _is_asked(scope["path"]) else self._sending)(scope, receive, send)


def _cors(app: ASGIApp, methods: list[str]) -> CORSMiddleware:
    return CORSMiddleware(
        app,
        allow_origins=["*"],
        allow_methods=methods,
        # Client libraries send their own headers beside the key's, so any header is allowed.
        allow_headers=["*"],
        expose_headers=["Retry-After"],
        max_age=PREFLIGHT_CACHE_SECONDS,
    )


def _needs_cors(scope: Scope) -> bool:
    """Return whether a browser sent the request to an open door. Only browsers send an Origin header.

    The cheap checks come first, because most senders are not browsers.
    """
    if scope["type"] != "http" or scope["method"] not in _METHODS:
        return False
    return any(name == b"origin" for name, _ in scope["headers"]) and _is_browser_door(scope["path"], scope["method"])


def _is_browser_door(path: str, method: str) -> bool:
    """Return whether a path is a door for browsers. Sentry's has the project number in its path."""
    if method == "GET" or _is_asked(path):
        return _is_asked(path)
    return path in _PATHS or (path.startswith("/api/") and path.endswith("/envelope/"))


def _is_asked(path: str) -> bool:
    """Return whether a library asks there in a page. PostHog's address of the settings holds the key."""
    return path in _ASKED or (path.startswith("/array/") and path.endswith("/config"))
