from __future__ import annotations

import json

import pytest

from integrations.errors import AuthenticationError, RetryableError
from integrations.jira import JiraTracker
from integrations.jira.tracker import label_for
from integrations.jira.wiki import to_wiki
from integrations.text import ours
from tests.unit.integrations.loopback import Loopback

SERVER = json.dumps({"versionNumbers": [1001, 0, 0], "deploymentType": "Cloud"}).encode()


@pytest.mark.parametrize(
    ("markdown", "wiki"),
    [
        ("**p95** is `4 s`", "*p95* is {{4 s}}"),
        ("[docs](https://x.y)", "[docs|https://x.y]"),
        ("## Cause", "h2. Cause"),
        ("- one", "* one"),
        ("since <t:1770465600>", "since 2026-02-07 12:00 UTC"),
        ("```sql\nSELECT {1}\n```", "{noformat}\nSELECT {1}\n{noformat}"),
        ("{code} and [~admin]", "\\{code\\} and \\[\\~admin\\]"),
    ],
)
def test_markdown_becomes_the_equivalent_jira_markup(markdown: str, wiki: str) -> None:
    assert to_wiki(markdown) == wiki


def test_a_key_becomes_a_unique_label_without_spaces() -> None:
    assert label_for("incident-7") == "argux-incident-7"
    assert " " not in label_for("incident 7")
    assert label_for("incident 7") != label_for("incident:7")


def tracker(loopback: Loopback) -> JiraTracker:
    return JiraTracker(loopback.url, email="bot@acme.test", token="jira-secret", project="SHOP")


def test_a_rate_limit_reports_when_to_retry_and_is_not_retried_by_the_client(loopback: Loopback) -> None:
    loopback.answer(200, SERVER)
    loopback.answer(429, b"{}", Retry_After="9")
    with pytest.raises(RetryableError) as caught:
        tracker(loopback).check()
    assert caught.value.retry_after_seconds == 9.0
    assert len(loopback.received) == 2


def test_a_refused_token_is_not_shown(loopback: Loopback) -> None:
    loopback.answer(200, SERVER)
    loopback.answer(401, b'{"errorMessages": ["Client must be authenticated"]}')
    with pytest.raises(AuthenticationError) as caught:
        tracker(loopback).check()
    assert "jira-secret" not in str(caught.value)
    assert "Client must be authenticated" in str(caught.value)


def test_a_failed_first_call_does_not_affect_the_next_call(loopback: Loopback) -> None:
    jira = tracker(loopback)
    loopback.answer(503)
    with pytest.raises(RetryableError):
        jira.check()
    loopback.answer(200, SERVER)
    loopback.answer(200, b'{"displayName": "Argux"}')
    loopback.answer(200, b'{"id": "1", "key": "SHOP", "self": "x"}')
    assert jira.check() == "connected as Argux, project SHOP"


def test_a_project_without_a_priority_field_still_gets_its_ticket(loopback: Loopback) -> None:
    loopback.answer(200, SERVER)
    loopback.answer(200, b"[]")
    loopback.answer(200, b'{"issues": [], "isLast": true}')
    project = {"key": "SHOP", "self": "x", "issueTypes": [{"id": "1", "name": "Task", "subtask": False, "self": "x"}]}
    loopback.answer(200, json.dumps(project).encode())
    loopback.answer(200, b'[{"id": "1", "name": "Highest", "self": "x"}]')
    loopback.answer(400, b'{"errors": {"priority": "Field cannot be set."}, "errorMessages": []}')
    loopback.answer(201, b'{"id": "1", "key": "SHOP-12", "self": "x"}')
    ticket = tracker(loopback).create(idempotency_key="k", title="Slow\ncheckout", body=ours("b"), severity="sev1")
    assert ticket.url == f"{loopback.url}/browse/SHOP-12"
    first, second = (json.loads(request.body)["fields"] for request in loopback.received[-2:])
    assert first["priority"] == {"name": "Highest"}
    assert "priority" not in second
    assert second["summary"] == "Slow checkout"
