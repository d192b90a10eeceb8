"""Turn every error of slack_sdk into one of ours; integrations.slack.codes says what each code means."""

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
    ChannelRefusedError,
    ContentRefusedError,
    IntegrationError,
    MessageGoneError,
    NotEditableError,
    NotFoundError,
    PermanentError,
    PictureNotReadyError,
    RateLimitedError,
    RejectedError,
    RetryableError,
    ThreadRefusedError,
)
from integrations.http import TOO_MANY_REQUESTS, error_for_status, retry_after_seconds, unreachable
from integrations.slack.codes import REMEDIES, Meaning, meaning_of

SYSTEM = "Slack"
PICTURE_SETTLES_SECONDS = 2.0

_LIMITED = frozenset({"ratelimited", "rate_limited"})
_ERRORS: Mapping[Meaning, type[PermanentError]] = {
    Meaning.ACCOUNT: AuthenticationError,
    Meaning.CHANNEL: ChannelRefusedError,
    Meaning.MESSAGE_GONE: MessageGoneError,
    Meaning.NOT_EDITABLE: NotEditableError,
    Meaning.NO_THREAD: ThreadRefusedError,
    Meaning.CONTENT: ContentRefusedError,
    Meaning.NOT_FOUND: NotFoundError,
    Meaning.REFUSED: RejectedError,
}


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
    meaning = meaning_of(code)
    if meaning is Meaning.PASSES or response.status_code >= 500:
        words = code if meaning is Meaning.PASSES else f"HTTP {response.status_code}"
        return RetryableError(SYSTEM, words, retry_after)
    if code == "invalid_blocks" and "slack_file" in details:
        # Slack refuses a new picture until it has processed the upload, which takes about a second.
        return PictureNotReadyError(SYSTEM, "the picture is not ready yet", PICTURE_SETTLES_SECONDS)
    if " " in code or not code:
        return RetryableError(SYSTEM, "the answer was not Slack's")
    described = f"{code} ({details})" if details else code
    if remedy := REMEDIES.get(code):
        described = f"{described}: {remedy}"
    return _ERRORS[meaning](SYSTEM, described)


def _details(body: Mapping[str, Any]) -> str:
    """Return the details that Slack adds to a refusal: the invalid blocks, or the missing scope."""
    metadata = body.get("response_metadata")
    messages = metadata.get("messages", []) if isinstance(metadata, dict) else []
    listed = [*messages, *(body.get("errors") or [])]
    if body.get("needed"):
        listed.append(f"needs the scope {body['needed']}")
    return "; ".join(str(item) for item in listed)[:500]
