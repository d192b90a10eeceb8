"""Mixpanel's library for Node puts one event into the address, and reads 1 or 0."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.scenarios.bot.conftest import NOW


def address(event: dict[str, Any] | list[Any], **options: str) -> str:
    data = b64encode(json.dumps(event).encode()).decode()
    return str(_url("/track", {"data": data, **options}))


def _url(path: str, query: dict[str, str]) -> Any:
    import httpx

    return httpx.URL(path, params=query)


def paid(token: str, **properties: Any) -> dict[str, Any]:
    own = {"token": token, "distinct_id": "u1", "time": int(NOW.timestamp()), **properties}
    return {"event": "paid", "properties": own}


@pytest.fixture
def token(sender: dict[str, str]) -> str:
    return sender["Authorization"].removeprefix("Bearer ")


def events(client: TestClient, operator: dict[str, str]) -> list[dict[str, Any]]:
    return list(client.get("/api/events", headers=operator).json()["events"])


def test_an_event_in_the_address_is_stored_and_answered_with_1(
    client: TestClient, operator: dict[str, str], token: str
) -> None:
    answer = client.get(address(paid(token, note="a+b=ü"), ip="0", verbose="0"))
    assert (answer.status_code, answer.text) == (200, "1")
    [event] = events(client, operator)
    assert (event["event"], event["user_id"], event["properties"]) == ("paid", "u1", {"note": "a+b=ü"})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_asks_for_words_gets_json_and_who_wants_none_gets_a_digit(
    client: TestClient, token: str, method: str
) -> None:
    good, bad = paid(token), {"event": "paid", "properties": {"token": token}}
    answers = []
    for event in (good, bad):
        for verbose in ("0", "1"):
            url = address(event, verbose=verbose)
            if method == "GET":
                answers.append(client.get(url))
            else:
                answers.append(client.post(f"/track?verbose={verbose}", json=[event]))
    assert [answer.text for answer in answers[::2]] == ["1", "0"]
    assert [answer.json()["status"] for answer in answers[1::2]] == [1, 0]
    assert "distinct_id" in answers[3].json()["error"]


@pytest.mark.parametrize("token", ["argux_wrong", ""])
def test_without_a_key_of_ours_nothing_is_stored(client: TestClient, operator: dict[str, str], token: str) -> None:
    assert client.get(address(paid(token))).status_code == 401
    assert events(client, operator) == []


@pytest.mark.parametrize("query", ["", "?data=", "?data=%ff", "?data=bm90", "?ip=0", "?data=" + "%7B" * 2000])
def test_an_odd_address_is_refused_with_a_reason(client: TestClient, query: str) -> None:
    answer = client.get(f"/track{query}")
    assert answer.status_code in (400, 401)
    assert answer.json()["error"]
