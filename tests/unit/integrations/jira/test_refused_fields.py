"""A field that a Jira project refuses or wants never costs the ticket; what only a person can fill is named."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from jira import JIRA
from jira.exceptions import JIRAError

from integrations.errors import FieldsRequiredError
from integrations.jira.creation import create_whole

LABEL = "argux-incident-7"


def refusal(status: int, errors: dict[str, str]) -> JIRAError:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps({"errorMessages": [], "errors": errors}).encode()
    return JIRAError(status_code=status, text="refused", response=response)


@dataclass
class Project:
    """A Jira project with fields that it does not take and fields that it wants, as the client shows it."""

    refused: set[str] = field(default_factory=set)
    wanted: dict[str, dict[str, Any]] = field(default_factory=dict)
    tickets: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: list[tuple[str, str]] = field(default_factory=list)
    tells_metadata: bool = True
    listed_as: str = "fields"

    def create_issue(self, *, fields: dict[str, Any], prefetch: bool) -> Any:
        errors = {name: f"Field '{name}' cannot be set." for name in fields if name in self.refused}
        errors |= {name: f"{about['name']} is required." for name, about in self.wanted.items() if not fields.get(name)}
        if errors:
            raise refusal(400, errors)
        key = f"SHOP-{len(self.tickets) + 1}"
        self.tickets[key] = fields
        return SimpleNamespace(key=key)

    def project(self, key: str) -> Any:
        return SimpleNamespace(issueTypes=[SimpleNamespace(id="1", name="Task")])

    def _get_json(self, path: str, params: dict[str, Any]) -> Any:
        assert path == "issue/createmeta/SHOP/issuetypes/1"
        if not self.tells_metadata:
            raise refusal(403, {})
        return {self.listed_as: [{"fieldId": name, "required": True, **about} for name, about in self.wanted.items()]}

    def search_issues(self, query: str, maxResults: int, fields: list[str]) -> Any:
        assert f'description ~ "\\"{LABEL}\\""' in query
        return [
            SimpleNamespace(key=key, fields=SimpleNamespace(description=ticket.get("description")))
            for key, ticket in self.tickets.items()
        ]

    def add_comment(self, key: str, text: str) -> None:
        self.comments.append((key, text))


def created(project: Project) -> str:
    fields = {
        "project": {"key": "SHOP"}, "issuetype": {"name": "Task"}, "summary": "Slow checkout",
        "description": "p95 rose", "labels": [LABEL], "priority": {"name": "High"},
    }  # fmt: skip
    return create_whole(cast(JIRA, project), fields, label=LABEL)


@pytest.mark.parametrize("refused", [{"priority"}, {"labels"}, {"description"}, {"priority", "labels", "description"}])
def test_a_ticket_is_made_without_the_fields_that_the_project_refuses(refused: set[str]) -> None:
    project = Project(refused=refused)
    assert created(project) == "SHOP-1"
    assert not refused & set(project.tickets["SHOP-1"])
    assert project.tickets["SHOP-1"]["summary"] == "Slow checkout"


def test_without_labels_the_ticket_is_found_again_by_its_description() -> None:
    project = Project(refused={"labels"})
    assert created(project) == created(project) == "SHOP-1"
    assert project.tickets["SHOP-1"]["description"].endswith(LABEL)


def test_a_refused_description_becomes_a_comment() -> None:
    project = Project(refused={"description"})
    created(project)
    assert project.comments == [("SHOP-1", "p95 rose")]


@pytest.mark.parametrize("listed_as", ["fields", "values"])
@pytest.mark.parametrize(
    ("about", "value"),
    [
        ({"allowedValues": [{"id": "3", "value": "Payments"}], "schema": {"type": "option"}}, {"id": "3"}),
        ({"allowedValues": [{"id": "3", "name": "Web"}], "schema": {"type": "array"}}, [{"id": "3"}]),
        (
            {"allowedValues": [{"id": "1"}, {"id": "2"}], "hasDefaultValue": True, "defaultValue": {"id": "2"}},
            {"id": "2"},
        ),
        ({"hasDefaultValue": True, "defaultValue": "none", "schema": {"type": "string"}}, "none"),
    ],
)
def test_a_required_field_gets_its_default_or_its_only_value(
    about: dict[str, Any], value: object, listed_as: str
) -> None:
    project = Project(wanted={"customfield_1": {"name": "Team", **about}}, listed_as=listed_as)
    assert created(project) == "SHOP-1"
    assert project.tickets["SHOP-1"]["customfield_1"] == value


@pytest.mark.parametrize("tells_metadata", [True, False])
def test_required_fields_that_only_a_person_can_fill_are_named(tells_metadata: bool) -> None:
    project = Project(
        wanted={
            "customfield_1": {"name": "Team", "allowedValues": [{"id": "1"}, {"id": "2"}]},
            "customfield_2": {"name": "Cost centre"},
        },
        tells_metadata=tells_metadata,
    )
    with pytest.raises(FieldsRequiredError, match="“Team”, “Cost centre”") as caught:
        created(project)
    assert caught.value.fields == ("Team", "Cost centre")
    assert caught.value.keys == ("customfield_1", "customfield_2")
    assert project.tickets == {}


def test_an_error_that_names_no_field_is_passed_on() -> None:
    class Broken(Project):
        def create_issue(self, *, fields: dict[str, Any], prefetch: bool) -> Any:
            raise refusal(400, {})

    with pytest.raises(JIRAError):
        created(Broken())
