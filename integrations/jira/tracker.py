"""The ticket tracker over Jira's REST API, by the jira client. Nothing is tried twice here: the jobs retry."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from jira import JIRA
from jira.exceptions import JIRAError

from detection.types import Severity
from integrations import wording
from integrations.errors import IntegrationError, RetryableError
from integrations.http import error_for_status, retry_after_seconds, unreachable
from integrations.jira.wiki import to_wiki
from integrations.protocols import Ticket

SYSTEM = "Jira"
SUMMARY_LIMIT = 255
DESCRIPTION_LIMIT = 32_000
LABEL_LIMIT = 200
PRIORITIES = {
    Severity.SEV1.value: "Highest",
    Severity.SEV2.value: "High",
    Severity.SEV3.value: "Medium",
    Severity.SEV4.value: "Low",
}
"""Jira's default names; a project that has others keeps its own default priority."""


class JiraTracker:
    """Jira as a TicketTracker. `email` with an API token is Jira Cloud's way, a token alone a Data Center's."""

    def __init__(
        self,
        url: str,
        *,
        email: str | None,
        token: str,
        project: str,
        issue_type: str = "Task",
        timeout_seconds: float = 15.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._email = email
        self._token = token
        self._project = project
        self._issue_type = issue_type
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._connected: JIRA | None = None

    def create(self, *, idempotency_key: str, title: str, body: str, severity: str) -> Ticket:
        """Create once: the key is kept as a label, and a ticket that has it is the answer.

        Jira's search may miss a ticket for the first seconds of its life, so a retry should come later than that.
        """
        label = label_for(idempotency_key)
        with jira_errors():
            client = self._client()
            query = f'project = "{self._project}" AND labels = "{label}" ORDER BY created ASC'
            found = client.search_issues(query, maxResults=1, fields=["summary"])
            if found:
                return self._ticket(found[0].key)
            fields = {
                "project": {"key": self._project},
                "issuetype": {"name": self._offered_type(client)},
                "summary": wording.cut(" ".join(title.split()) or "Argux incident", SUMMARY_LIMIT),
                "description": wording.cut(to_wiki(body), DESCRIPTION_LIMIT),
                "labels": [label],
                **_priority(client, severity),
            }
            return self._ticket(_create(client, fields))

    def check(self) -> str:
        """Say who we are in Jira and that the project is there."""
        with jira_errors():
            client = self._client()
            me = client.myself()
            project = client.project(self._project)
        return f"connected as {me.get('displayName') or self._email or 'a token'}, project {project.key}"

    def _client(self) -> JIRA:
        """The client, made when first needed: its constructor asks the server which search API it speaks."""
        with self._lock:
            if self._connected is None:
                self._connected = JIRA(
                    server=self._url,
                    basic_auth=(self._email, self._token) if self._email else None,
                    token_auth=None if self._email else self._token,
                    max_retries=0,
                    timeout=self._timeout_seconds,
                )
            return self._connected

    def _ticket(self, key: str) -> Ticket:
        return Ticket(key=key, url=f"{self._url}/browse/{key}")

    def _offered_type(self, client: JIRA) -> str:
        """Our type of ticket where the project has it, else the project's first."""
        offered = [found.name for found in client.project(self._project).issueTypes if not found.subtask]
        return self._issue_type if self._issue_type in offered or not offered else str(offered[0])


def _priority(client: JIRA, severity: str) -> dict[str, Any]:
    """The field that says how urgent it is, where Jira knows a priority of that name."""
    name = PRIORITIES.get(severity)
    return {"priority": {"name": name}} if name in {found.name for found in client.priorities()} else {}


def _create(client: JIRA, fields: dict[str, Any]) -> str:
    """Create, without the priority where the project's form has no such field or not that value."""
    try:
        return str(client.create_issue(fields=fields, prefetch=False).key)
    except JIRAError as error:
        if "priority" not in fields or "priority" not in _fields_at_fault(error):
            raise
    without_priority = {name: value for name, value in fields.items() if name != "priority"}
    return str(client.create_issue(fields=without_priority, prefetch=False).key)


def _fields_at_fault(error: JIRAError) -> frozenset[str]:
    if error.status_code != 400 or error.response is None:
        return frozenset()
    answer = error.response.json()
    return frozenset(answer.get("errors") or ()) if isinstance(answer, dict) else frozenset()


def label_for(idempotency_key: str) -> str:
    """A label for the key: labels take no spaces, so other characters become "-" and a digest keeps it unique."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", idempotency_key)[:LABEL_LIMIT]
    if safe == idempotency_key:
        return f"argux-{safe}"
    return f"argux-{safe}-{hashlib.sha256(idempotency_key.encode()).hexdigest()[:10]}"


@contextmanager
def jira_errors() -> Iterator[None]:
    """Turn whatever the jira client raises into our own tree."""
    try:
        yield
    except JIRAError as error:
        raise _from_jira(error) from error
    except json.JSONDecodeError as error:
        raise RetryableError(SYSTEM, "the answer was not Jira's") from error
    except requests.RequestException as error:
        raise unreachable(SYSTEM, error) from error


def _from_jira(error: JIRAError) -> IntegrationError:
    if not error.status_code:
        return RetryableError(SYSTEM, "the answer was not Jira's")
    headers = error.response.headers if error.response is not None else {}
    wait = retry_after_seconds(headers.get("Retry-After"), now=time.time())
    return error_for_status(SYSTEM, error.status_code, error.text or "", retry_after_seconds=wait)
