"""Shared request handling of the GitHub routes: authentication, body parsing, pagination."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from integrations.local.addresses import base_url
from integrations.local.github.errors import GithubError, invalid
from integrations.local.github.shapes import Shapes

PAGE_LIMIT = 100


def check_token(request: Request, expected: str) -> None:
    """Check the token: as `token`, as `Bearer` or as the password of Basic authentication. Raises GithubError 401."""
    kind, _, credentials = request.headers.get("authorization", "").partition(" ")
    if not credentials:
        raise GithubError(401, "Requires authentication")
    if kind.lower() == "basic":
        try:
            credentials = base64.b64decode(credentials, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            credentials = ""
    if not hmac.compare_digest(credentials.strip().encode(), expected.encode()):
        raise GithubError(401, "Bad credentials")


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise GithubError(400, "Problems parsing JSON") from error


async def _json_object(request: Request) -> dict[str, Any]:
    body = await _json(request)
    if not isinstance(body, dict):
        raise GithubError(400, "Body should be a JSON object")
    return body


async def _label_names(request: Request) -> list[str]:
    """Read label names from {"labels": [...]} or, from older clients, from a plain list. Raises GithubError."""
    body = await _json(request)
    names = body.get("labels") if isinstance(body, dict) else body
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise invalid("Label", "labels")
    return names


def _repository(owner: str, name: str) -> str:
    return f"{owner}/{name}"


def _shapes(request: Request, owner: str, name: str) -> Shapes:
    return Shapes(root=f"{base_url(request)}/github", repository=f"{owner}/{name}")


Body = Annotated[dict[str, Any], Depends(_json_object)]
LabelNames = Annotated[list[str], Depends(_label_names)]
Repository = Annotated[str, Depends(_repository)]
Shaped = Annotated[Shapes, Depends(_shapes)]


def text(body: dict[str, Any], field: str, resource: str) -> str:
    """Return a required text field. Raises GithubError 422."""
    value = body.get(field)
    if not isinstance(value, str) or not value.strip():
        raise invalid(resource, field, "missing_field")
    return value


def optional_text(body: dict[str, Any], field: str, resource: str) -> str | None:
    """Return a text field that may be missing or null. Raises GithubError 422."""
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise invalid(resource, field)
    return value


def _number(request: Request, name: str, default: int, maximum: int) -> int:
    given = request.query_params.get(name, "")
    return min(max(int(given), 1), maximum) if given.isdecimal() else default


def page(request: Request, items: Sequence[Any]) -> tuple[list[Any], dict[str, str]]:
    """Return the requested page of `items`, and the Link header for the other pages."""
    size, number = _number(request, "per_page", 30, PAGE_LIMIT), _number(request, "page", 1, 1_000_000)
    last = max(-(-len(items) // size), 1)
    address = f"{base_url(request)}{request.url.path}"

    def link(target: int, relation: str) -> str:
        query = urlencode({**request.query_params, "per_page": size, "page": target})
        return f'<{address}?{query}>; rel="{relation}"'

    links = [link(number + 1, "next"), link(last, "last")] if number < last else []
    links += [link(1, "first"), link(number - 1, "prev")] if number > 1 else []
    return list(items[(number - 1) * size : number * size]), {"Link": ", ".join(links)} if links else {}


def paginated(request: Request, items: Sequence[Any]) -> JSONResponse:
    """Return the requested page of JSON items as a response."""
    shown, headers = page(request, items)
    return JSONResponse(shown, headers=headers)


def wants_diff(request: Request) -> bool:
    """Return whether the Accept header requests a diff instead of JSON."""
    accept = request.headers.get("accept", "")
    return accept.startswith("application/vnd.github") and "diff" in accept
