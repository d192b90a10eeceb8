"""Texts and values that a database cannot store are refused with the field's path and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.web.app import create_app
from tests.scenarios.bot.api.test_funnel_api import SIGNUP
from tests.scenarios.bot.conftest import NOW, headers_of
from workers.services import Services
from workers.settings import Settings

NUL = "a\x00b"
FIRST = SIGNUP["steps"][0]


def with_filter(event: str = "signed_up", properties: Any = None) -> dict[str, Any]:
    """Return the signup funnel with another filter in its second step."""
    step = {"name": "sign up", "event_filter": {"event": event, "properties": properties or {}}}
    return {**SIGNUP, "steps": [FIRST, step]}


@pytest.fixture
def operator_client(database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    """Return a client with an operator key and one funnel, on SQLite and on PostgreSQL."""
    settings = Settings(
        _env_file=None, database_url=database_url, argux_data_dir=tmp_path, audit_key=SecretStr("an audit key")
    )
    services = Services(settings, clock=lambda: NOW)
    with TestClient(create_app(services), headers=headers_of(services, "ana", "operator")) as client:
        client.post("/api/funnels", json=SIGNUP).raise_for_status()
        yield client
    services.engine.dispose()


def test_a_nul_in_a_text_that_reaches_the_database_is_422_with_its_field(operator_client: TestClient) -> None:
    other = {**SIGNUP, "name": "Other"}
    bodies: list[tuple[str, str, dict[str, Any], str]] = [
        ("POST", "/api/funnels", {**SIGNUP, "name": NUL}, "name"),
        ("POST", "/api/funnels", {**other, "steps": [{**FIRST, "name": NUL}, SIGNUP["steps"][1]]}, "steps[0].name"),
        ("POST", "/api/funnels", with_filter(event=NUL), "steps[1].event_filter.event"),
        ("POST", "/api/funnels", with_filter(properties={"x": NUL}), "steps[1].event_filter.properties.x"),
        ("POST", "/api/funnels", with_filter(properties={NUL: "x"}), f"steps[1].event_filter.properties.{NUL}"),
        ("PATCH", "/api/funnels/1", {"name": NUL}, "name"),
        ("POST", "/api/metrics/limits", {"name": NUL, "limit": 1}, "name"),
        ("POST", "/api/metrics/limits", {"name": "queue", "service": NUL, "limit": 1}, "service"),
        ("POST", "/api/maintenance", {"service": NUL, "minutes": 5}, "service"),
        ("POST", "/api/maintenance", {"minutes": 5, "reason": NUL}, "reason"),
        ("POST", "/api/logs/analyze", {"lines": ["one"], "service": NUL}, "service"),
        ("POST", "/api/logs/patterns", {"name": "one", "expression": NUL}, "expression"),
        ("POST", "/api/logs/patterns", {"name": NUL, "expression": "one"}, "name"),
    ]
    for method, path, body, field in bodies:
        answer = operator_client.request(method, path, json=body)
        assert (path, answer.status_code, answer.json()["error"]["field"]) == (path, 422, field)

    for method, path, field in [
        ("GET", "/api/metrics?name=a%00", "name"),
        ("GET", "/api/metrics?service=a%00", "service"),
        ("GET", "/api/events?event=a%00", "event"),
        ("GET", "/api/deploys?service=a%00", "service"),
        ("GET", "/api/logs/recent?service=a%00", "service"),
        ("GET", "/api/funnels/1/metrics?dimension=a%00", "dimension"),
        ("GET", "/api/funnels/1/experiment?property=variant&a=a%00&b=b", "a"),
        ("DELETE", "/api/logs/patterns/a%00", "name"),
        ("DELETE", "/api/users/a%00", "user_id"),
    ]:
        answer = operator_client.request(method, path)
        assert (path, answer.status_code, answer.json()["error"]["field"]) == (path, 422, field)
        assert "NUL" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "value",
    ["[1]", "{}", "null", "NaN", "Infinity", "-1e999", "1" + "0" * 400, r'"\ud800"', r'"\u0000"'],
    ids=["a list", "an object", "null", "NaN", "infinity", "too small", "too large", "half a pair", "NUL"],
)
def test_a_property_that_is_no_text_number_or_boolean_is_refused_by_its_name(
    client: TestClient, operator: dict[str, str], value: str
) -> None:
    body = json.dumps(with_filter(properties={"x": "THE VALUE"})).replace('"THE VALUE"', value)

    answer = client.post("/api/funnels", content=body, headers={**operator, "Content-Type": "application/json"})

    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["field"] == "steps[1].event_filter.properties.x"
    assert all(word in error["message"] for word in ("text", "number", "true or false"))
    assert "others" not in error


def test_properties_of_every_allowed_type_are_stored_unchanged(client: TestClient, operator: dict[str, str]) -> None:
    properties = {"plan": "pro", "seats": 3, "price": 9.5, "trial": True, "huge": 1e308, "empty": ""}

    made = client.post("/api/funnels", json=with_filter(properties=properties), headers=operator)

    assert made.status_code == 201
    kept = made.json()["steps"][1]["event_filter"]["properties"]
    assert [(name, type(value), value) for name, value in kept.items()] == [
        (name, type(value), value) for name, value in properties.items()
    ]


def test_broken_json_is_refused_with_the_position_in_the_body(client: TestClient, operator: dict[str, str]) -> None:
    headers = {**operator, "Content-Type": "application/json"}

    error = client.post("/api/funnels", content='{"name":x', headers=headers).json()["error"]

    assert error["field"] == "body"
    assert "the JSON is broken at character 8" in error["message"]


def test_a_limit_too_large_for_a_float_is_refused(client: TestClient, operator: dict[str, str]) -> None:
    headers = {**operator, "Content-Type": "application/json"}

    answer = client.post("/api/metrics/limits", content='{"name": "q", "limit": 1' + "0" * 400 + "}", headers=headers)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "limit")


def test_a_validation_message_has_no_prefix_of_pydantic(client: TestClient, operator: dict[str, str]) -> None:
    error = client.post("/api/funnels", json={**SIGNUP, "steps": [FIRST, FIRST]}, headers=operator).json()["error"]

    assert error["message"] == "steps: two steps are called 'view'; give each a name of its own"
