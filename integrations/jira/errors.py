"""Turn every error of the jira client into one of ours, with how to mend what a person can mend."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from jira.exceptions import JIRAError

from integrations.errors import AuthenticationError, IntegrationError, RetryableError
from integrations.http import MISREAD, error_for_status, misread, retry_after_seconds, unreachable
from integrations.jira.fields import SYSTEM

SETTLES_SECONDS = 20.0
"""How long Jira's search may take to find a ticket that was made just before its answer was lost."""

_CAPTCHA = (
    "it wants to see a captcha solved after too many failed logins. Log in to Jira once in a browser as the account of "
    "JIRA_EMAIL, then press the button again"
)
_REMEDIES = {
    401: "check JIRA_EMAIL, and make a new JIRA_TOKEN if that one has expired",
    403: "have the account allowed to browse the project and to create tickets in it",
    404: "check JIRA_URL and JIRA_PROJECT, and that the account may see the project",
    410: "check JIRA_URL: this Jira has moved, or is gone",
}


@contextmanager
def jira_errors() -> Iterator[None]:
    """Convert every error of the jira client into an IntegrationError."""
    try:
        yield
    except JIRAError as error:
        raise from_jira(error) from error
    except json.JSONDecodeError as error:
        raise RetryableError(SYSTEM, "the answer was not Jira's") from error
    except requests.RequestException as error:
        raise unreachable(SYSTEM, error) from error
    except MISREAD as error:
        raise misread(SYSTEM, error) from error


@contextmanager
def making_a_ticket() -> Iterator[None]:
    """Convert what leaves open whether a ticket was made, so that the next try waits until Jira would find it."""
    try:
        yield
    except JIRAError as error:
        if 400 <= (error.status_code or 0) < 500:
            raise
        raise RetryableError(SYSTEM, str(from_jira(error)).removeprefix(f"{SYSTEM}: "), SETTLES_SECONDS) from error
    except MISREAD as error:
        raise RetryableError(SYSTEM, "the answer was not Jira's", SETTLES_SECONDS) from error
    except requests.RequestException as error:
        text = str(unreachable(SYSTEM, error)).removeprefix(f"{SYSTEM}: ")
        raise RetryableError(SYSTEM, text, SETTLES_SECONDS) from error


def from_jira(error: JIRAError) -> IntegrationError:
    """Return the error for a failed call."""
    if not error.status_code or error.status_code < 400:
        return RetryableError(SYSTEM, "the answer was not Jira's")
    headers = error.response.headers if error.response is not None else {}
    denied = f"{headers.get('X-Authentication-Denied-Reason', '')} {headers.get('X-Seraph-LoginReason', '')}"
    if error.status_code in (401, 403) and ("CAPTCHA" in denied or "AUTHENTICATION_DENIED" in denied):
        return AuthenticationError(SYSTEM, _CAPTCHA)
    wait = retry_after_seconds(headers.get("Retry-After"), now=time.time())
    remedy = _REMEDIES.get(error.status_code, "")
    return error_for_status(SYSTEM, error.status_code, error.text or "", retry_after_seconds=wait, remedy=remedy)
