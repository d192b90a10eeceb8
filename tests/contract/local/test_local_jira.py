"""The real jira client against the local workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jira import JIRAError

from integrations.errors import FieldsRequiredError, RejectedError
from integrations.jira import JiraTracker
from integrations.text import ours
from tests.contract.local.workspace import JIRA_LOGIN, Json, Workspace, running


def test_a_ticket_can_be_created_found_by_its_label_and_changed(shared_workspace: Workspace) -> None:
    client = shared_workspace.jira()
    filed = client.create_issue(
        project="SHOP",
        summary="Checkout fell",
        description="From 64 % to 33 %.",
        issuetype={"name": "Bug"},
        labels=["argux", "argux-key-1"],
        priority={"name": "High"},
    )
    found = client.search_issues('project = SHOP AND labels = "argux-key-1" ORDER BY created DESC')
    assert [issue.key for issue in found] == [filed.key]
    assert (found[0].fields.summary, found[0].fields.priority.name) == ("Checkout fell", "High")
    assert client.search_issues('labels = "argux-key-2"') == []

    client.add_comment(filed, "Reverted in #1.")
    client.transition_issue(filed, "Done")
    filed.update(summary="Checkout fell on Saturday")
    again = client.issue(filed.key)
    assert (again.fields.status.name, again.fields.summary) == ("Done", "Checkout fell on Saturday")
    assert [comment.body for comment in client.comments(filed)] == ["Reverted in #1."]


def test_version_3_of_the_api_uses_atlassian_documents(shared_workspace: Workspace) -> None:
    client = shared_workspace.jira(version="3")
    document = {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "In a document."}]}],
    }
    filed = client.create_issue(project="SHOP", summary="x", description=document, issuetype={"name": "Task"})
    assert filed.raw["fields"]["description"] == document
    assert shared_workspace.jira().issue(filed.key).fields.description == "In a document."
    with pytest.raises(JIRAError, match="Atlassian Document"):
        client.create_issue(project="SHOP", summary="x", description="plain", issuetype={"name": "Task"})


def test_the_user_the_project_and_the_server_can_be_read(shared_workspace: Workspace) -> None:
    client = shared_workspace.jira()
    assert client.myself()["emailAddress"] == "argux@example.com"
    assert client.project("SHOP").key == "SHOP"
    assert client.server_info()["deploymentType"] == "Cloud"
    assert client.createmeta(projectKeys="SHOP")["projects"][0]["issuetypes"][0]["fields"]["summary"]["required"]
    with pytest.raises(JIRAError) as caught:
        client.project("NONE")
    assert caught.value.status_code == 404


@pytest.mark.parametrize("login", [("argux@example.com", "wrong"), ("somebody@example.com", "jira-local")])
def test_a_wrong_login_is_refused(shared_workspace: Workspace, login: tuple[str, str]) -> None:
    with pytest.raises(JIRAError) as caught:
        shared_workspace.jira(login).myself()
    assert caught.value.status_code == 401


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"summary": ""}, "You must specify a summary"),
        ({"summary": "x" * 256}, "exceed 255"),
        ({"summary": "two\nlines"}, "newline"),
        ({"labels": ["two words"]}, "contains spaces"),
        ({"issuetype": {"name": "Epic of epics"}}, "valid issue type"),
        ({"priority": {"name": "Now"}}, "valid priority"),
        ({"project": {"key": "NONE"}}, "valid project"),
        ({"severity": "sev1"}, "cannot be set"),
    ],
)
def test_an_invalid_ticket_is_refused_naming_the_field(shared_workspace: Workspace, fields: Json, problem: str) -> None:
    good = {"project": {"key": "SHOP"}, "summary": "x", "issuetype": {"name": "Task"}}
    with pytest.raises(JIRAError, match=problem) as caught:
        shared_workspace.jira().create_issue(fields={**good, **fields})
    assert caught.value.status_code == 400
    assert caught.value.response is not None
    assert next(iter(fields)) in caught.value.response.json()["errors"]


@pytest.mark.parametrize(
    "query", ["", "labels =", "labels ~ x", "colour = red", "project = SHOP OR project = X", "labels in x", 'a = "']
)
def test_an_unsupported_query_is_refused(shared_workspace: Workspace, query: str) -> None:
    with pytest.raises(JIRAError) as caught:
        shared_workspace.jira().search_issues(query)
    assert caught.value.status_code == 400


def test_queries_support_lists_and_negation(shared_workspace: Workspace) -> None:
    client = shared_workspace.jira()
    for label in ("q-1", "q-2", "q-3"):
        client.create_issue(project="SHOP", summary=label, issuetype={"name": "Task"}, labels=["q", label])
    found = client.search_issues("labels = q and labels in (q-1, 'q-2') AND labels != q-1")
    assert [issue.fields.summary for issue in found] == ["q-2"]
    assert len(client.search_issues("labels = q", maxResults=2)) == 2
    assert len(client.search_issues("labels = q", maxResults=0)) == 3


def test_the_page_of_a_ticket_escapes_its_texts(shared_workspace: Workspace) -> None:
    client = shared_workspace.jira()
    filed: Any = client.create_issue(project="SHOP", summary="<script>1</script>", issuetype={"name": "Task"})
    page = shared_workspace.page.get(filed.permalink())
    assert page.status_code == 200
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert shared_workspace.page.get("/jira/browse/SHOP-9999").status_code == 404


def test_tickets_survive_a_restart(workspace: Workspace) -> None:
    key = workspace.jira().create_issue(project="SHOP", summary="keep", issuetype={"name": "Task"}).key
    workspace.restart()
    client = workspace.jira()
    assert client.issue(key).fields.summary == "keep"
    assert client.create_issue(project="SHOP", summary="next", issuetype={"name": "Task"}).key == "SHOP-2"


OWN_FIELDS = [
    {"id": "customfield_10010", "name": "Team", "type": "option", "values": ["Payments", "Search"]},
    {"id": "customfield_10011", "name": "Cost centre", "type": "number"},
    {"id": "customfield_10012", "name": "Colour", "required": False},
]


@pytest.fixture
def strict_jira(tmp_path: Path) -> Iterator[JiraTracker]:
    """The real tracker against a project that wants fields of its own."""
    with running(tmp_path, jira_fields=OWN_FIELDS) as workspace:
        yield JiraTracker(f"{workspace.url}/jira", email=JIRA_LOGIN[0], token=JIRA_LOGIN[1], project="SHOP")


def create(tracker: JiraTracker, **answers: str) -> str:
    return tracker.create(
        idempotency_key="incident-7", title="Slow", body=ours("b"), severity="sev2", answers=answers
    ).key


def test_a_project_that_wants_fields_gets_them_by_the_answers_of_a_person(strict_jira: JiraTracker) -> None:
    assert strict_jira.check_creating() == ("Team", "Cost centre")
    team, centre = strict_jira.fields_to_ask()
    assert [label for _, label in team.choices] == ["Payments", "Search"]
    assert centre.hint == "A number"
    with pytest.raises(FieldsRequiredError) as caught:
        create(strict_jira)
    assert caught.value.fields == ("Team", "Cost centre")
    with pytest.raises(RejectedError, match="“Cost centre”: “many” is no number"):
        create(strict_jira, customfield_10010=team.choices[1][0], customfield_10011="many")
    key = create(strict_jira, customfield_10010=team.choices[1][0], customfield_10011="47")
    assert create(strict_jira) == key
