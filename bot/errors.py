"""What the HTTP doors and the API answer when they cannot do what was asked.

BotError                    the base: status, message, perhaps the field at fault and when to come again
├── CutShortError      400  the sender went away before its body was whole; nobody is left to read this
├── UnauthorizedError  401  no key, or one that is not known
├── ForbiddenError     403  the key's role may not do this
├── NotFoundError      404  there is no such thing
├── ConflictError      409  it cannot be done in the state that things are in
├── TooSlowError       408  the body did not come in time; what is still coming is not read
├── TooLargeError      413  the body is over a limit, which the message names
├── WrongTypeError     415  the body's content type or encoding is not one of this door's
├── MalformedError     422  `field` says where
├── BusyError          429  too much at once; `retry_after_seconds`
└── UnavailableError   503  the database cannot take it now; `retry_after_seconds`

All of them may be shown to whoever asked. On the wire: {"error": {"message": "…", "field": "…"}}, the field only where
there is one.
"""

from __future__ import annotations

from typing import Any, ClassVar


class BotError(Exception):
    """Base of every refusal; `status` is the HTTP status that carries it."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, *, field: str | None = None, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """What goes beside the body: `Retry-After` where coming again makes sense."""
        return {} if self.retry_after_seconds is None else {"Retry-After": str(self.retry_after_seconds)}


class CutShortError(BotError):
    """The sender went away before its body was whole."""

    status = 400


class UnauthorizedError(BotError):
    """No key, or one that is not known."""

    status = 401

    @property
    def headers(self) -> dict[str, str]:
        """Name the scheme, as RFC 9110 (section 11.6.1) asks of every 401."""
        return {"WWW-Authenticate": "Bearer"}


class ForbiddenError(BotError):
    """The key is good, but its role may not do this."""

    status = 403


class NotFoundError(BotError):
    """There is no such thing."""

    status = 404


class ConflictError(BotError):
    """It cannot be done in the state that things are in."""

    status = 409


class TooSlowError(BotError):
    """The body did not come in time."""

    status = 408

    @property
    def headers(self) -> dict[str, str]:
        """Hang up: the rest of the body may come at any time, or never."""
        return {"Connection": "close"}


class TooLargeError(BotError):
    """The body is over a limit."""

    status = 413

    @property
    def headers(self) -> dict[str, str]:
        """Hang up: the rest of the body may still be coming, and would have to be read to its end."""
        return {"Connection": "close"}


class WrongTypeError(BotError):
    """The content type or encoding is not one that this door reads."""

    status = 415


class MalformedError(BotError):
    """The body cannot be read, or a field of it is wrong."""

    status = 422


class BusyError(BotError):
    """Too many requests, or too many bytes, are in flight."""

    status = 429


class UnavailableError(BotError):
    """The database cannot take it now."""

    status = 503


def error_body(message: str, field: str | None = None) -> dict[str, Any]:
    """The one shape of an error on the wire."""
    return {"error": {"message": message} if field is None else {"message": message, "field": field}}
