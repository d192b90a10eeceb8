"""POST /api/deploys stores deploys, GET /api/deploys lists them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from tests.scenarios.bot.conftest import NOW
from workers.services import Services

DEPLOY = {
    "service": "shop",
    "version": "v42",
    "commit_sha": "3f2a9c1d5e8b7a6f4c3d2e1f0a9b8c7d6e5f4a3b",
    "repository": "acme/shop",
    "deployed_at": "2026-02-07T12:00:00Z",
    "deployed_by": "ana",
}


def test_a_deploy_is_listed_with_the_commit_it_replaced(
    client: TestClient, sender: dict[str, str], operator: dict[str, str]
) -> None:
    before = {**DEPLOY, "version": "v41", "commit_sha": "a" * 40, "deployed_at": "2026-02-07T10:00:00Z"}
    for deploy in (before, DEPLOY):
        assert client.post("/api/deploys", json=deploy, headers=sender).status_code == 201

    newest, oldest = client.get("/api/deploys", headers=operator).json()

    assert (newest["version"], newest["previous_commit_sha"]) == ("v42", "a" * 40)
    assert (oldest["version"], oldest["previous_commit_sha"]) == ("v41", None)


def test_the_same_deploy_sent_twice_is_one(
    client: TestClient, sender: dict[str, str], operator: dict[str, str]
) -> None:
    first = client.post("/api/deploys", json=DEPLOY, headers=sender)
    again = client.post("/api/deploys", json=DEPLOY, headers=sender)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    assert len(client.get("/api/deploys", headers=operator).json()) == 1


def test_a_deploy_without_its_commit_is_422_and_names_the_field(client: TestClient, sender: dict[str, str]) -> None:
    answer = client.post("/api/deploys", json={**DEPLOY, "commit_sha": ""}, headers=sender)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "commit_sha")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("commit_sha", "3f2a9c1…", "such as 3f2a9c1"),
        ("commit_sha", "HEAD", "`git rev-parse HEAD` prints it"),
        ("commit_sha", 7, "must be a text, not a whole number"),
        ("repository", "shop", "is not owner/name, such as acme/shop"),
        ("repository", "https://github.com/acme/shop", "is not owner/name, such as acme/shop"),
        ("service", "", "must have at least 1 character"),
        ("version", "v" * 201, "must have at most 200 characters"),
        ("deployed_at", "noon", "is not an ISO 8601 time, such as"),
    ],
)
def test_a_wrong_field_is_named_in_words_with_the_right_form(
    client: TestClient, sender: dict[str, str], field: str, value: object, said: str
) -> None:
    answer = client.post("/api/deploys", json={**DEPLOY, field: value}, headers=sender)

    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (422, field)
    assert said in error["message"]
    assert "regex" not in error["message"]
    assert "^" not in error["message"]


def test_a_deploy_without_a_key_is_401(client: TestClient) -> None:
    assert client.post("/api/deploys", json=DEPLOY).status_code == 401


UNTIMED = {name: value for name, value in DEPLOY.items() if name != "deployed_at"}


def test_a_retry_without_a_time_is_the_same_deploy(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    first = client.post("/api/deploys", json=UNTIMED, headers=sender)
    services.clock = lambda: NOW + timedelta(minutes=9)
    again = client.post("/api/deploys", json=UNTIMED, headers=sender)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {"id": first.json()["id"], "duplicate": True}


@pytest.mark.parametrize(
    ("other", "minutes"),
    [({}, 11), ({"deployed_at": "2026-02-07T12:31:00Z"}, 5), ({"commit_sha": "b" * 40}, 1), ({"version": "v43"}, 1)],
)
def test_a_notice_that_is_later_or_timed_or_different_is_another_deploy(
    client: TestClient, services: Services, sender: dict[str, str], other: dict[str, str], minutes: int
) -> None:
    client.post("/api/deploys", json=UNTIMED, headers=sender)
    services.clock = lambda: NOW + timedelta(minutes=minutes)

    assert client.post("/api/deploys", json={**UNTIMED, **other}, headers=sender).status_code == 201


def clock_at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def test_going_back_to_a_version_within_minutes_is_a_deploy(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    answers = []
    for minute, version in enumerate(["v42", "v43", "v42"]):
        services.clock = clock_at(NOW + timedelta(minutes=minute))
        answers.append(client.post("/api/deploys", json={**UNTIMED, "version": version}, headers=sender).status_code)

    assert answers == [201, 201, 201]
