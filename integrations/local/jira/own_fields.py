"""The project's own fields: what they accept, and how Jira describes them to whoever creates a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrations.local.config import JiraField


def problems_of(fields: Sequence[JiraField], given: dict[str, Any]) -> dict[str, str]:
    """Return Jira's words for each own field that is missing or not accepted, by its id."""
    problems = {}
    for field in fields:
        value = given.get(field.id)
        if value in (None, "", []):
            if field.required:
                problems[field.id] = f"{field.name} is required."
        elif text := _fault(field, value):
            problems[field.id] = text
    return problems


def _fault(field: JiraField, value: object) -> str:
    if field.type == "option":
        chosen = value.get("id") if isinstance(value, dict) else None
        known = [number for number, _ in _options(field)]
        return "" if chosen in known else f"Option id '{chosen}' is not valid"
    if field.type == "number":
        return "" if isinstance(value, (int, float)) else "Operation value must be a number"
    return "" if isinstance(value, str) else "Operation value must be a string"


def described(field: JiraField) -> dict[str, Any]:
    """Return the field as the create metadata lists it."""
    about: dict[str, Any] = {
        "fieldId": field.id,
        "key": field.id,
        "name": field.name,
        "required": field.required,
        "hasDefaultValue": False,
        "schema": {"type": field.type, "customId": int(field.id.rpartition("_")[2])},
    }
    if field.values:
        about["allowedValues"] = [{"id": number, "value": value} for number, value in _options(field)]
    return about


def _options(field: JiraField) -> list[tuple[str, str]]:
    return [(str(10_020 + index), value) for index, value in enumerate(field.values)]
