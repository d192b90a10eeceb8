"""The ticket tracker: create, find, change and store tickets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from integrations.local.config import WorkspaceConfig
from integrations.local.jira import jql
from integrations.local.jira.errors import JiraError
from integrations.local.jira.own_fields import problems_of
from integrations.local.store import Store

SUMMARY_LIMIT = 255
DESCRIPTION_LIMIT = 32_767
ISSUE_TYPES = ("Task", "Bug", "Story")
PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")
STATUSES = ("To Do", "In Progress", "Done")
PROJECT_ID = "10000"
FIELDS = ("project", "issuetype", "summary", "description", "labels", "priority", "assignee", "reporter")


class CommentRecord(BaseModel):
    """One comment; `created` is seconds since the epoch."""

    id: str
    body: str
    created: float


class TicketRecord(BaseModel):
    """One stored ticket. Texts are plain; times are seconds since the epoch."""

    id: str
    key: str
    summary: str
    description: str = ""
    issue_type: str
    priority: str = "Medium"
    status: str = STATUSES[0]
    labels: list[str] = []
    comments: list[CommentRecord] = []
    own: dict[str, Any] = {}
    created: float
    updated: float


class Tracker:
    """The tickets of one project."""

    def __init__(self, config: WorkspaceConfig, store: Store, clock: Callable[[], float]) -> None:
        self.project = config.jira_project
        self.reporter = config.jira_email
        self.own_fields = config.jira_fields
        self._store = store
        self._clock = clock
        self._tickets = {ticket.key: ticket for ticket in store.read("ticket", TicketRecord)}

    def create(self, fields: dict[str, Any]) -> TicketRecord:
        """Create a ticket. Raises JiraError 400 naming every invalid field."""
        problems = self._problems(fields) | problems_of(self.own_fields, fields)
        if problems:
            raise JiraError(400, fields=problems)
        number = len(self._tickets) + 1
        now = self._clock()
        return self._save(
            TicketRecord(
                id=str(10_000 + number),
                key=f"{self.project}-{number}",
                summary=fields["summary"],
                description=fields.get("description") or "",
                issue_type=str(_named(fields["issuetype"], ISSUE_TYPES)),
                priority=_named(fields.get("priority"), PRIORITIES) or "Medium",
                labels=fields.get("labels") or [],
                own={field.id: fields[field.id] for field in self.own_fields if field.id in fields},
                created=now,
                updated=now,
            )
        )

    def find(self, key_or_id: str) -> TicketRecord:
        """Return one ticket by key or id. Raises JiraError 404."""
        for ticket in self._tickets.values():
            if key_or_id.upper() == ticket.key or key_or_id == ticket.id:
                return ticket
        raise JiraError(404, "Issue does not exist or you do not have permission to see it.")

    def search(self, query: str) -> list[TicketRecord]:
        """Return the tickets that match a JQL query, newest first. Raises JiraError 400."""
        clauses = jql.parse(query)
        found = [ticket for ticket in self._tickets.values() if jql.matches(clauses, self._values(ticket))]
        return found[::-1]

    def labels(self) -> list[str]:
        """Return every label in use, sorted."""
        return sorted({label for ticket in self._tickets.values() for label in ticket.labels})

    def comment(self, key: str, body: object) -> tuple[TicketRecord, CommentRecord]:
        """Add a comment to a ticket; return both. Raises JiraError."""
        ticket = self.find(key)
        if not isinstance(body, str) or not body.strip():
            raise JiraError(400, fields={"comment": "Comment body can not be empty!"})
        comment = CommentRecord(id=f"{ticket.id}{len(ticket.comments) + 1}", body=body, created=self._clock())
        return self._save(ticket.model_copy(update={"comments": [*ticket.comments, comment]})), comment

    def move(self, key: str, transition_id: str) -> TicketRecord:
        """Change the status of a ticket. Raises JiraError 400 for an unknown transition, 404 for an unknown ticket."""
        ticket = self.find(key)
        transitions = dict(transition_ids())
        if transition_id not in transitions:
            raise JiraError(400, f"It seems that you have tried to perform a workflow operation ({transition_id}) "
                                 "that is not valid for the current state of this issue.")  # fmt: skip
        return self._save(ticket.model_copy(update={"status": transitions[transition_id]}))

    def edit(self, key: str, fields: dict[str, Any]) -> TicketRecord:
        """Change a ticket's summary, description, labels or priority. Raises JiraError."""
        ticket = self.find(key)
        whole = {"project": {"key": self.project}, "issuetype": {"name": ticket.issue_type}, "summary": ticket.summary}
        problems = self._problems({**whole, **fields})
        if problems:
            raise JiraError(400, fields=problems)
        update: dict[str, Any] = {name: fields[name] for name in ("summary", "description", "labels") if name in fields}
        if "priority" in fields:
            update["priority"] = _named(fields["priority"], PRIORITIES)
        return self._save(ticket.model_copy(update=update))

    def _values(self, ticket: TicketRecord) -> Callable[[str], Sequence[str]]:
        values: dict[str, Sequence[str]] = {
            "project": (self.project, PROJECT_ID),
            "labels": ticket.labels,
            "key": (ticket.key,),
            "status": (ticket.status,),
            "issuetype": (ticket.issue_type,),
        }
        return values.__getitem__

    def _problems(self, fields: dict[str, Any]) -> dict[str, str]:
        problems = {
            name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            for name in fields
            if name not in FIELDS and name not in {field.id for field in self.own_fields}
        }
        project = fields.get("project")
        if not isinstance(project, dict) or (
            project.get("key") != self.project and str(project.get("id")) != PROJECT_ID
        ):
            problems["project"] = "Specify a valid project ID or key"
        if _named(fields.get("issuetype"), ISSUE_TYPES) is None:
            problems["issuetype"] = "Specify a valid issue type"
        if fields.get("priority") is not None and _named(fields["priority"], PRIORITIES) is None:
            problems["priority"] = "Specify a valid priority"
        return problems | _text_problems(fields)

    def _save(self, ticket: TicketRecord) -> TicketRecord:
        changed = ticket.model_copy(update={"updated": self._clock()})
        self._tickets[changed.key] = changed
        self._store.put("ticket", changed.key, changed)
        return changed


