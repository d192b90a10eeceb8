"""The fields that only a person can fill: how each is asked for, and what the answer becomes for Jira."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.errors import RejectedError
from integrations.jira.fields import MOST_CHOICES, askable, value_of
from integrations.protocols import TicketField

TEAMS = [
    {"id": "11", "value": "Payments"},
    {"id": "12", "value": "Search"},
    {"id": "13", "value": "Old", "disabled": True},
]


def about(kind: str, **more: Any) -> dict[str, Any]:
    schema = {"type": kind, **more.pop("schema", {})}
    return {"fieldId": "customfield_1", "name": "Team", "required": True, "schema": schema, **more}


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        (about("string"), TicketField("customfield_1", "Team")),
        (
            about("option", allowedValues=TEAMS),
            TicketField("customfield_1", "Team", choices=(("11", "Payments"), ("12", "Search"))),
        ),
        (
            about("array", allowedValues=[{"id": "5", "name": "Web"}], schema={"items": "component"}),
            TicketField("customfield_1", "Team", choices=(("5", "Web"),)),
        ),
        (about("number"), TicketField("customfield_1", "Team", hint="A number")),
        (about("date"), TicketField("customfield_1", "Team", hint="A day, such as 2026-11-30")),
        (
            about("array", schema={"items": "string"}),
            TicketField("customfield_1", "Team", hint="Words, with commas between them"),
        ),
        (about("user"), TicketField("customfield_1", "Team", fault="a field of the kind user")),
        (
            about("array", schema={"items": "user"}),
            TicketField("customfield_1", "Team", fault="a list of the kind user"),
        ),
    ],
)
def test_each_kind_of_field_is_asked_for_in_its_way(field: dict[str, Any], asked: TicketField) -> None:
    assert askable(field) == asked


def test_a_field_with_more_values_than_a_list_holds_is_typed() -> None:
    many = [{"id": str(number), "value": f"Team {number}"} for number in range(MOST_CHOICES + 1)]
    asked = askable(about("option", allowedValues=many))
    assert asked.choices == ()
    assert "Team 0" in asked.hint
    assert value_of(about("option", allowedValues=many), " team 100 ") == {"id": "100"}


@pytest.mark.parametrize(
    ("field", "answer", "value"),
    [
        (about("string"), " by hand ", "by hand"),
        (about("option", allowedValues=TEAMS), "12", {"id": "12"}),
        (about("option", allowedValues=TEAMS), "payments", {"id": "11"}),
        (about("array", allowedValues=TEAMS, schema={"items": "option"}), "11", [{"id": "11"}]),
        (about("string", allowedValues=["red", "blue"]), "Blue", "blue"),
        (about("number"), "3", 3),
        (about("number"), "0.5", 0.5),
        (about("date"), "2026-11-30", "2026-11-30"),
        (about("array", schema={"items": "string"}), "a b, c,", ["a b", "c"]),
        (about("array", schema={"items": "string", "custom": "com.atlassian:labels"}), "a b, c", ["a-b", "c"]),
    ],
)
def test_an_answer_becomes_what_jira_takes(field: dict[str, Any], answer: str, value: object) -> None:
    assert value_of(field, answer) == value


@pytest.mark.parametrize(
    ("field", "answer", "words"),
    [
        (about("option", allowedValues=TEAMS), "Nobody", "is none of its values"),
        (about("option", allowedValues=TEAMS), "13", "is none of its values"),
        (about("number"), "many", "is no number"),
        (about("number"), "nan", "is no number"),
        (about("date"), "tomorrow", "is no day such as 2026-11-30"),
    ],
)
def test_an_answer_that_the_field_does_not_accept_is_named(field: dict[str, Any], answer: str, words: str) -> None:
    with pytest.raises(RejectedError, match=f"“Team”: “{answer}” {words}"):
        value_of(field, answer)
