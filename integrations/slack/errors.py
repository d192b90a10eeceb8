"""Turn every error of slack_sdk into one of ours; integrations.slack.codes says what each code means."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError

import httpx
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
from integrations.http import MISREAD, TOO_MANY_REQUESTS, error_for_status, misread, retry_after_seconds, unreachable
from integrations.slack.codes import REMEDIES, Meaning, meaning_of

SYSTEM = "Slack"
PICTURE_SETTLES_SECONDS = 2.0

RESPONSE_URL_GONE = frozenset({"expired_url", "used_url"})
"""A response URL works for 30 minutes, and five times."""

_CODE = re.compile(r"[a-z][a-z_]{2,60}")
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
        wait = retry_after_seconds(error.headers.get("Retry-After"), now=time.time())
        raise error_for_status(SYSTEM, error.code, str(error.reason), retry_after_seconds=wait) from error
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(SYSTEM, error) from error
    except SlackClientError as error:
        raise RetryableError(SYSTEM, "the upload did not go through") from error
    except MISREAD as error:
        raise misread(SYSTEM, error) from error


def response_failure(response: httpx.Response) -> IntegrationError | None:
    """Return the error that the answer of a response URL stands for; None if it was taken.

    Slack answers "ok", nothing, {"ok": true}, or a code: as text with an HTTP status, or as {"ok": false, "error": …}.
    """
    text = response.text.strip()
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    code = _text(body.get("error")) if isinstance(body, dict) else text if _CODE.fullmatch(text) else ""
    wait = retry_after_seconds(response.headers.get("retry-after"), now=time.time())
    if response.is_success:
        if text in ("ok", "") or (isinstance(body, dict) and body.get("ok") is not False):
            return None
        if not code:
            return RetryableError(SYSTEM, "the answer was not Slack's")
        if code in RESPONSE_URL_GONE:
            return NotFoundError(SYSTEM, code)
        return _of_code(code, code, wait)
    return error_for_status(SYSTEM, response.status_code, code or text, retry_after_seconds=wait)


def _from_api(error: SlackApiError) -> IntegrationError:
    response = error.response
    body: Mapping[str, Any] = response.data if isinstance(response.data, dict) else {}
    code = _text(body.get("error"))
    details = _details(body)
    headers = {name.lower(): value for name, value in response.headers.items()}
    retry_after = retry_after_seconds(headers.get("retry-after"), now=time.time())
    if code in _LIMITED or response.status_code == TOO_MANY_REQUESTS:
        return RateLimitedError(SYSTEM, code or "ratelimited", retry_after)
    if response.status_code >= 500 and meaning_of(code) is not Meaning.PASSES:
        return RetryableError(SYSTEM, f"HTTP {response.status_code}", retry_after)
    if code == "invalid_blocks" and "slack_file" in details:
        # Slack refuses a new picture until it has processed the upload, which takes about a second.
        return PictureNotReadyError(SYSTEM, "the picture is not ready yet", PICTURE_SETTLES_SECONDS)
    if " " in code or not code:
        return RetryableError(SYSTEM, "the answer was not Slack's")
    return _of_code(code, f"{code} ({details})" if details else code, retry_after)


def _of_code(code: str, described: str, retry_after: float | None) -> IntegrationError:
    if code in _LIMITED:
        return RateLimitedError(SYSTEM, code, retry_after)
    meaning = meaning_of(code)
    if meaning is Meaning.PASSES:
        return RetryableError(SYSTEM, described, retry_after)
    if remedy := REMEDIES.get(code):
        described = f"{described}: {remedy}"
    return _ERRORS[meaning](SYSTEM, described)


def _details(body: Mapping[str, Any]) -> str:
    """Return the details that Slack adds to a refusal: the invalid blocks, or the missing scope."""
    metadata = body.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else []
    errors = body.get("errors")
    listed = [*(messages if isinstance(messages, list) else []), *(errors if isinstance(errors, list) else [])]
    if body.get("needed"):
        listed.append(f"needs the scope {body['needed']}")
    return "; ".join(str(item) for item in listed)[:500]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
