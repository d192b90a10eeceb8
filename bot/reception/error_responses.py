"""Turn exceptions into error responses, all with the same JSON shape."""

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
from bot.reception.arrivals.door_words import foreign_door, meant_door
from bot.reception.validation_words import plain
from bot.storable_text import STORABLE
from storage.errors import DatabaseUnavailableError, InvalidTransitionError, NotFoundError
from workers.errors import NotConfiguredError

DATABASE_RETRY_SECONDS = 1
_KEY_MARK = "[key]"


def field_path(location: Sequence[int | str]) -> str:
    """Return the path of a field: ("body", "steps", 0, "name") becomes "steps[0].name".

    The first part, "body" or "query" or the like, is left out. So is the mark that pydantic puts behind a mapping's
    invalid key.
    """
    if location and location[-1] == _KEY_MARK:
        location = location[:-1]
    path = ""
    for part in location[1:] if location and location[0] in ("body", "query", "path", "header") else location:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else part)
    return path


def describe_problem(problem: Mapping[str, Any]) -> tuple[str, str]:
    """Return the path of the invalid field and the message, reworded where pydantic's own would not help a client."""
    if problem["type"] == "json_invalid":
        return "body", f"the JSON is broken at character {problem['loc'][-1]}: {problem['ctx']['error']}"
    message = plain(problem)
    if problem["type"] == "string_pattern_mismatch" and problem["ctx"]["pattern"] == STORABLE:
        message = "leave out the NUL character (\\u0000), for no text is kept with it"
    return field_path(problem["loc"]), message


def database_unavailable() -> UnavailableError:
    """Return the error to answer with while the database is locked or unavailable."""
    return UnavailableError(
        f"The database cannot take this right now; send it again in {DATABASE_RETRY_SECONDS} second.",
        retry_after_seconds=DATABASE_RETRY_SECONDS,
    )


def error_response(error: BotError) -> JSONResponse:
    """Return the response for one of our errors."""
    return JSONResponse(error_body(error.message, error.field), error.status, error.headers)


async def _on_bot_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BotError)
    return error_response(error)


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = [describe_problem(problem) for problem in error.errors()]
    field, message = problems[0]
    body = error_body(f"{field}: {message}" if field else message, field or None)
    if len(problems) > 1:
        body["error"]["others"] = [{"field": path, "message": text} for path, text in problems[1:]]
    return JSONResponse(body, 422)


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message = _http_message(request, error)
    if _is_sender(request, error.status_code):
        await request.app.state.reception.counting.nowhere(request, message)
    return JSONResponse(error_body(message), error.status_code, error.headers)


def _is_sender(request: Request, status: int) -> bool:
    """Whether a sender has a wrong address. Reading what is not there, as a browser does, is nothing to tell of."""
    return (status == 404 and request.method in ("POST", "PUT")) or (
        status == 405 and request.method in ("GET", "POST", "PUT")
    )


def _http_message(request: Request, error: HTTPException) -> str:
    path = request.url.path
    if error.status_code == 405 and path == "/" and request.method == "POST":
        return (
            "/ takes nothing: the address needs its path, such as /v1/logs. docs/connecting.md has it for each sender."
        )
    if error.status_code == 405:
        return f"{path} does not take {request.method}."
    if error.status_code != 404:
        return str(error.detail)
    is_sender = request.method in ("POST", "PUT")
    if is_sender and (instead := foreign_door(path)):
        return f"There is nothing at {path}: {instead}."
    meant = meant_door(path) if is_sender else None
    return f"There is nothing at {path}.{f' Is {meant} meant?' if meant else ''}"


async def _on_not_found(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_body(str(error)), 404)


async def _on_invalid_transition(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_body(str(error), "status"), 409)


async def _on_not_configured(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_body(f"{error}. `argux doctor` says how to mend it."), 503)


async def _on_database_error(request: Request, error: Exception) -> JSONResponse:
    structlog.get_logger().warning("database_unavailable", path=request.url.path, error=type(error).__name__)
    return error_response(database_unavailable())


async def _on_unexpected_error(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_body("Argux failed to answer this; its log says why."), 500)


def install(app: FastAPI) -> None:
    """Install the exception handlers of the web process."""
    app.add_exception_handler(BotError, _on_bot_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(NotFoundError, _on_not_found)
    app.add_exception_handler(InvalidTransitionError, _on_invalid_transition)
    app.add_exception_handler(NotConfiguredError, _on_not_configured)
    app.add_exception_handler(exc.OperationalError, _on_database_error)
    app.add_exception_handler(exc.TimeoutError, _on_database_error)
    app.add_exception_handler(DatabaseUnavailableError, _on_database_error)
    app.add_exception_handler(Exception, _on_unexpected_error)
