"""Fields that a Jira project wants and only a person can fill: how to ask for each, and the answer as Jira takes it.

What a field accepts is in the project's create metadata, by its `schema` and `allowedValues`:
https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-createmeta-projectidorkey-issuetypes-issuetypeid-get
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from integrations.errors import RejectedError
from integrations.protocols import TicketField

SYSTEM = "Jira"

MOST_CHOICES = 100
"""Slack lists no more; of a field with more of them, a person types the one."""

_OWN = frozenset({"project", "issuetype", "summary", "description", "labels"})
"""Argux fills these itself; no answer replaces them."""


def field_key(about: Mapping[str, Any]) -> str:
    """Return the field's id, such as customfield_10021."""
    return str(about.get("fieldId") or about.get("key") or "")


def field_label(about: Mapping[str, Any]) -> str:
    """Return the field's name for people."""
    return str(about.get("name") or field_key(about))


def askable(about: Mapping[str, Any]) -> TicketField:
    """Return how to ask a person for the field; `fault` says why it cannot be asked for."""
    name, label = field_key(about), field_label(about)
    choices = tuple((_id_of(value), _label_of(value)) for value in _allowed(about))
    if choices:
        if len(choices) <= MOST_CHOICES:
            return TicketField(name, label, choices=choices)
        return TicketField(name, label, hint=f"One of {len(choices)} values, such as {choices[0][1]}")
    schema = about.get("schema") or {}
    kind = schema.get("type", "string")
    if kind == "string":
        return TicketField(name, label)
    if kind == "number":
        return TicketField(name, label, hint="A number")
    if kind == "date":
        return TicketField(name, label, hint="A day, such as 2026-11-30")
    if kind == "array" and schema.get("items") == "string":
        return TicketField(name, label, hint="Words, with commas between them")
    described = f"a list of the kind {schema.get('items')}" if kind == "array" else f"a field of the kind {kind}"
    return TicketField(name, label, fault=described)


def answered(described: Mapping[str, Mapping[str, Any]], answers: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers as Jira takes them, by field id. Raises RejectedError for one that its field does not accept.

    described: the create metadata by field id; where Jira does not tell it, it is empty, and answers are sent as text.
    """
    return {
        name: value_of(described.get(name, {"fieldId": name}), answer)
        for name, answer in answers.items()
        if name not in _OWN and (name in described or not described) and answer.strip()
    }


def value_of(about: Mapping[str, Any], answer: str) -> Any:
    """Return one answer as Jira takes it: an option by its id or its name, a number, a day, a list or a text."""
    answer = answer.strip()
    schema = about.get("schema") or {}
    is_list = schema.get("type") == "array"
    if allowed := _allowed(about):
        chosen = _chosen(allowed, answer)
        if chosen is None:
            raise _not_accepted(about, answer, "is none of its values")
        return [chosen] if is_list else chosen
    if is_list:
        words = (word.strip() for word in answer.split(","))
        return ["-".join(word.split()) if _is_labels(schema) else word for word in words if word]
    if schema.get("type") == "number":
        return _number(about, answer)
    if schema.get("type") == "date":
        try:
            return date.fromisoformat(answer).isoformat()
        except ValueError as error:
            raise _not_accepted(about, answer, "is no day such as 2026-11-30") from error
    return answer


def only_value(about: Mapping[str, Any]) -> Any:
    """Return a field's default, else its only allowed value, as Jira takes it; None if a person has to choose."""
    if about.get("hasDefaultValue") and about.get("defaultValue") is not None:
        return about["defaultValue"]
    allowed = about.get("allowedValues") or []
    if len(allowed) != 1:
        return None
    value = {"id": allowed[0]["id"]} if isinstance(allowed[0], dict) and "id" in allowed[0] else allowed[0]
    return [value] if about.get("schema", {}).get("type") == "array" else value


def _allowed(about: Mapping[str, Any]) -> list[Any]:
    return [value for value in about.get("allowedValues") or [] if _label_of(value) and not _is_disabled(value)]


def _is_disabled(value: object) -> bool:
    return isinstance(value, dict) and bool(value.get("disabled") or value.get("archived"))


def _id_of(value: object) -> str:
    """Return what stands for an allowed value in a dialog: its id, or the value itself where it has none."""
    return str(value["id"]) if isinstance(value, dict) and "id" in value else _label_of(value)


def _label_of(value: object) -> str:
    """Return an allowed value's name for people. Options have a `value`, versions and components a `name`."""
    if isinstance(value, dict):
        return str(value.get("value") or value.get("name") or value.get("key") or value.get("id") or "")
    return str(value)


def _chosen(allowed: list[Any], answer: str) -> Any:
    found = next((one for one in allowed if _id_of(one) == answer), None)
    if found is None:
        found = next((one for one in allowed if _label_of(one).casefold() == answer.casefold()), None)
    return {"id": found["id"]} if isinstance(found, dict) and "id" in found else found


def _number(about: Mapping[str, Any], answer: str) -> float:
    try:
        number = float(answer)
    except ValueError as error:
        raise _not_accepted(about, answer, "is no number") from error
    if not math.isfinite(number):
        raise _not_accepted(about, answer, "is no number")
    return int(number) if number.is_integer() else number


def _is_labels(schema: Mapping[str, Any]) -> bool:
    """Whether its words are labels, which have no spaces."""
    return str(schema.get("custom", "")).endswith(":labels")


def _not_accepted(about: Mapping[str, Any], answer: str, why: str) -> RejectedError:
    return RejectedError(SYSTEM, f"“{field_label(about)}”: “{answer[:60]}” {why}")
