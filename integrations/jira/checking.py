"""Ask Jira whether our account may create tickets in the project, and which fields the project insists on."""

from __future__ import annotations

from typing import Any

from jira import JIRA
from jira.exceptions import JIRAError

from integrations.errors import AuthenticationError

SYSTEM = "Jira"

FILLED = frozenset({"project", "issuetype", "summary", "description", "labels", "priority", "reporter"})
"""The fields that a ticket of Argux has; Jira itself fills the reporter."""


def check_creating(client: JIRA, project: str, issue_type: str) -> tuple[str, ...]:
    """Return the names of the required fields that Argux does not fill.

    Raises AuthenticationError if the account may not create tickets in the project.
    """
    answer = client._get_json("mypermissions", params={"projectKey": project, "permissions": "CREATE_ISSUES"})
    allowed: dict[str, Any] = answer.get("permissions", {}).get("CREATE_ISSUES", {})
    if not allowed.get("havePermission", False):
        raise AuthenticationError(SYSTEM, f"the account may not create tickets in {project}")
    return _unfilled(client, project, issue_type)


def _unfilled(client: JIRA, project: str, issue_type: str) -> tuple[str, ...]:
    """Return the required fields without a default that we do not fill; none where Jira is too old to tell."""
    try:
        kinds = client._get_json(f"issue/createmeta/{project}/issuetypes")
        listed = kinds.get("issueTypes") or kinds.get("values") or []
        number = next(kind["id"] for kind in listed if kind.get("name") == issue_type)
        described = client._get_json(f"issue/createmeta/{project}/issuetypes/{number}")
    except (JIRAError, StopIteration):
        return ()
    fields: list[dict[str, Any]] = described.get("fields") or described.get("values") or []
    return tuple(
        str(each.get("name") or _key(each))
        for each in fields
        if each.get("required") and not each.get("hasDefaultValue") and _key(each) not in FILLED
    )


def _key(field: dict[str, Any]) -> str:
    return str(field.get("fieldId") or field.get("key") or "")
