"""Map GitHub's failures, as PyGithub raises them, to our errors."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from github import BadAttributeException, GithubException, RateLimitExceededException

from integrations.errors import IntegrationError, RateLimitedError, RetryableError
from integrations.http import (
    LONGEST_RETRY_AFTER_SECONDS,
    MISREAD,
    error_for_status,
    misread,
    retry_after_seconds,
    unreachable,
)

SYSTEM = "GitHub"

SHORTEST_PAUSE_SECONDS = 60.0
"""How long GitHub wants to be left alone after a limit, if it names no time ("wait for at least one minute").

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

_SSO_URL = re.compile(r"https://[^\s;,]+")
_SECONDARY_LIMIT = re.compile(r"secondary rate limit|abuse detection|rate limit exceeded", re.IGNORECASE)


@contextmanager
def github_errors() -> Iterator[None]:
    """Convert every error of PyGithub into an IntegrationError."""
    try:
        yield
    except GithubException as error:
        raise from_github(error) from error
    except requests.RequestException as error:
        raise unreachable(SYSTEM, error) from error
    except (BadAttributeException, json.JSONDecodeError) as error:
        raise RetryableError(SYSTEM, "the answer was not GitHub's") from error
    except MISREAD as error:
        raise misread(SYSTEM, error) from error


def from_github(error: GithubException) -> IntegrationError:
    """Return the error for a failed call. Both of GitHub's rate limits may answer 403 or 429."""
    headers = error.headers or {}
    wait = _wait_seconds(headers, now=time.time())
    limited = isinstance(error, RateLimitExceededException) or headers.get("x-ratelimit-remaining") == "0"
    if limited or (error.status == 403 and "retry-after" in headers):
        return RateLimitedError(SYSTEM, "the rate limit is used up", SHORTEST_PAUSE_SECONDS if wait is None else wait)
    text = error_message(error)
    if error.status == 429 or (error.status == 403 and _SECONDARY_LIMIT.search(text)):
        return RateLimitedError(SYSTEM, "it asks for a pause", SHORTEST_PAUSE_SECONDS if wait is None else wait)
    return error_for_status(SYSTEM, error.status, text, retry_after_seconds=wait, remedy=_remedy(error, text))


def _remedy(error: GithubException, text: str) -> str:
    """Return how a person mends a refusal of the token; "" if it is none."""
    asked = _SSO_URL.search((error.headers or {}).get("x-github-sso", ""))
    if asked:
        return f"authorise the token of GITHUB_TOKEN for the organisation at {asked[0]}"
    if error.status == 401:
        return "set GITHUB_TOKEN to a token that has not expired"
    if error.status == 403 and "not accessible" in text:
        return "give the token of GITHUB_TOKEN contents and pull requests, read and write, for this repository"
    return ""


def error_message(error: GithubException) -> str:
    """Return GitHub's message with the details of a 422: "Validation Failed: A pull request already exists"."""
    data = error.data if isinstance(error.data, dict) else {}
    listed = data.get("errors")
    details = [_detail(item) for item in (listed if isinstance(listed, list) else [listed]) if item]
    message = str(data.get("message") or error.message or "")
    return f"{message}: {'; '.join(details)}" if details else message


def _detail(item: object) -> str:
    if isinstance(item, dict):
        return str(item.get("message") or f"{item.get('field', '')} {item.get('code', '')}".strip())
    return str(item)


def _wait_seconds(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return Retry-After if it is set, else the seconds until the primary rate limit resets."""
    asked = retry_after_seconds(headers.get("retry-after"), now=now)
    if asked is not None or headers.get("x-ratelimit-remaining") != "0":
        return asked
    try:
        reset = float(headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    return min(max(reset - now, 0.0), LONGEST_RETRY_AFTER_SECONDS)
