"""Authenticate API keys, cache them for a few seconds, and restrict routes to roles."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from sqlalchemy.orm import Session, sessionmaker
from starlette.exceptions import HTTPException

from bot.errors import ForbiddenError, UnauthorizedError
from storage.keys import authenticate

INGEST = "ingest"
OPERATOR = "operator"
ROLES = (INGEST, OPERATOR)

CACHE_SECONDS = 10.0
"""How long a key is cached: a revoked key keeps working for at most this long in a web process that knows it."""

MOST_CACHED_KEYS = 1024

UNREADABLE = "unreadable: Basic authentication that is not base64 of USER:PASSWORD"
"""A placeholder for a key that could not be read."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated API key. Its name goes into timelines and the audit chain."""

    name: str
    role: str


class KeyRing:
    """A cache of API keys by their hash, so that the hot path does not query the database for each request.

    Only valid keys are cached. monotonic: a clock in seconds.
    """

    def __init__(self, sessions: sessionmaker[Session], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[Identity, float]] = {}

    async def identify(self, secret: str | None) -> Identity:
        """Return the identity of a key. Raises UnauthorizedError for a missing, unknown or revoked key."""
        if not secret:
            raise UnauthorizedError("Send an API key as `Authorization: Bearer argux_…` or `X-API-Key: argux_…`.")
        if secret == UNREADABLE:
            raise UnauthorizedError(
                "`Authorization: Basic` takes base64 of USER:PASSWORD, the API key being either; this cannot be read."
            )
        digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is not None and self._monotonic() < known[1]:
            return known[0]
        identity = await run_in_threadpool(self._look_up, secret)
        if identity is None:
            self._known.pop(digest, None)
            raise UnauthorizedError(
                "This API key is not known, or was revoked. `argux keys create NAME` makes a new one."
            )
        if len(self._known) >= MOST_CACHED_KEYS:
            self._known.clear()
        self._known[digest] = (identity, self._monotonic() + CACHE_SECONDS)
        return identity

    def _look_up(self, secret: str) -> Identity | None:
        with self._sessions() as session:
            key = authenticate(session, secret)
            return None if key is None else Identity(key.name, key.role)


class _Basic(HTTPBasic):
    """Basic authentication that turns unreadable credentials into the key UNREADABLE, which `identify` refuses."""

    async def __call__(self, request: HTTPConnection) -> HTTPBasicCredentials | None:  # type: ignore[override]
        try:
            return await super().__call__(request)
        except HTTPException:
            return HTTPBasicCredentials(username=UNREADABLE, password="")


_bearer = HTTPBearer(auto_error=False, description="A key made by `argux keys create NAME`.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key in a header of its own.")
_basic = _Basic(
    scheme_name="HTTPBasic",
    auto_error=False,
    description="The same key as the user name, or as the password of any user.",
)


ANY_KEY: list[dict[str, list[str]]] = [{"HTTPBearer": []}, {"APIKeyHeader": []}, {"HTTPBasic": []}]
"""The OpenAPI `security` entry of a route that reads the key with `secret_from_request`, not by a dependency."""


async def secret_of(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    header: Annotated[str | None, Security(_header)],
    basic: Annotated[HTTPBasicCredentials | None, Security(_basic)],
) -> str | None:
    """Return the API key of a request, or None. A FastAPI dependency."""
    if bearer is not None:
        return bearer.credentials
    return header or (basic and (basic.password or basic.username)) or None


async def secret_from_request(request: Request) -> str | None:
    """Return the API key of a request, or None, without FastAPI's dependencies.

    For a route that is called thousands of times a second: resolving dependencies would take longer than the answer.
    """
    return await secret_of(await _bearer(request), await _header(request), await _basic(request))


async def key_ring(request: Request) -> KeyRing:
    """Return this web process's key ring. A FastAPI dependency."""
    ring: KeyRing = request.app.state.key_ring
    return ring


def allowed(*roles: str) -> Callable[..., Awaitable[Identity]]:
    """Return a FastAPI dependency that authenticates the key and refuses every role but these."""

    async def identify(
        ring: Annotated[KeyRing, Depends(key_ring)], secret: Annotated[str | None, Depends(secret_of)]
    ) -> Identity:
        identity = await ring.identify(secret)
        if identity.role not in roles:
            raise ForbiddenError(
                f"The key {identity.name!r} has the role {identity.role}, which may only send data. "
                f"`argux keys create NAME --role {OPERATOR}` makes one that may do this."
            )
        return identity

    return identify


Sender = Annotated[Identity, Depends(allowed(*ROLES))]
"""A key that may send telemetry: any role."""

Operator = Annotated[Identity, Depends(allowed(OPERATOR))]
"""A key that may read and change things."""
