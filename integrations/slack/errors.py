"""Map Slack's error codes to our errors: https://docs.slack.dev/reference/methods/chat.postMessage#errors."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError

from slack_sdk.errors import SlackApiError, SlackClientError

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    RetryableError,
)
from integrations.http import TOO_MANY_REQUESTS, error_for_status, retry_after_seconds, unreachable

SYSTEM = "Slack"
PICTURE_SETTLES_SECONDS = 2.0

_LIMITED = frozenset({"ratelimited", "rate_limited"})
_TEMPORARY = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_UNAUTHORISED = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "no_permission",
        "missing_scope",
        "not_allowed_token_type",
    }
)
_NOT_FOUND = frozenset(
    {
        "not_found",
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "user_not_found",
        "message_not_found",
        "thread_not_found",
        "file_not_found",
    }
)


@contextmanager
def slack_errors() -> Iterator[None]:
    """Convert every error of slack_sdk into an IntegrationError."""
    try:
        yield
    except SlackApiError as error:
        raise _from_api(error) from error
    except HTTPError as error:
        raise error_for_status(SYSTEM, error.code, str(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(SYSTEM, error) from error
    except SlackClientError as error:
        raise RetryableError(SYSTEM, "the upload did not go through") from error


def _from_api(error: SlackApiError) -> IntegrationError:
    response = error.response
    body: Mapping[str, Any] = response.data if isinstance(response.data, dict) else {}
    code = str(body.get("error", ""))
    details = _details(body)
    headers = {name.lower(): value for name, value in response.headers.items()}
    retry_after = retry_after_seconds(headers.get("retry-after"), now=time.time())
    if code in _LIMITED or response.status_code == TOO_MANY_REQUESTS:
        return RateLimitedError(SYSTEM, code or "ratelimited", retry_after)
    if code in _TEMPORARY or response.status_code >= 500:
        return RetryableError(SYSTEM, code if code in _TEMPORARY else f"HTTP {response.status_code}", retry_after)
    if code == "invalid_blocks" and "slack_file" in details:
        # Slack refuses a new picture until it has processed the upload, which takes about a second.
        return RetryableError(SYSTEM, "the picture is not ready yet", PICTURE_SETTLES_SECONDS)
    if " " in code or not code:
        return RetryableError(SYSTEM, "the answer was not Slack's")
    described = f"{code} ({details})" if details else code
    if code in _UNAUTHORISED:
        return AuthenticationError(SYSTEM, described)
    if code in _NOT_FOUND:
        return NotFoundError(SYSTEM, described)
    return RejectedError(SYSTEM, described)


def _details(body: Mapping[str, Any]) -> str:
    """Return the details that Slack adds to a refusal: the invalid blocks, or the missing scope."""
    metadata = body.get("response_metadata")
    messages = metadata.get("messages", []) if isinstance(metadata, dict) else []
    listed = [*messages, *(body.get("errors") or [])]
    if body.get("needed"):
        listed.append(f"needs the scope {body['needed']}")
    return "; ".join(str(item) for item in listed)[:500]
