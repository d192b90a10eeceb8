"""Helpers for every HTTP adapter: map failures to our errors, and read Retry-After."""

from __future__ import annotations

import math
import traceback
from datetime import UTC
from email.utils import parsedate_to_datetime

import structlog

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    RetryableError,
)

LONGEST_RETRY_AFTER_SECONDS = 3600.0
"""The longest Retry-After that we obey, so that no system can delay a job for longer."""

TOO_MANY_REQUESTS = 429
MISREAD = (AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a client library raises when an answer has another shape than its system's, such as a list for an object."""

log = structlog.get_logger()

_PASSING_STATUSES = frozenset({408, 425})
_MESSAGE_LIMIT = 300


def retry_after_seconds(header: str | None, *, now: float) -> float | None:
    """Parse a Retry-After header (RFC 9110: seconds or an HTTP-date). Return None if it is absent or unreadable.

    `now` is seconds since the epoch. The result is between 0 and LONGEST_RETRY_AFTER_SECONDS.
    """
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header, now)
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _seconds_until(http_date: str, now: float) -> float:
    try:
        moment = parsedate_to_datetime(http_date)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp() - now
    except (ValueError, OverflowError):
        return math.nan


def error_for_status(
    system: str, status: int, message: str, *, retry_after_seconds: float | None = None, remedy: str = ""
) -> IntegrationError:
    """Return the error for an HTTP status that is no success. The message is cut, and left out if it is a web page.

    remedy: how a person mends it, said after what happened.
    """
    text = "" if is_page(message) else " ".join(message.split())[:_MESSAGE_LIMIT]
    described = f"{text} (HTTP {status})" if text else f"HTTP {status}"
    described = f"{described}: {remedy}" if remedy else described
    if status == TOO_MANY_REQUESTS:
        return RateLimitedError(system, described, retry_after_seconds)
    if status in _PASSING_STATUSES or status >= 500:
        return RetryableError(system, described, retry_after_seconds)
    if status in (401, 403):
        return AuthenticationError(system, described)
    if status in (404, 410):
        return NotFoundError(system, described)
    return RejectedError(system, described)


def is_page(text: str) -> bool:
    """Whether an answer is a web page, such as a login, a captive portal or a gateway's error, and not the system's."""
    return text.lstrip()[:1] == "<"


def misread(system: str, error: BaseException) -> RetryableError:
    """Return the error for an answer that is not in the system's format. What the client made of it is logged."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    log.warning("answer_misread", system=system, error=repr(error), place=place)
    return RetryableError(system, f"the answer was not {possessive(system)}")


def possessive(system: str) -> str:
    """Return "Slack's" or "Teams'"."""
    return f"{system}'" if system.endswith("s") else f"{system}'s"


def unreachable(system: str, error: BaseException) -> RetryableError:
    """Return the error for a timeout, a refused or a broken connection.

    Only the name of the cause's class is used, because its text may contain a secret address.
    """
    if isinstance(error, TimeoutError) or "timeout" in type(error).__name__.lower():
        return RetryableError(system, "it did not answer in time")
    return RetryableError(system, f"it cannot be reached ({type(error).__name__})")
