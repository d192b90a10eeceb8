"""Turns what went wrong into the one shape of an error on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy import exc
from starlette.exceptions import HTTPException

from bot.errors import BotError, UnavailableError, error_body
from bot.storable_text import STORABLE
from storage.errors import DatabaseUnavailableError, InvalidTransitionError, NotFoundError
from workers.errors import NotConfiguredError

DATABASE_RETRY_SECONDS = 1
_KEY_MARK = "[key]"


def field_path(location: Sequence[int | str]) -> str:
    """("body", "steps", 0, "name") becomes "steps[0].name"; the part of the request is left out.

    What is wrong with a mapping's key is told at the key, without the library's mark behind it.
    """
    if location and location[-1] == _KEY_MARK:
        location = location[:-1]
    path = ""
    for part in location[1:] if location and location[0] in ("body", "query", "path", "header") else location:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else part)
    return path


def problem_told(problem: Mapping[str, Any]) -> tuple[str, str]:
    """The path of the field at fault and what is wrong, in the words of whoever asked rather than of the library."""
    if problem["type"] == "json_invalid":
        return "body", f"the JSON is broken at character {problem['loc'][-1]}: {problem['ctx']['error']}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "string_pattern_mismatch" and problem["ctx"]["pattern"] == STORABLE:
        message = "leave out the NUL character (\\u0000), for no text is kept with it"
    return field_path(problem["loc"]), message


def database_away() -> UnavailableError:
    """What to answer while the database is locked or away."""
    return UnavailableError(
        f"The database cannot take this right now; send it again in {DATABASE_RETRY_SECONDS} second.",
        retry_after_seconds=DATABASE_RETRY_SECONDS,
    )


def refusal(error: BotError) -> JSONResponse:
    """The response for a refusal of ours."""
    return JSONResponse(error_body(error.message, error.field), error.status, error.headers)


async def _on_bot_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BotError)
    return refusal(error)


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = [problem_told(problem) for problem in error.errors()]
    field, message = problems[0]
    body = error_body(f"{field}: {message}" if field else message, field or None)
    if len(problems) > 1:
        body["error"]["others"] = [{"field": path, "message": text} for path, text in problems[1:]]
    return JSONResponse(body, 422)


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message = f"There is nothing at {request.url.path}." if error.status_code == 404 else str(error.detail)
    return JSONResponse(error_body(message), error.status_code, error.headers)


async def _on_missing(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_body(str(error)), 404)


async def _on_invalid_transition(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_body(str(error), "status"), 409)


async def _on_not_configured(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_body(f"{error}. `argux doctor` says how to mend it."), 503)


async def _on_database_error(request: Request, error: Exception) -> JSONResponse:
    structlog.get_logger().warning("database_unavailable", path=request.url.path, error=type(error).__name__)
    return refusal(database_away())


async def _on_anything_else(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_body("Argux failed to answer this; its log says why."), 500)


def install(app: FastAPI) -> None:
    """Answer every error in the same shape."""
    app.add_exception_handler(BotError, _on_bot_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(NotFoundError, _on_missing)
    app.add_exception_handler(InvalidTransitionError, _on_invalid_transition)
    app.add_exception_handler(NotConfiguredError, _on_not_configured)
    app.add_exception_handler(exc.OperationalError, _on_database_error)
    app.add_exception_handler(exc.TimeoutError, _on_database_error)
    app.add_exception_handler(DatabaseUnavailableError, _on_database_error)
    app.add_exception_handler(Exception, _on_anything_else)
