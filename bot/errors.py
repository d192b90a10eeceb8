"""The errors that the HTTP doors and the API answer with.

BotError                    the base: status, message, and maybe the wrong field and when to retry
├── BadRequestError    400  it is not of the form that the sender's protocol asks for
├── CutShortError      400  the sender disconnected before the body was complete
├── UnauthorizedError  401  no key, or an unknown one
├── ForbiddenError     403  the key's role may not do this
├── NotFoundError      404  the requested object does not exist
├── ConflictError      409  it cannot be done in the current state
├── TooSlowError       408  the body did not arrive in time; the rest is not read
├── TooLargeError      413  the body is over a limit, which the message names
├── WrongTypeError     415  this door does not accept the body's content type or encoding
├── MalformedError     422  the body is invalid; `field` is the path of the wrong field
├── BusyError          429  too much in flight; `retry_after_seconds` says when to retry
└── UnavailableError   503  the database or a needed system is unavailable; `retry_after_seconds` as above

The messages may be shown to the client. The response body is {"error": {"message": "…", "field": "…"}}; "field" is
optional.
"""

from __future__ import annotations

from typing import Any, ClassVar


class BotError(Exception):
    """The base of all errors. status: the HTTP status of the response."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, *, field: str | None = None, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """Return the response headers: `Retry-After` where a retry can help."""
        return {} if self.retry_after_seconds is None else {"Retry-After": str(self.retry_after_seconds)}


class CutShortError(BotError):
    """The sender disconnected before the body was complete."""

    status = 400


class BadRequestError(BotError):
    """The request is not of the form that its sender's protocol asks for."""

    status = 400


class UnauthorizedError(BotError):
    """The API key is missing or unknown."""

    status = 401

    @property
    def headers(self) -> dict[str, str]:
        """Return the authentication scheme, which RFC 9110 (section 11.6.1) requires with every 401."""
        return {"WWW-Authenticate": "Bearer"}


class ForbiddenError(BotError):
    """The key is valid, but its role may not do this."""

    status = 403


class NotFoundError(BotError):
    """The requested object does not exist."""

    status = 404


class ConflictError(BotError):
    """The request cannot be done in the current state."""

    status = 409


class TooSlowError(BotError):
    """The body did not arrive in time."""

    status = 408

    @property
    def headers(self) -> dict[str, str]:
        """Close the connection, because the rest of the body may arrive at any time, or never."""
        return {"Connection": "close"}


class TooLargeError(BotError):
    """The body is over a limit."""

    status = 413

    @property
    def headers(self) -> dict[str, str]:
        """Close the connection, because otherwise the rest of the body would have to be read."""
        return {"Connection": "close"}


class WrongTypeError(BotError):
    """The content type or encoding is not one that this door accepts."""

    status = 415


class MalformedError(BotError):
    """The body cannot be parsed, or one of its fields is invalid."""

    status = 422


class BusyError(BotError):
    """Too many requests, or too many bytes, are in flight."""

    status = 429


class UnavailableError(BotError):
    """The database, or another system that is needed, is not available now."""

    status = 503


def error_body(message: str, field: str | None = None) -> dict[str, Any]:
    """Return the JSON body of an error response."""
    return {"error": {"message": message} if field is None else {"message": message, "field": field}}
