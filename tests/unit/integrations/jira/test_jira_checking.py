"""May tickets be created in the project, and which fields does it insist on: in Jira's own shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.errors import AuthenticationError
from integrations.jira import JiraTracker
from tests.unit.integrations.jira.test_jira_parts import SERVER
from tests.unit.integrations.loopback import Loopback

PROJECT = {"key": "SHOP", "self": "x", "issueTypes": [{"id": "1", "name": "Task", "subtask": False, "self": "x"}]}


def asked(loopback: Loopback, *, may: bool, fields: list[dict[str, Any]] | None = None) -> tuple[str, ...]:
    loopback.answer(200, SERVER)
    loopback.answer(200, json.dumps(PROJECT).encode())
    loopback.answer(200, json.dumps({"permissions": {"CREATE_ISSUES": {"havePermission": may}}}).encode())
    if fields is None:
        loopback.answer(404, b"{}")
    else:
        loopback.answer(200, json.dumps({"issueTypes": PROJECT["issueTypes"]}).encode())
        loopback.answer(200, json.dumps({"fields": fields}).encode())
    return JiraTracker(loopback.url, email="bot@acme.test", token="t", project="SHOP").check_creating()


def field(name: str, *, required: bool = True, default: bool = False) -> dict[str, Any]:
    return {"fieldId": name.lower(), "name": name, "required": required, "hasDefaultValue": default}


def test_an_account_that_may_not_create_tickets_is_refused(loopback: Loopback) -> None:
    with pytest.raises(AuthenticationError, match="may not create tickets in SHOP"):
        asked(loopback, may=False)


def test_only_required_fields_without_a_default_are_missing(loopback: Loopback) -> None:
    fields = [field("Summary"), field("Team"), field("Colour", required=False), field("Size", default=True)]

    assert asked(loopback, may=True, fields=fields) == ("Team",)


def test_a_jira_too_old_to_tell_of_its_fields_misses_none(loopback: Loopback) -> None:
    assert asked(loopback, may=True) == ()
