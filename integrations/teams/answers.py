"""What a Teams webhook's answer means: delivered, or the error that says how it is mended.

An Office connector answers 200 with the body "1", and reports most failures in words, with status 200 as well.
A Workflow answers 202 with an empty body, or with the JSON of its own response step.
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
"""

from __future__ import annotations

import json
import re
import time

import httpx

from integrations.errors import ContentRefusedError, IntegrationError, RejectedError, RetryableError
from integrations.http import error_for_status, is_page, retry_after_seconds

SYSTEM = "Teams"

_HIDDEN_STATUS = re.compile(r"HTTP error (\d{3})|status code:? (\d{3})", re.IGNORECASE)
_CONTENT = re.compile(r"payload|card|summary|text|large|long|size|content|schema|invalid", re.IGNORECASE)
_TOO_LARGE = re.compile(r"too large|too long|exceeds", re.IGNORECASE)
_DELIVERED = ("", "1")
_NEW_ADDRESS = "make a new webhook in the Teams channel, and set TEAMS_WEBHOOK_URL to its address"
_REMEDIES = {
    401: f"copy the whole address with its signature (sig=…), or {_NEW_ADDRESS}",
    403: f"the workflow is turned off, or others may not start it; turn it on, or {_NEW_ADDRESS}",
    404: f"the webhook was deleted; {_NEW_ADDRESS}",
    410: f"the webhook was deleted; {_NEW_ADDRESS}",
}


def failure_of(response: httpx.Response) -> IntegrationError | None:
    """Return the error that an answer stands for; None if the message was delivered."""
    status, text = response.status_code, response.text.strip()
    wait = retry_after_seconds(response.headers.get("retry-after"), now=time.time())
    if 300 <= status < 400:
        return RejectedError(SYSTEM, f"the address sends on to another one (HTTP {status}): {_NEW_ADDRESS}")
    if not response.is_success:
        return _error(status, text, wait)
    if text in _DELIVERED or _is_fine(text):
        return None
    if is_page(text):
        return RetryableError(SYSTEM, "the answer was not Teams', but a web page")
    hidden = _HIDDEN_STATUS.search(text)
    status = int(hidden[1] or hidden[2]) if hidden else 0
    if status >= 400:
        return _error(status, "the message was not delivered", wait)
    if _TOO_LARGE.search(text):
        return ContentRefusedError(SYSTEM, "the message was not delivered: it is too large")
    return RetryableError(SYSTEM, f"the message was not delivered ({' '.join(text.split())[:200]})")


def _error(status: int, text: str, wait: float | None) -> IntegrationError:
    if status == 413 or (status == 400 and _CONTENT.search(text)):
        words = "" if is_page(text) else f" ({' '.join(text.split())[:200]})" if text else ""
        return ContentRefusedError(SYSTEM, f"it did not take the message: HTTP {status}{words}")
    return error_for_status(SYSTEM, status, text, retry_after_seconds=wait, remedy=_REMEDIES.get(status, ""))


def _is_fine(text: str) -> bool:
    """Whether the body is the JSON of a workflow that does not speak of an error."""
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    return not (isinstance(answer, dict) and answer.get("error")) and not isinstance(answer, str)
