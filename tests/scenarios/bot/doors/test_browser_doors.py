"""Browsers may post to the doors from any site, and to nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

if TYPE_CHECKING:
    # Starlette's test client is typed with httpx2 where that is installed.
    from httpx2 import Response

EVENT = {"event": "page_view", "properties": {"user_id": "u1", "timestamp": "2026-02-07T12:00:00Z"}}
SITE = {"Origin": "https://shop.example"}
OPEN = [
    "/api/events",
    "/e/",
    "/capture/",
    "/batch",
    "/2/httpapi",
    "/v1/track",
    "/track/",
    "/v1/traces",
    "/api/1/envelope/",
]
CLOSED = ["/api/funnels", "/api/incidents", "/api/deploys", "/slack/events", "/github/webhooks", "/aws/sns", "/health"]


def preflight(
    client: TestClient, path: str, method: str = "POST", headers: str = "authorization,content-type"
) -> Response:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return client.options(path, headers={**SITE, **asked})


@pytest.mark.parametrize("path", OPEN)
def test_a_preflight_is_answered_without_a_key(client: TestClient, path: str) -> None:
    answer = preflight(client, path, headers="content-type,x-api-key,content-encoding,x-of-a-library")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("content-type", "x-api-key", "content-encoding", "x-of-a-library"))
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_page_of_another_site_may_read_the_answer_and_the_refusal(client: TestClient, sender: dict[str, str]) -> None:
    stored = client.post("/api/events", json=EVENT, headers={**sender, **SITE})
    refused = client.post("/api/events", json=EVENT, headers=SITE)
    assert (stored.status_code, refused.status_code) == (201, 401)
    for answer in (stored, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", CLOSED)
def test_all_other_routes_are_closed_to_other_sites(client: TestClient, operator: dict[str, str], path: str) -> None:
    answers = [preflight(client, path), client.get(path, headers={**operator, **SITE}), client.post(path, headers=SITE)]
    assert not any("Access-Control-Allow-Origin" in answer.headers for answer in answers)


def test_stored_events_cannot_be_read_from_another_site(client: TestClient, operator: dict[str, str]) -> None:
    listed = client.get("/api/events", headers={**operator, **SITE})
    assert (listed.status_code, listed.headers.get("Access-Control-Allow-Origin")) == (200, None)
    assert preflight(client, "/api/events", method="GET").status_code == 400


def test_without_an_origin_no_cors_header_is_added(client: TestClient, sender: dict[str, str]) -> None:
    assert "Access-Control-Allow-Origin" not in client.post("/api/events", json=EVENT, headers=sender).headers
