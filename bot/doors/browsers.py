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
_ROUTES = (*product.router.routes, *product_beside.router.routes, *otlp.router.routes)
_PATHS = frozenset({"/api/events", *(route.path for route in _ROUTES if isinstance(route, Route))})


class BrowserDoors:
    """ASGI middleware that applies CORS to those doors and passes every other request through unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._cors = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            # Client libraries send their own headers beside the key's, so any header is allowed.
            allow_headers=["*"],
            expose_headers=["Retry-After"],
            max_age=PREFLIGHT_CACHE_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, with CORS if a browser sent it to one of those doors."""
        await (self._cors if _needs_cors(scope) else self._app)(scope, receive, send)


def _needs_cors(scope: Scope) -> bool:
    """Return whether a browser sent the request to an open door. Only browsers send an Origin header.

    The cheap checks come first, because most senders are not browsers.
    """
    if scope["type"] != "http" or scope["method"] not in _METHODS:
        return False
    return any(name == b"origin" for name, _ in scope["headers"]) and _is_browser_door(scope["path"])


def _is_browser_door(path: str) -> bool:
    """Return whether a path is a door for browsers. Sentry's holds the project's number, PostHog's settings the key."""
    is_sentrys = path.startswith("/api/") and path.endswith("/envelope/")
    return path in _PATHS or is_sentrys or (path.startswith("/array/") and path.endswith("/config"))
