"""Ask Jira whether our account may create tickets in the project, and which fields the project insists on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jira import JIRA
from jira.exceptions import JIRAError

from detection.types import Severity
from integrations.errors import AuthenticationError
from integrations.jira.fields import SYSTEM, askable, field_key, field_label, only_value
from integrations.protocols import TicketField

PRIORITIES = {
    Severity.SEV1.value: "Highest",
    Severity.SEV2.value: "High",
    Severity.SEV3.value: "Medium",
    Severity.SEV4.value: "Low",
}
"""Jira's default priority names. A project with other names keeps its own default priority."""

FILLED = frozenset({"project", "issuetype", "summary", "description", "labels", "reporter"})
"""The fields that every ticket of Argux has; Jira itself fills the reporter."""

_FIELDS_READ = 200


def check_creating(client: JIRA, project: str, issue_type: str) -> tuple[str, ...]:
    """Return the names of the required fields that Argux does not fill.

    Raises AuthenticationError if the account may not create tickets in the project.
    """
    answer = client._get_json("mypermissions", params={"projectKey": project, "permissions": "CREATE_ISSUES"})
    allowed: dict[str, Any] = answer.get("permissions", {}).get("CREATE_ISSUES", {})
    if not allowed.get("havePermission", False):
        raise AuthenticationError(SYSTEM, f"the account may not create tickets in {project}")
    return tuple(field_label(each) for each in _described(client, project, issue_type) if _is_wanted(each))


def fields_to_ask(client: JIRA, project: str, issue_type: str, also: Collection[str]) -> tuple[TicketField, ...]:
    """Return how to ask for each required field that Argux does not fill.

    also: fields that were missing when a ticket was refused, which a workflow may want although they are not required.
    """
    described = _described(client, project, issue_type)
    return tuple(askable(each) for each in described if _is_wanted(each) or field_key(each) in also)


def _is_wanted(field: dict[str, Any]) -> bool:
    """Whether the field is required, and neither Argux nor Jira fills it."""
    if not field.get("required") or field.get("hasDefaultValue") or field_key(field) in FILLED:
        return False
    if field_key(field) == "priority" and _is_ours(field):
        return False
    return only_value(field) is None


def _is_ours(priority: dict[str, Any]) -> bool:
    """Whether the project has one of the priorities that Argux gives to its tickets, or does not tell."""
    names = {str(value.get("name")) for value in priority.get("allowedValues") or [] if isinstance(value, dict)}
    return not names or names >= set(PRIORITIES.values())


def _described(client: JIRA, project: str, issue_type: str) -> list[dict[str, Any]]:
    """Return what Jira says of the fields of a new ticket; nothing where it is too old to tell."""
    try:
        kinds = client._get_json(f"issue/createmeta/{project}/issuetypes")
        listed = kinds.get("issueTypes") or kinds.get("values") or []
        number = next(kind["id"] for kind in listed if kind.get("name") == issue_type)
        path = f"issue/createmeta/{project}/issuetypes/{number}"
        answer = client._get_json(path, params={"maxResults": _FIELDS_READ})
    except (JIRAError, StopIteration):
        return []
    return list(answer.get("fields") or answer.get("values") or [])
