"""GitHub webhooks, signed as GitHub signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.web.app import create_app
from storage.deploys import latest_deploy
from workers.services import Services

if TYPE_CHECKING:
    # Starlette's test client is typed with httpx2 where that is installed.
    from httpx2 import Response

SHA = "3f2a9c1d5e8b7a6f4c3d2e1f0a9b8c7d6e5f4a3b"
SECRET = "a webhook secret"
REPOSITORY = {"full_name": "acme/shop", "default_branch": "main"}
DEPLOYMENT: dict[str, Any] = {
    "deployment_status": {"state": "success", "created_at": "2026-02-07T12:00:00Z", "environment": "production"},
    "deployment": {"sha": SHA, "ref": "v42", "environment": "production", "production_environment": True,
                   "creator": {"login": "ana"}},
    "repository": REPOSITORY,
}  # fmt: skip
PUSH = {
    "ref": "refs/heads/main", "before": "0" * 40, "after": SHA, "repository": REPOSITORY, "pusher": {"name": "ana"},
    "head_commit": {"id": SHA, "message": "Batch the stock query"}, "commits": [],
}  # fmt: skip


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    settings = {"github_webhook_secret": SecretStr(SECRET), "service_repositories": {"storefront": "acme/shop"}}
    services.settings = services.settings.model_copy(update=settings)
    with TestClient(create_app(services)) as client:
        yield client


def deliver(client: TestClient, event: str, payload: Any, *, secret: str = SECRET, **headers: str) -> Response:
    body = json.dumps(payload).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    sent = {"Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": "72d3162e",
            "X-Hub-Signature-256": signature, **headers}  # fmt: skip
    return client.post("/github/webhooks", content=body, headers=sent)


def test_a_deployment_to_production_is_a_deploy_and_a_redelivery_is_a_duplicate(
    client: TestClient, services: Services
) -> None:
    first = deliver(client, "deployment_status", DEPLOYMENT)
    again = deliver(client, "deployment_status", DEPLOYMENT)
    assert (first.json()["accepted"], again.json()["duplicates"]) == (1, 1)
    with services.readers() as session:
        deploy = latest_deploy(session, "storefront")
    assert deploy is not None
    assert (deploy.version, deploy.commit_sha, deploy.repository) == ("v42", SHA, "acme/shop")
    assert (deploy.deployed_at, deploy.deployed_by) == (datetime(2026, 2, 7, 12, tzinfo=UTC), "ana")


def test_a_push_to_the_default_branch_is_kept_as_a_log_record(client: TestClient, services: Services) -> None:
    assert deliver(client, "push", PUSH).json()["accepted"] == 1
    assert deliver(client, "push", PUSH).json()["duplicates"] == 1
    [record] = services.telemetry.log_samples(since=0.0, until=1e11)
    assert record.body == "ana pushed 3f2a9c1 to main of acme/shop: Batch the stock query"


def test_a_ping_is_acknowledged(client: TestClient) -> None:
    answer = deliver(client, "ping", {"zen": "Anything added dilutes everything else."})
    assert (answer.status_code, answer.json()["accepted"]) == (200, 0)


@pytest.mark.parametrize("headers", [{}, {"X-Hub-Signature-256": ""}, {"X-Hub-Signature-256": "sha256=00"}])
def test_a_webhook_with_a_wrong_signature_is_refused_and_stores_nothing(
    client: TestClient, services: Services, headers: dict[str, str]
) -> None:
    assert deliver(client, "deployment_status", DEPLOYMENT, secret="another", **headers).status_code == 401
    with services.readers() as session:
        assert latest_deploy(session, "storefront") is None
    assert 'argux_ingest_rejected_total{door="github",reason="unauthorized"} 1.0' in client.get("/metrics").text


def test_an_invalid_field_of_a_deployment_is_named(client: TestClient) -> None:
    payload = {**DEPLOYMENT, "deployment": {**DEPLOYMENT["deployment"], "sha": 7}}
    answer = deliver(client, "deployment_status", payload)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "deployment.sha")
