"""Refusals in the forms that the libraries of Amplitude and Mixpanel read."""

from __future__ import annotations

from fastapi.responses import JSONResponse

from bot.errors import BotError, MalformedError, UnauthorizedError


def amplitude_error(error: BotError) -> JSONResponse:
    """Return an error in Amplitude's form.

    Its libraries recognise a wrong key by the start of the text and stop; otherwise they would retry for minutes.
    """
    message = f"Invalid API key: {error.message}" if isinstance(error, UnauthorizedError) else error.message
    code = 400 if isinstance(error, MalformedError) else error.status
    return JSONResponse({"code": code, "error": message}, code, error.headers)


def mixpanel_error(error: BotError) -> JSONResponse:
    """Return an error in Mixpanel's form. Its libraries read `status` and `error` of any answer."""
    code = 400 if isinstance(error, MalformedError) else error.status
    return JSONResponse({"code": code, "status": 0, "error": error.message}, code, error.headers)
