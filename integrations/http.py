"""Helpers for every HTTP adapter: map failures to our errors, and read Retry-After."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

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
    system: str, status: int, message: str, *, retry_after_seconds: float | None = None
) -> IntegrationError:
    """Return the error for an HTTP status (400 and up). The message is cut, so that no whole HTML page is kept."""
    text = " ".join(message.split())[:_MESSAGE_LIMIT]
    described = f"{text} (HTTP {status})" if text else f"HTTP {status}"
    if status == TOO_MANY_REQUESTS:
        return RateLimitedError(system, described, retry_after_seconds)
    if status in _PASSING_STATUSES or status >= 500:
        return RetryableError(system, described, retry_after_seconds)
    if status in (401, 403):
        return AuthenticationError(system, described)
    if status in (404, 410):
        return NotFoundError(system, described)
    return RejectedError(system, described)


def unreachable(system: str, error: BaseException) -> RetryableError:
    """Return the error for a timeout, a refused or a broken connection.

    Only the name of the cause's class is used, because its text may contain a secret address.
    """
    if isinstance(error, TimeoutError) or "timeout" in type(error).__name__.lower():
        return RetryableError(system, "it did not answer in time")
    return RetryableError(system, f"it cannot be reached ({type(error).__name__})")
