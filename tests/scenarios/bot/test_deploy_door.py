"""POST /api/deploys and what GET /api/deploys makes of it."""

from __future__ import annotations

from fastapi.testclient import TestClient

DEPLOY = {
    "service": "shop",
    "version": "v42",
    "commit_sha": "3f2a9c1d5e8b7a6f4c3d2e1f0a9b8c7d6e5f4a3b",
    "repository": "acme/shop",
    "deployed_at": "2026-02-07T12:00:00Z",
    "deployed_by": "ana",
}


def test_a_deploy_is_listed_with_the_commit_it_replaced(client: TestClient, sender, operator) -> None:
    before = {**DEPLOY, "version": "v41", "commit_sha": "a" * 40, "deployed_at": "2026-02-07T10:00:00Z"}
    for deploy in (before, DEPLOY):
        assert client.post("/api/deploys", json=deploy, headers=sender).status_code == 201

    newest, oldest = client.get("/api/deploys", headers=operator).json()

    assert (newest["version"], newest["previous_commit_sha"]) == ("v42", "a" * 40)
    assert (oldest["version"], oldest["previous_commit_sha"]) == ("v41", None)


def test_the_same_deploy_told_twice_is_one(client: TestClient, sender, operator) -> None:
    first = client.post("/api/deploys", json=DEPLOY, headers=sender)
    again = client.post("/api/deploys", json=DEPLOY, headers=sender)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    assert len(client.get("/api/deploys", headers=operator).json()) == 1


def test_a_deploy_without_its_commit_is_422_and_names_the_field(client: TestClient, sender) -> None:
    answer = client.post("/api/deploys", json={**DEPLOY, "commit_sha": ""}, headers=sender)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "commit_sha")


def test_a_deploy_without_a_key_is_401(client: TestClient) -> None:
    assert client.post("/api/deploys", json=DEPLOY).status_code == 401
