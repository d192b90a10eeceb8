"""Too many requests in flight, bodies that are too large, a database that is unavailable."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from bot.reception.gate import Limits
from bot.web.app import create_app
from detection.types import Event
from workers.services import Services

EVENT = {"event": "page_view", "properties": {"user_id": "u1", "timestamp": "2026-02-07T12:00:00Z"}}

OpenClient = Callable[[Limits], TestClient]


@pytest.fixture
def open_client(services: Services) -> OpenClient:
    return lambda limits: TestClient(create_app(services, limits=limits))


def test_a_body_with_a_content_length_over_the_limit_is_413(open_client: OpenClient, sender: dict[str, str]) -> None:
    answer = open_client(Limits(body_bytes=50)).post("/api/events", json=EVENT, headers=sender)

    assert answer.status_code == 413
    assert "0.00005 MB" in answer.json()["error"]["message"].replace("5e-05", "0.00005")


def test_a_body_slightly_over_the_limit_is_reported_in_bytes(open_client: OpenClient, sender: dict[str, str]) -> None:
    headers = {**sender, "Content-Type": "application/json", "Content-Length": "10000003"}

    answer = open_client(Limits()).post("/api/events", content=b"{}", headers=headers)

    message = "The body is 10,000,003 bytes; this door takes 10 MB at once."
    assert (answer.status_code, answer.json()["error"]["message"]) == (413, message)


def test_a_body_without_a_content_length_is_cut_off_at_the_limit(
    open_client: OpenClient, sender: dict[str, str]
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1000

    headers = {**sender, "Content-Type": "application/json"}
    answer = open_client(Limits(body_bytes=5000)).post("/api/events", content=chunks(), headers=headers)

    assert answer.status_code == 413


def test_a_small_body_that_decompresses_over_the_limit_is_413(open_client: OpenClient, sender: dict[str, str]) -> None:
    bomb = gzip.compress(b'{"event": "' + b"a" * 1_000_000 + b'"}')
    headers = {**sender, "Content-Type": "application/json", "Content-Encoding": "gzip"}

    answer = open_client(Limits(decoded_bytes=100_000)).post("/api/events", content=bomb, headers=headers)

    assert answer.status_code == 413


def test_too_many_requests_are_429_with_retry_after(open_client: OpenClient, sender: dict[str, str]) -> None:
    answer = open_client(Limits(requests_in_flight=0)).post("/api/events", json=EVENT, headers=sender)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_too_many_bytes_in_flight_are_429_with_retry_after(open_client: OpenClient, sender: dict[str, str]) -> None:
    answer = open_client(Limits(bytes_in_flight=10)).post("/api/events", json=EVENT, headers=sender)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_a_refused_body_frees_its_place_for_the_next(open_client: OpenClient, sender: dict[str, str]) -> None:
    client = open_client(Limits(requests_in_flight=1, bytes_in_flight=1000))

    refused = client.post("/api/events", json=[EVENT] * 50, headers=sender)
    welcome = client.post("/api/events", json=EVENT, headers=sender)

    assert (refused.status_code, welcome.status_code) == (429, 201)


class LockedStore:
    """A telemetry store whose database stays locked for longer than any request waits."""

    def append_event_groups(self, groups: list[list[Event]]) -> None:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))


def test_a_locked_database_is_503_with_retry_after(services: Services, sender: dict[str, str]) -> None:
    services.telemetry = LockedStore()  # type: ignore[assignment]

    answer = TestClient(create_app(services)).post("/api/events", json=EVENT, headers=sender)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "send it again" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/api/events", "/v1/batch", "/api/deploys", "/api/v2/logs"])
@pytest.mark.parametrize("credentials", ["!!!", "w7w6w7w=", "bm8gY29sb24="])
def test_unreadable_basic_authentication_is_401_in_our_format_and_counted(
    services: Services, path: str, credentials: str
) -> None:
    app = create_app(services)
    answer = TestClient(app).post(path, json=EVENT, headers={"Authorization": f"Basic {credentials}"})

    assert answer.status_code == 401
    assert "base64 of USER:PASSWORD" in answer.json()["error"]["message"]
    counted = [
        sample.value
        for metric in app.state.metrics.rejected.collect()
        for sample in metric.samples
        if sample.labels.get("reason") == "unauthorized" and sample.name.endswith("_total")
    ]
    assert counted == [1]
