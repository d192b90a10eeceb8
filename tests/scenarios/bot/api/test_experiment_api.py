"""Two variants compared over HTTP: a difference, no difference, too little data, and invalid requests."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.scenarios.bot.api.counted_variants import visit
from workers.services import Services

ASKED = "property=country&a=control&b=new"


def test_a_variant_that_converts_better_is_reported_with_its_difference_and_bounds(
    client: TestClient, services: Services, operator: dict[str, str], funnel: str
) -> None:
    visit(services, "control", users=400, convert=40, hours_ago=30)
    visit(services, "new", users=400, convert=80, hours_ago=30)

    answer = client.get(f"{funnel}/experiment?{ASKED}", headers=operator).json()

    assert answer["state"] == "difference"
    assert answer["text"].startswith(
        "new converts better than control: 20.0 % of 400 entries against 10.0 % of 400 entries, "
        "a difference of +10.0 points ("
    )
    assert (answer["a"]["converted"], answer["b"]["conversion_rate"]) == (40, 0.2)
    assert answer["p_value"] < 0.001
    assert 0 < answer["difference"]["low"] < answer["difference"]["value"] == pytest.approx(0.1)
    assert answer["relative_difference"]["value"] == pytest.approx(1.0)


def test_without_a_difference_the_answer_says_how_many_more_entries_are_needed(
    client: TestClient, services: Services, operator: dict[str, str], funnel: str
) -> None:
    visit(services, "control", users=100, convert=20, hours_ago=30)
    visit(services, "new", users=100, convert=22, hours_ago=30)

    answer = client.get(f"{funnel}/experiment?{ASKED}", headers=operator).json()

    assert answer["state"] == "no_difference_shown"
    assert 20_000 < answer["more_entries_needed"] < 30_000
    assert (
        f"about {answer['more_entries_needed']:,} more entries a side would be needed to see one of 5 %"
        in answer["text"]
    )


def test_too_few_entries_are_insufficient_data(
    client: TestClient, services: Services, operator: dict[str, str], funnel: str
) -> None:
    visit(services, "control", users=10, convert=1, hours_ago=30)
    visit(services, "new", users=10, convert=9, hours_ago=30)

    answer = client.get(f"{funnel}/experiment?{ASKED}", headers=operator).json()

    assert (answer["state"], answer["text"][:15]) == ("insufficient_data", "Too few entries")


def test_entries_that_may_still_convert_and_entries_of_earlier_days_do_not_count(
    client: TestClient, services: Services, operator: dict[str, str], funnel: str
) -> None:
    for hours_ago, users in ((0.2, 50), (30, 60), (80, 70)):
        visit(services, "control", users=users, convert=5, hours_ago=hours_ago)
        visit(services, "new", users=users, convert=5, hours_ago=hours_ago)

    answer = client.get(f"{funnel}/experiment?{ASKED}&days=2", headers=operator).json()

    assert (answer["a"]["entries"], answer["b"]["entries"]) == (60, 60)


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ("property=plan&a=x&b=y", "property", "Add it to SEGMENT_DIMENSIONS"),
        ("property=country&a=control&b=control", "b", "cannot be compared with itself"),
        ("property=country&a=control&b=gone", "b", "Seen were: control."),
        ("property=country&a=gone&b=control", "a", "Seen were: control."),
        ("property=country&a=control", "b", "required"),
        ("property=country&a=control&b=new&days=36", "days", "35"),
    ],
)
def test_an_invalid_comparison_is_refused_with_what_to_fix(
    client: TestClient, services: Services, operator: dict[str, str], funnel: str, asked: str, field: str, words: str
) -> None:
    visit(services, "control", users=5, convert=1, hours_ago=30)

    answer = client.get(f"{funnel}/experiment?{asked}", headers=operator)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert words in answer.json()["error"]["message"]


def test_a_comparison_needs_an_operator_key_and_an_existing_funnel(
    client: TestClient, operator: dict[str, str], sender: dict[str, str], funnel: str
) -> None:
    assert client.get(f"{funnel}/experiment?{ASKED}", headers=sender).status_code == 403
    assert client.get(f"/api/funnels/99/experiment?{ASKED}", headers=operator).status_code == 404