def transition_ids() -> list[tuple[str, str]]:
    """Return (transition id, target status) pairs. Every status can change to every other, as in a simple project."""
    return [(str(11 + 10 * index), status) for index, status in enumerate(STATUSES)]


def named_ids(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return (id, name) pairs for issue types or priorities."""
    return [(str(index), name) for index, name in enumerate(names, start=1)]


def _named(reference: object, names: Sequence[str]) -> str | None:
    """Return the name that {"name": ...} or {"id": ...} refers to, or None."""
    if not isinstance(reference, dict):
        return None
    by_id = dict(named_ids(names))
    return reference["name"] if reference.get("name") in names else by_id.get(str(reference.get("id")))


def _text_problems(fields: dict[str, Any]) -> dict[str, str]:
    problems = {}
    summary, description, labels = fields.get("summary"), fields.get("description"), fields.get("labels")
    if not isinstance(summary, str) or not summary.strip():
        problems["summary"] = "You must specify a summary of the issue."
    elif len(summary) > SUMMARY_LIMIT:
        problems["summary"] = f"Summary can't exceed {SUMMARY_LIMIT} characters."
    elif "\n" in summary or "\r" in summary:
        problems["summary"] = "The summary is invalid because it contains newline characters."
    if description is not None and not isinstance(description, str):
        problems["description"] = "Operation value must be a string"
    elif description and len(description) > DESCRIPTION_LIMIT:
        problems["description"] = (
            f"The entered text is too long. It exceeds the allowed limit of {DESCRIPTION_LIMIT} characters."
        )
    if labels is not None and (not isinstance(labels, list) or not all(isinstance(label, str) for label in labels)):
        problems["labels"] = "data was not an array"
    for label in labels if isinstance(labels, list) else []:
        if isinstance(label, str) and (" " in label or len(label) > SUMMARY_LIMIT):
            problems["labels"] = f"The label '{label}' contains spaces which is invalid."
    return problems
