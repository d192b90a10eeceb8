"""The ticket tracker over Jira's REST API, with the jira client. It does not retry: the jobs do."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Collection, Mapping
from typing import Any

from jira import JIRA
from jira.exceptions import JIRAError

from integrations import wording
from integrations.jira.checking import PRIORITIES, check_creating, fields_to_ask
from integrations.jira.creation import NO_ANSWERS, create_whole
from integrations.jira.errors import jira_errors
from integrations.jira.wiki import to_wiki
from integrations.protocols import Ticket, TicketField
from integrations.text import Markup, visible

SUMMARY_LIMIT = 255
DESCRIPTION_LIMIT = 32_000
LABEL_LIMIT = 200


class JiraTracker:
    """A TicketTracker for Jira. Jira Cloud needs `email` and an API token; Data Center needs a token only."""

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

    def create(
        self,
        *,
        idempotency_key: str,
        title: str,
        body: Markup,
        severity: str,
        answers: Mapping[str, str] = NO_ANSWERS,
    ) -> Ticket:
        """Create a ticket idempotently: the key is stored as a label, and a ticket with that label is returned.

        Where labels are refused, the label stands in the description. answers: what a person chose or typed, by the
        fields' ids. Raises FieldsRequiredError for fields that the project wants and only a person can fill.

        Jira's search may not find a ticket in its first seconds: the error for a lost answer says how long to wait.
        """
        label = label_for(idempotency_key)
        with jira_errors():
            client = self._client()
            query = f'project = "{self._project}" AND labels = "{label}" ORDER BY created ASC'
            if (known := _found(client, query)) is not None:
                return self._ticket(known)
            fields = {
                "project": {"key": self._project},
                "issuetype": {"name": self._issue_type_name(client)},
                "summary": wording.cut(visible(title) or "Argux incident", SUMMARY_LIMIT),
                "description": wording.cut(to_wiki(body), DESCRIPTION_LIMIT),
                "labels": [label],
                **_priority(client, severity),
            }
            return self._ticket(create_whole(client, fields, label=label, answers=answers))

    def check(self) -> str:
        """Return the Jira account in use and the project. Raises if the project does not exist."""
        with jira_errors():
            client = self._client()
            me = client.myself()
            project = client.project(self._project)
        return f"connected as {me.get('displayName') or self._email or 'a token'}, project {project.key}"

    def check_creating(self) -> tuple[str, ...]:
        """Return the required fields that Argux does not fill. Raises if no ticket may be created in the project."""
        with jira_errors():
            client = self._client()
            return check_creating(client, self._project, self._issue_type_name(client))

    def fields_to_ask(self, also: Collection[str] = ()) -> tuple[TicketField, ...]:
        """Return how to ask for each required field that neither Argux nor Jira fills, and for those in `also`."""
        with jira_errors():
            client = self._client()
            return fields_to_ask(client, self._project, self._issue_type_name(client), also)

    def _client(self) -> JIRA:
        """Return the client, created on first use, because its constructor asks the server for its search API."""
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

    def _issue_type_name(self, client: JIRA) -> str:
        """Return our issue type if the project has it, else the project's first."""
        offered = [found.name for found in client.project(self._project).issueTypes if not found.subtask]
        return self._issue_type if self._issue_type in offered or not offered else str(offered[0])


def _found(client: JIRA, query: str) -> str | None:
    """Return the key of the first ticket found. A project without labels refuses the query; that finds nothing."""
    try:
        found = client.search_issues(query, maxResults=1, fields=["summary"])
    except JIRAError as error:
        if error.status_code == 400:
            return None
        raise
    return str(found[0].key) if found else None


def _priority(client: JIRA, severity: str) -> dict[str, Any]:
    """Return the priority field, or nothing if Jira has no priority of that name or does not list them."""
    name = PRIORITIES.get(severity)
    try:
        known = {found.name for found in client.priorities()}
    except JIRAError as error:
        if error.status_code in (400, 403, 404):
            return {}
        raise
    return {"priority": {"name": name}} if name in known else {}


def label_for(idempotency_key: str) -> str:
    """Return a label for the key. Characters not allowed in labels become "-", and a digest keeps the label unique."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", idempotency_key)[:LABEL_LIMIT]
    if safe == idempotency_key:
        return f"argux-{safe}"
    return f"argux-{safe}-{hashlib.sha256(idempotency_key.encode()).hexdigest()[:10]}"
