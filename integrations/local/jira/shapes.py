"""Build Jira's JSON resources. Their absolute URLs point to the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrations.local.jira import documents
from integrations.local.jira.tracker import (
    ISSUE_TYPES,
    PRIORITIES,
    PROJECT_ID,
    STATUSES,
    CommentRecord,
    TicketRecord,
    Tracker,
    named_ids,
    transition_ids,
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Builds resources for one version of the API; `root` is a URL such as http://host/jira, `version` "2" or "3"."""

    root: str
    version: str
    tracker: Tracker

    @property
    def api(self) -> str:
        """The API's base URL."""
        return f"{self.root}/rest/api/{self.version}"

    def user(self) -> Json:
        """Return the token's user."""
        email = self.tracker.reporter
        return {
            "self": f"{self.api}/user?accountId=argux",
            "accountId": "argux",
            "accountType": "app",
            "emailAddress": email,
            "displayName": email.partition("@")[0],
            "active": True,
            "timeZone": "UTC",
        }

    def project(self) -> Json:
        """Return the project."""
        return {
            "self": f"{self.api}/project/{PROJECT_ID}",
            "id": PROJECT_ID,
            "key": self.tracker.project,
            "name": self.tracker.project.capitalize(),
            "projectTypeKey": "software",
            "issueTypes": self.issue_types(),
        }

    def issue_types(self) -> list[Json]:
        """Return the issue types."""
        return [
            self._reference("issuetype", number, name) | {"subtask": False} for number, name in named_ids(ISSUE_TYPES)
        ]

    def priorities(self) -> list[Json]:
        """Return the priorities."""
        return [self._reference("priority", number, name) for number, name in named_ids(PRIORITIES)]

    def status(self, name: str) -> Json:
        """Return one status."""
        category = {"To Do": "new", "In Progress": "indeterminate", "Done": "done"}[name]
        number = str(STATUSES.index(name) + 1)
        return self._reference("status", number, name) | {
            "statusCategory": {"id": int(number), "key": category, "name": name}
        }

    def transitions(self) -> list[Json]:
        """Return the status transitions of a ticket."""
        return [{"id": number, "name": name, "to": self.status(name)} for number, name in transition_ids()]

    def issue(self, ticket: TicketRecord, wanted: Sequence[str] = ("*all",)) -> Json:
        """Return a ticket with the wanted fields."""
        fields = self._fields(ticket)
        if not {"*all", "*navigable"} & set(wanted):
            fields = {name: value for name, value in fields.items() if name in wanted}
        return {"id": ticket.id, "key": ticket.key, "self": f"{self.api}/issue/{ticket.id}", "fields": fields}

    def comment(self, ticket: TicketRecord, comment: CommentRecord) -> Json:
        """Return a comment."""
        return {
            "self": f"{self.api}/issue/{ticket.id}/comment/{comment.id}",
            "id": comment.id,
            "author": self.user(),
            "body": self.text(comment.body),
            "created": _time(comment.created),
            "updated": _time(comment.created),
        }

    def comments(self, ticket: TicketRecord) -> Json:
        """Return all comments of a ticket."""
        shown = [self.comment(ticket, comment) for comment in ticket.comments]
        return {"comments": shown, "total": len(shown), "maxResults": len(shown), "startAt": 0}

    def text(self, text: str) -> object:
        """Return a text in the format of this version of the API."""
        return documents.to_document(text) if self.version == "3" else text

    def _fields(self, ticket: TicketRecord) -> Json:
        kinds = {kind["name"]: kind for kind in self.issue_types()}
        priorities = {priority["name"]: priority for priority in self.priorities()}
        return {
            "summary": ticket.summary,
            "description": self.text(ticket.description) if ticket.description else None,
            "labels": ticket.labels,
            "issuetype": kinds[ticket.issue_type],
            "priority": priorities[ticket.priority],
            "status": self.status(ticket.status),
            "project": {name: value for name, value in self.project().items() if name != "issueTypes"},
            "reporter": self.user(),
            "creator": self.user(),
            "assignee": None,
            "resolution": {"id": "1", "name": "Done"} if ticket.status == "Done" else None,
            "comment": self.comments(ticket),
            "created": _time(ticket.created),
            "updated": _time(ticket.updated),
            **ticket.own,
        }

    def _reference(self, kind: str, number: str, name: str) -> Json:
        return {"self": f"{self.api}/{kind}/{number}", "id": number, "name": name}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
