"""The doors for flags, commits, Kubernetes, the service map and status feeds: stored once, refused by field."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from bot.reception import beside
from bot.web.app import create_app
from detection.types import EdgeKind, ServiceEdge, ServicePlace
from storage.surroundings import commits, flags, orchestrator, provider_statuses, service_map
from tests.scenarios.bot.conftest import NOW
from workers.services import Services

SECRET = "a webhook secret"
DAY = timedelta(days=1)
SHA = "3f2a9c1d5e8b7a6f4c3d2e1f0a9b8c7d6e5f4a3b"
COMMIT = {
    "sha": SHA, "committed_at": "2026-02-07T12:00:00Z", "repository": "acme/shop", "message": "Refresh sooner",
    "files": [{"path": "src/cache.py", "patch": "@@ -1 +1 @@\n-TTL = 300\n+TTL = 3\n"}],
}  # fmt: skip
EVENT = {
    "kind": "Event", "metadata": {"uid": "u-1"}, "involvedObject": {"kind": "Pod", "name": "cart-5d8f7c9b4d-x2x9z"},
    "reason": "BackOff", "message": "password=hunter2hunter2 refused", "lastTimestamp": "2026-02-07T12:00:00Z",
}  # fmt: skip
STATUS = {
    "page": {"name": "Payments Inc"},
    "incidents": [{"id": "p31", "name": "Errors", "impact": "major", "created_at": "2026-02-07T12:00:00Z"}],
}


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    secrets = ("launchdarkly_webhook_secret", "flagsmith_webhook_secret", "github_webhook_secret")
    services.settings = services.settings.model_copy(update=dict.fromkeys(secrets, SecretStr(SECRET)))
    with TestClient(create_app(services)) as client:
        yield client


def at(services: Services, later: timedelta) -> None:
    services.clock = lambda: NOW + later


def test_a_flag_told_twice_is_kept_once(client: TestClient, services: Services, sender: dict[str, str]) -> None:
    change = {"flag": "new-checkout", "service": "cart", "after": True, "at": "2026-02-07T12:00:00Z"}
    first, again = (client.post("/api/flags", json=change, headers=sender) for _ in range(2))
    assert (first.status_code, first.json()) == (201, {"accepted": 1, "duplicates": 0})
    assert (again.status_code, again.json()) == (200, {"accepted": 0, "duplicates": 1})
    with services.readers() as session:
        [kept] = flags.flag_changes_between(session, NOW - DAY, NOW + DAY)
    assert (kept.flag, kept.service, kept.after) == ("new-checkout", "cart", "true")


def test_a_flag_without_a_time_that_was_turned_back_is_a_change_and_a_retry_is_none(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    answers = []
    for minute, after in enumerate(("on", "on", "off", "on")):
        at(services, timedelta(minutes=minute))
        answers.append(client.post("/api/flags", json={"flag": "f", "after": after}, headers=sender).json()["accepted"])
    assert answers == [1, 0, 1, 1]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/flags", {"flag": "f"}, "after"),
        ("/api/commits", [COMMIT, {**COMMIT, "sha": "HEAD"}], "[1].sha"),
        ("/api/commits", {**COMMIT, "files": [{"patch": ""}]}, "files[0].path"),
        ("/api/commits", {**COMMIT, "repository": "shop"}, "repository"),
        ("/api/events/kubernetes", {"items": [EVENT, {**EVENT, "reason": 7}], "kind": "List"}, "items[1].reason"),
        ("/api/service-map", {}, "services"),
        ("/api/service-map", {"edges": [{"from": "a"}]}, "edges[0].to"),
        ("/api/service-map", {"edges": [{"from": "a", "to": "b", "kind": "likes"}]}, "edges[0].kind"),
        ("/api/status-feeds", {"page": {"name": "x"}, "incidents": [{"name": "n"}]}, "incidents[0].id"),
        ("/api/service-map", {"edges": [{"from": "a", "to": "a"}]}, "edges[0].to"),
        ("/api/status-feeds", {"incidents": []}, "provider"),
        ("/unleash/webhook", {"type": "feature-environment-enabled"}, "featureName"),
    ],
)
def test_a_wrong_field_is_422_and_named(
    client: TestClient, sender: dict[str, str], path: str, body: Any, field: str
) -> None:
    answer = client.post(path, json=body, headers=sender)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


@pytest.mark.parametrize(
    "path",
    [
        "/api/flags",
        "/api/commits",
        "/api/events/kubernetes",
        "/api/service-map",
        "/api/status-feeds",
        "/unleash/webhook",
    ],
)
@pytest.mark.parametrize(
    ("body", "said"), [(b"", "it is empty"), (b" \n", "it is empty"), (b'{"a": ', "it breaks off")]
)
def test_a_body_that_is_empty_or_breaks_off_is_said_to_be_so(
    client: TestClient, sender: dict[str, str], path: str, body: bytes, said: str
) -> None:
    answer = client.post(path, content=body, headers={**sender, "Content-Type": "application/json"})
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]


def test_an_edge_of_another_kind_is_told_which_there_are(client: TestClient, sender: dict[str, str]) -> None:
    edge = {"from": "a", "to": "b", "kind": "likes"}
    answer = client.post("/api/service-map", json={"edges": [edge]}, headers=sender)
    assert "must be calls or stores, not 'likes'" in answer.json()["error"]["message"]


def test_a_commit_with_its_diff_is_kept_and_a_pushed_one_gets_its_diff_later(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    pushed = {
        "id": SHA, "message": "Refresh sooner", "timestamp": "2026-02-07T12:00:00Z", "author": {"username": "ana"},
        "modified": ["src/cache.py"],
    }  # fmt: skip
    push = {
        "ref": "refs/heads/main", "before": "0" * 40, "after": SHA, "head_commit": pushed, "commits": [pushed],
        "repository": {"full_name": "acme/shop", "default_branch": "main"}, "pusher": {"name": "ana"},
    }  # fmt: skip
    assert signed(client, "/github/webhooks", push, "X-Hub-Signature-256", "sha256=").status_code == 200
    with services.readers() as session:
        [bare] = commits.commits_between(session, NOW - DAY, NOW)
    assert [(file.path, file.patch) for file in bare.files] == [("src/cache.py", "")]
    assert (bare.author, bare.service, bare.parent_sha) == ("ana", "shop", None)

    answer = client.post("/api/commits", json=COMMIT, headers=sender)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "duplicates": 1})
    with services.readers() as session:
        full = commits.commit_of(session, SHA[:8])
    assert full is not None
    assert full.files[0].patch.endswith("+TTL = 3\n")
    assert (full.author, full.repository) == ("ana", "acme/shop")


def signed(client: TestClient, path: str, payload: Any, header: str, prefix: str = "", secret: str = SECRET) -> Any:
    body = json.dumps(payload).encode()
    signature = prefix + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    sent = {"Content-Type": "application/json", "X-GitHub-Event": "push", header: signature}
    return client.post(path, content=body, headers=sent)


LAUNCHDARKLY = {
    "_id": "57c0", "date": 1_770_465_600_000, "kind": "flag", "titleVerb": "turned off the flag",
    "accesses": [{"action": "updateOn", "resource": "proj/shop:env/production:flag/new-checkout"}],
}  # fmt: skip
FLAGSMITH = {
    "event_type": "FLAG_UPDATED",
    "data": {"timestamp": "2026-02-07T12:00:00Z", "new_state": {"enabled": False, "feature": {"name": "new-checkout"}}},
}


@pytest.mark.parametrize(
    ("path", "header", "payload"),
    [
        ("/launchdarkly/webhook", "X-LD-Signature", LAUNCHDARKLY),
        ("/flagsmith/webhook", "X-Flagsmith-Signature", FLAGSMITH),
    ],
)
def test_a_vendors_webhook_counts_only_with_its_signature(
    client: TestClient, services: Services, path: str, header: str, payload: Any
) -> None:
    assert signed(client, path, payload, header, secret="another").status_code == 401
    assert signed(client, path, payload, header).json() == {"accepted": 1, "duplicates": 0}
    assert signed(client, path, payload, header).json() == {"accepted": 0, "duplicates": 1}
    with services.readers() as session:
        [kept] = flags.flag_changes_between(session, NOW - DAY, NOW + DAY)
    assert (kept.flag, kept.after) == ("new-checkout", "off")


def test_a_webhook_that_changes_no_flag_is_acknowledged_with_the_reason(
    client: TestClient, sender: dict[str, str]
) -> None:
    answer = client.post("/unleash/webhook", json={"type": "feature-tagged"}, headers=sender)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 0)
    assert "feature-tagged" in answer.json()["ignored"]


def test_kubernetes_events_are_kept_once_without_secrets(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    for expected in (201, 200):
        assert client.post("/api/events/kubernetes", json=EVENT, headers=sender).status_code == expected
    with services.readers() as session:
        [kept] = orchestrator.events_between(session, NOW - DAY, NOW)
    assert (kept.service, kept.reason) == ("cart", "BackOff")
    assert "hunter2" not in kept.message


def test_a_declared_map_replaces_the_one_before_and_leaves_what_spans_show(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    with services.sessions.begin() as session:
        seen = ServiceEdge("web", "cart", EdgeKind.CALLS, "spans", NOW.timestamp())
        service_map.record_edges(session, [seen], now=NOW)
    first = {"edges": [{"from": "checkout", "to": "cart"}]}
    second = {"services": [{"name": "cart", "node": "node-7", "datastores": ["cart-db"]}]}
    assert client.post("/api/service-map", json=first, headers=sender).json() == {"edges": 1, "places": 0}
    assert client.post("/api/service-map", json=second, headers=sender).json() == {"edges": 1, "places": 1}
    with services.readers() as session:
        edges = [(edge.caller, edge.callee, edge.source) for edge in service_map.edges_known(session, NOW - DAY)]
        places = service_map.places_known(session, NOW - DAY, NOW + DAY)
    assert edges == [("cart", "cart-db", "declared"), ("web", "cart", "spans")]
    assert places == [ServicePlace("cart", "node-7", NOW.timestamp())]
    client.post("/api/service-map", json={"edges": []}, headers=sender)
    with services.readers() as session:
        assert len(service_map.edges_known(session, NOW - DAY)) == 1


def test_a_status_page_takes_its_newest_state(client: TestClient, services: Services, sender: dict[str, str]) -> None:
    ended = {"page": STATUS["page"], "incident": {"id": "p31", "name": "Errors", "status": "resolved",
             "created_at": "2026-02-07T12:00:00Z", "resolved_at": "2026-02-07T12:10:00Z"}}  # fmt: skip
    for body in (STATUS, ended):
        assert (
            client.post("/api/status-feeds", json=body, headers=sender, params={"provider": "pay"}).status_code == 200
        )
    with services.readers() as session:
        [kept] = provider_statuses.statuses_between(session, NOW - DAY, NOW)
    assert (kept.provider, kept.ended_at) == ("pay", (NOW - timedelta(minutes=20)).timestamp())


def spans(service: str, peer: str) -> dict[str, Any]:
    def text(name: str, value: str) -> dict[str, Any]:
        return {"key": name, "value": {"stringValue": value}}

    at = str(int(NOW.timestamp()) * 10**9)
    span = {"traceId": "01" * 16, "spanId": "02" * 8, "name": "GET", "kind": 3, "startTimeUnixNano": at,
            "endTimeUnixNano": at, "attributes": [text("peer.service", peer)]}  # fmt: skip
    resource = {"attributes": [text("service.name", service), text("k8s.node.name", "node-7")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def test_spans_write_an_edge_and_a_place_at_most_every_few_minutes(
    client: TestClient, services: Services, sender: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[float] = []
    record = service_map.record_edges

    def counted(session: Any, edges: Any, *, now: Any) -> None:
        written.extend(edge.seen_at - NOW.timestamp() for edge in edges)
        record(session, edges, now=now)

    monkeypatch.setattr(service_map, "record_edges", counted)
    for seconds in (0, 60, beside.WRITTEN_AGAIN_SECONDS + 1):
        at(services, timedelta(seconds=seconds))
        assert client.post("/v1/traces", json=spans("cart", "stock"), headers=sender).status_code == 200
    assert written == [0, beside.WRITTEN_AGAIN_SECONDS + 1]
    with services.readers() as session:
        [edge] = service_map.edges_known(session, NOW)
        [place] = service_map.places_known(session, NOW, NOW + DAY)
    assert (edge.caller, edge.callee, place.node) == ("cart", "stock", "node-7")


def test_a_map_that_cannot_be_written_costs_no_span_and_is_written_with_the_next(
    client: TestClient, services: Services, sender: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    with monkeypatch.context() as broken:
        broken.setattr(service_map, "record_edges", fails)
        assert client.post("/v1/traces", json=spans("cart", "stock"), headers=sender).status_code == 200
    assert client.post("/v1/traces", json=spans("cart", "stock"), headers=sender).status_code == 200
    with services.readers() as session:
        assert len(service_map.edges_known(session, NOW - DAY)) == 1


def test_what_came_in_is_shown_by_the_doors_page(
    client: TestClient, sender: dict[str, str], operator: dict[str, str]
) -> None:
    client.post("/api/flags", json={"flag": "f", "service": "cart", "after": "secret value"}, headers=sender)
    client.post("/api/commits", json=COMMIT, headers=sender)
    client.post("/api/status-feeds", json=STATUS, headers=sender)
    report = json.dumps(client.get("/api/doors", headers=operator).json())
    assert "f was set" in report
    assert "secret value" not in report
    assert "3f2a9c1, 1 files" in report
