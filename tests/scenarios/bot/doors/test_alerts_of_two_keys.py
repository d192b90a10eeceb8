"""An alert counts within the API key that it came with; so do all ids that senders count up themselves."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from bot.reception.scoping import scoped
from detection.types import Event, LogRecord, MetricPoint
from storage.alerts import FIRING, RESOLVED
from storage.models import Alert, Deploy
from tests.scenarios.bot.doors.test_ids_of_two_applications import key, send_event
from workers.services import Services

BEGUN, ENDED = "2026-02-07T12:00:00Z", "2026-02-07T12:20:00Z"


def send(client: TestClient, headers: dict[str, str], status: str = FIRING) -> Any:
    alert = {
        "status": status, "labels": {"alertname": "Down", "service": "shop", "severity": "critical"},
        "annotations": {"value": "3"}, "startsAt": BEGUN, "endsAt": ENDED if status == RESOLVED else "",
        "fingerprint": "a1b2c3d4e5f60718",
    }  # fmt: skip
    body = {"version": "4", "groupKey": "{}:{}", "alerts": [alert]}
    answer = client.post("/alertmanager/webhook", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def states(services: Services) -> list[str]:
    with services.readers() as session:
        return list(session.scalars(select(Alert.state).order_by(Alert.id)))


def test_one_alert_of_two_alertmanagers_is_two_and_the_end_of_one_is_not_the_end_of_the_other(
    client: TestClient, services: Services
) -> None:
    europe, america = key(services, "europe"), key(services, "america")
    assert [send(client, one)["accepted"] for one in (europe, america)] == [1, 1]
    assert [send(client, one)["duplicates"] for one in (europe, america)] == [1, 1]
    assert states(services) == [FIRING, FIRING]
    send(client, europe, RESOLVED)
    assert states(services) == [RESOLVED, FIRING]


def test_the_alertmanagers_of_one_cluster_share_a_key_and_send_one_alert(
    client: TestClient, services: Services
) -> None:
    cluster = key(services, "cluster")
    for _ in range(2):
        send(client, cluster)
    assert states(services) == [FIRING]


def test_an_alert_that_an_earlier_version_stored_is_gone_on_with(client: TestClient, services: Services) -> None:
    from detection.types import AlertChange
    from storage.alerts import fingerprint_of

    old = fingerprint_of(AlertChange("a1b2c3d4e5f60718", "alertmanager", "Down", "shop", None, True, 0.0))
    europe = key(services, "europe")
    send(client, europe)
    with services.sessions.begin() as session:
        session.execute(update(Alert).values(fingerprint=old))
    send(client, europe, RESOLVED)
    assert states(services) == [RESOLVED]


@pytest.mark.parametrize("number", ["1770465600000000", "0000000000000001", "12345678901234567890123456789012"])
def test_a_long_number_is_a_count_and_no_digest(client: TestClient, services: Services, number: str) -> None:
    web, app = key(services, "web"), key(services, "app")
    assert [send_event(client, one, number) for one in (web, app, web)] == [(1, 0), (1, 0), (0, 1)]


def library_posts(number: str) -> list[tuple[str, Any]]:
    at = "2026-02-07T12:00:00Z"
    return [
        ("/batch/", {"batch": [{"event": "e", "distinct_id": "u", "uuid": number, "timestamp": at, "properties": {}}]}),
        ("/v1/batch", {"batch": [{"type": "track", "event": "e", "userId": "u", "messageId": number}]}),
        ("/v1/track", {"event": "e", "userId": "u", "timestamp": at}),
        ("/2/httpapi", {"events": [{"event_type": "e", "user_id": "u", "insert_id": number, "time": 1770465600000}]}),
        ("/track", [{"event": "e", "properties": {"distinct_id": "u", "time": 1770465600}}]),
        ("/import", [{"event": "e", "properties": {"distinct_id": "u", "$insert_id": number, "time": 1770465600}}]),
    ]  # fmt: skip


@pytest.mark.parametrize("place", range(6))
def test_the_ids_of_every_products_library_count_within_the_key(
    client: TestClient, services: Services, place: int
) -> None:
    path, body = library_posts("order-1")[place]
    for headers in (key(services, "web"), key(services, "app")):
        for _ in range(2):
            assert client.post(path, json=body, headers=headers).status_code == 200
    assert len(services.telemetry.recent_events()) == 2


def test_two_applications_may_deploy_the_same_version_and_one_deploy_may_be_told_twice(
    client: TestClient, services: Services
) -> None:
    pipeline, other = key(services, "pipeline"), key(services, "other")
    deploy = {"version": "1.0", "commit_sha": "3f2a9c1", "repository": "acme/shop", "deployed_at": BEGUN}
    for headers, service in ((pipeline, "shop"), (other, "mail"), (other, "shop")):
        client.post("/api/deploys", json={**deploy, "service": service}, headers=headers)
    with services.readers() as session:
        assert sorted(session.scalars(select(Deploy.service))) == ["mail", "shop"]


def test_what_is_the_same_whoever_sends_it_keeps_its_id() -> None:
    point = MetricPoint("p", "cpu", "shop", 0.0, 1.0)
    assert scoped([point], "web") == [point]
    digest = "0af7651916cd43dd8448eb211c80319c"
    event, record = Event(digest, "e", "u", 0.0, {}), LogRecord(digest, "shop", None, 0.0, "INFO", "x")
    assert scoped([event, record], "web") == [event, record]
