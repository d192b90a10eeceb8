"""Create a ticket although the project refuses some of its fields: leave out, fill in or ask for what it names.

Jira answers 400 with {"errors": {field id: message}}; what a field accepts is in its create metadata:
https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-createmeta-projectidorkey-issuetypes-issuetypeid-get
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from jira import JIRA
from jira.exceptions import JIRAError

from integrations.errors import FieldsRequiredError, RejectedError
from integrations.jira.errors import making_a_ticket
from integrations.jira.fields import SYSTEM, answered, field_key, only_value

_ROUNDS = 6
_NEEDED = frozenset({"project", "issuetype", "summary"})
_FIELDS_READ = 200

NO_ANSWERS: Mapping[str, str] = {}


def create_whole(client: JIRA, fields: dict[str, Any], *, label: str, answers: Mapping[str, str] = NO_ANSWERS) -> str:
    """Create the ticket and return its key. A field that is refused never costs the ticket.

    Refused labels: the label is put into the description, and a ticket that holds it already is returned. A refused
    description becomes a comment. A required field gets its default or its only value. answers: what a person typed or
    chose, by field id. Raises FieldsRequiredError with the fields that only a person can fill, and RejectedError for an
    answer that its field does not accept.
    """
    fields = dict(fields)
    if answers:
        fields |= answered(_metadata(client, fields), answers)
    late_comment = ""
    for _ in range(_ROUNDS):
        try:
            key = _create(client, fields)
        except JIRAError as error:
            refused = refused_fields(error)
            if not refused:
                raise
            if wrong := [text for name, text in refused.items() if name in answers and name in fields]:
                raise RejectedError(SYSTEM, f"an answer was not accepted: {' '.join(wrong)}".rstrip(".")) from error
            if "labels" in refused and "labels" in fields:
                if (found := find_in_text(client, fields["project"]["key"], label)) is not None:
                    return found
                fields["description"] = f"{fields.get('description', '')}\n\n{label}".strip()
            if "description" in refused and "description" in fields:
                late_comment = str(fields["description"])
            left_out = {name for name in refused if name in fields and name not in _NEEDED}
            fields = {name: value for name, value in fields.items() if name not in left_out}
            missing = {name: text for name, text in refused.items() if name not in left_out}
            if missing:
                _fill(client, fields, missing, error)
        else:
            if late_comment:
                _comment(client, key, late_comment)
            return key
    return _create(client, fields)


def _create(client: JIRA, fields: dict[str, Any]) -> str:
    with making_a_ticket():
        return str(client.create_issue(fields=fields, prefetch=False).key)


def refused_fields(error: JIRAError) -> dict[str, str]:
    """Return the fields that a 400 names, each with Jira's words; none for any other error."""
    if error.status_code != 400 or error.response is None:
        return {}
    try:
        answer = error.response.json()
    except requests.JSONDecodeError:
        return {}
    errors = answer.get("errors") if isinstance(answer, dict) else None
    return {str(name): str(text) for name, text in errors.items()} if isinstance(errors, dict) else {}


def find_in_text(client: JIRA, project: str, label: str) -> str | None:
    """Return the ticket whose description holds the label as a line, for a project without labels."""
    query = f'project = "{project}" AND description ~ "\\"{label}\\"" ORDER BY created ASC'
    try:
        found = client.search_issues(query, maxResults=20, fields=["description"])
    except JIRAError:
        return None
    for issue in found:
        if label in str(getattr(issue.fields, "description", "") or "").split():
            return str(issue.key)
    return None


def _fill(client: JIRA, fields: dict[str, Any], missing: Mapping[str, str], error: JIRAError) -> None:
    """Give each missing field its default or its only value. Raise FieldsRequiredError for what has neither."""
    if _NEEDED & set(missing):
        raise error
    described = _metadata(client, fields)
    unfilled: dict[str, str] = {}
    for name, text in missing.items():
        about = described.get(name, {})
        value = only_value(about)
        if value is None or name in fields:
            unfilled[name] = str(about.get("name") or text.removesuffix(".").removesuffix(" is required"))
        else:
            fields[name] = value
    if unfilled:
        names = ", ".join(f"“{name}”" for name in unfilled.values())
        them = "it" if len(unfilled) == 1 else "them"
        raise FieldsRequiredError(
            SYSTEM,
            f"the project {fields['project']['key']} wants {names} filled in. Press Create Jira ticket again, and "
            f"Argux asks for {them}; or give {them} a default in Jira, or make {them} optional",
            tuple(unfilled.values()),
            keys=tuple(unfilled),
        ) from error


def _metadata(client: JIRA, fields: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what Jira says of the project's fields, by field id; nothing if it does not answer that.

    Cloud lists them under "fields", Data Center under "values".
    """
    project, wanted = fields["project"]["key"], fields["issuetype"]["name"]
    try:
        types = client.project(project).issueTypes
        number = next((found.id for found in types if found.name == wanted), None)
        path = f"issue/createmeta/{project}/issuetypes/{number}"
        answer = client._get_json(path, params={"maxResults": _FIELDS_READ})
    except JIRAError:
        return {}
    listed = answer.get("fields") or answer.get("values") or [] if isinstance(answer, dict) else []
    return {field_key(about): about for about in listed if isinstance(about, dict)}


def _comment(client: JIRA, key: str, text: str) -> None:
    """Put the refused description under the ticket. A comment that is refused too does not cost the ticket."""
    try:
        client.add_comment(key, text)
    except JIRAError:
        return
