"""GET /api/changes is one time line of deploys, commits and flags; GET /api/service-map tells the map."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

SHA = "3f2a9c1d5e8b7a6f4c3d2e1f0a9b8c7d6e5f4a3b"
DEPLOY = {"service": "cart", "version": "v42", "commit_sha": SHA, "repository": "acme/shop",
          "deployed_at": "2026-02-07T12:10:00Z", "deployed_by": "ana"}  # fmt: skip
COMMIT = {"sha": SHA, "committed_at": "2026-02-07T12:00:00Z", "message": "Refresh sooner\n\nMore", "author": "ana",
          "files": [{"path": "src/cache.py"}]}  # fmt: skip
FLAG = {"flag": "new-checkout", "service": "web", "before": "off", "after": "on", "at": "2026-02-07T12:20:00Z"}


def told(client: TestClient, sender: dict[str, str]) -> None:
    for path, body in (("/api/deploys", DEPLOY), ("/api/commits", COMMIT), ("/api/flags", FLAG)):
        assert client.post(path, json=body, headers=sender).status_code == 201


def changes(client: TestClient, operator: dict[str, str], **asked: Any) -> list[tuple[str, str | None, str]]:
    found = client.get("/api/changes", params=asked, headers=operator).json()
    return [(one["kind"], one["service"], one["what"]) for one in found]


def test_all_changes_are_in_one_time_line_the_newest_first(
    client: TestClient, sender: dict[str, str], operator: dict[str, str]
) -> None:
    told(client, sender)
    assert changes(client, operator) == [
        ("flag", "web", "new-checkout: off → on"),
        ("deploy", "cart", "v42"),
        ("commit", None, "Refresh sooner"),
    ]
    assert changes(client, operator, limit=1) == [("flag", "web", "new-checkout: off → on")]


def test_of_one_service_also_what_names_none_is_listed(
    client: TestClient, sender: dict[str, str], operator: dict[str, str]
) -> None:
    told(client, sender)
    assert [kind for kind, _, _ in changes(client, operator, service="cart")] == ["deploy", "commit"]


def test_a_key_that_may_only_send_may_not_read_changes(client: TestClient, sender: dict[str, str]) -> None:
    assert client.get("/api/changes", headers=sender).status_code == 403


def test_the_service_map_tells_edges_and_places(
    client: TestClient, sender: dict[str, str], operator: dict[str, str]
) -> None:
    declared = {"services": [{"name": "cart", "node": "node-7", "datastores": ["cart-db"]}]}
    client.post("/api/service-map", json=declared, headers=sender)
    found = client.get("/api/service-map", headers=operator).json()
    [edge], [place] = found["edges"], found["places"]
    assert (edge["caller"], edge["callee"], edge["kind"], edge["source"]) == ("cart", "cart-db", "stores", "declared")
    assert (place["service"], place["node"]) == ("cart", "node-7")
