"""What product libraries call beside events is answered in their shape; nothing crashes in the application."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from workers.services import Services

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PROFILE = {"$token": "KEY", "$distinct_id": "u1", "$set": {"plan": "gold"}}
GROUP = {"$token": "KEY", "$group_key": "company", "$group_id": "7", "$set": {"seats": 3}}
FLAGS_BODY = {"token": "KEY", "distinct_id": "u1", "groups": {}}
SNAPSHOT = [{"event": "$snapshot", "properties": {"token": "KEY", "$snapshot_data": []}}]


@pytest.fixture
def key(sender: dict[str, str]) -> str:
    return sender["Authorization"].removeprefix("Bearer ")


def with_key(body: Any, key: str) -> str:
    return json.dumps(body).replace("KEY", key)


def as_form(data: str) -> str:
    return urlencode({"data": data, "verbose": 1, "ip": 0})


def as_base64(data: str) -> str:
    return urlencode({"data": base64.b64encode(data.encode()).decode(), "verbose": 1})


BESIDE = [
    ("/engage", PROFILE), ("/engage/", [PROFILE, PROFILE]), ("/groups", GROUP), ("/groups/", [GROUP]),
    ("/decide/?v=3", FLAGS_BODY), ("/flags/?v=2", FLAGS_BODY), ("/flags/?v=4", {**FLAGS_BODY, "api_key": "KEY"}),
    ("/s/", SNAPSHOT), ("/v1/m", {"series": [], "writeKey": "KEY"}), ("/groupidentify", {"api_key": "KEY"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body"), BESIDE)
@pytest.mark.parametrize("form", [None, as_form, as_base64])
def test_a_call_beside_events_is_accepted_and_left_aside(
    client: TestClient, services: Services, key: str, path: str, body: Any, form: Any
) -> None:
    text = with_key(body, key)
    answer = (
        client.post(path, content=form(text), headers=FORM)
        if form
        else client.post(path, content=text, headers={"Content-Type": "application/json"})
    )
    assert answer.status_code == 200, answer.text
    assert list(services.telemetry.recent_events()) == []


@pytest.mark.parametrize(("path", "body"), BESIDE)
def test_a_wrong_key_is_refused_there_too(client: TestClient, path: str, body: Any) -> None:
    assert client.post(path, json=json.loads(with_key(body, "argux_wrong"))).status_code == 401


@pytest.mark.parametrize(("path", "body"), [("/engage", PROFILE), ("/engage/", PROFILE), ("/groups/", GROUP)])
def test_mixpanels_library_for_node_sends_profiles_in_the_address_and_reads_a_1(
    client: TestClient, services: Services, key: str, path: str, body: Any
) -> None:
    data = base64.b64encode(with_key(body, key).encode()).decode()
    assert client.get(path, params={"data": data, "ip": 0, "verbose": 0}).text == "1"
    assert client.get(path, params={"data": data}).text == "1"
    assert client.get(path, params={"data": data, "verbose": 1}).json()["status"] == 1
    form = urlencode({"data": data, "verbose": 0})
    assert client.post(f"{path}?verbose=0", content=form, headers=FORM).text == "1"
    assert list(services.telemetry.recent_events()) == []


@pytest.mark.parametrize("data", ["", "%%%", base64.b64encode(b'{"$token": "argux_wrong"}').decode()])
def test_a_profile_in_the_address_without_a_good_key_is_refused_in_mixpanels_shape(
    client: TestClient, data: str
) -> None:
    answer = client.get("/engage", params={"data": data, "verbose": 0})
    assert answer.status_code in (400, 401)
    assert answer.json()["status"] == 0


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'"x"', b"[[[", b"{}", b'{"a": NaN}'])
@pytest.mark.parametrize("path", ["/track", "/import", "/engage", "/groups"])
def test_mixpanels_libraries_find_their_status_in_every_answer(client: TestClient, path: str, body: bytes) -> None:
    for headers in (FORM, {"Content-Type": "application/json"}, {"Content-Type": "image/png"}):
        answer = client.post(path, content=body, headers=headers).json()
        assert answer["status"] == 0
        assert answer["error"]


def test_a_posthog_client_hears_that_there_are_no_flags(client: TestClient, key: str) -> None:
    answer = client.post("/flags/?v=2", json={"token": key, "distinct_id": "u1"}).json()
    assert (answer["featureFlags"], answer["flags"], answer["errorsWhileComputingFlags"]) == ({}, {}, False)


def test_a_browser_may_ask_for_flags_and_send_profiles(client: TestClient, key: str) -> None:
    for path, body in (("/flags/", FLAGS_BODY), ("/engage/", PROFILE)):
        answer = client.post(
            path, content=as_base64(with_key(body, key)), headers={**FORM, "Origin": "https://shop.example"}
        )
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize("many", [False, True])
def test_amplitudes_identify_is_the_event_of_its_uploads(
    client: TestClient, services: Services, key: str, many: bool
) -> None:
    told = {"user_id": "u1", "device_id": "d1", "user_properties": {"plan": "gold"}}
    form = urlencode({"api_key": key, "identification": json.dumps([told] if many else told)})
    answer = client.post("/identify", content=form, headers=FORM)
    assert (answer.status_code, answer.text) == (200, "success")
    [event] = services.telemetry.recent_events()
    assert (event.event, event.user_id) == ("$identify", "u1")
    assert event.properties["user_properties"] == {"plan": "gold"}


def test_amplitudes_identify_without_a_person_is_refused_with_the_reason(client: TestClient, key: str) -> None:
    form = urlencode({"api_key": key, "identification": '{"user_properties": {}}'})
    answer = client.post("/identify", content=form, headers=FORM)
    assert answer.status_code == 400
    assert "user_id" in answer.json()["error"]


@pytest.mark.parametrize(
    ("letter", "event"),
    [("i", "identify"), ("t", "Paid"), ("p", "page"), ("s", "screen"), ("g", "group"), ("a", "alias")],
)
def test_analytics_js_names_a_kind_by_its_first_letter(
    client: TestClient, services: Services, key: str, letter: str, event: str
) -> None:
    body = {"userId": "u1", "event": "Paid", "writeKey": key, "timestamp": "2026-02-07T12:00:00Z"}
    answer = client.post(f"/v1/{letter}", content=json.dumps(body), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200, answer.text
    assert [found.event for found in services.telemetry.recent_events()] == [event]
