"""What each role may do, and how soon a revoked key stops working."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from bot.auth import CACHE_SECONDS, KeyRing
from bot.errors import UnauthorizedError
from storage.keys import create_key, revoke_key
from workers.services import Services


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/funnels"),
        ("POST", "/api/funnels"),
        ("GET", "/api/funnels/1/metrics"),
        ("GET", "/api/incidents"),
        ("GET", "/api/incidents/1"),
        ("PATCH", "/api/incidents/1"),
        ("POST", "/api/incidents/1/diagnose"),
        ("GET", "/api/deploys"),
        ("GET", "/api/triage"),
    ],
)
def test_an_ingest_key_may_only_send_data(client: TestClient, sender: dict[str, str], method: str, path: str) -> None:
    refused = client.request(method, path, headers=sender)
    unknown = client.request(method, path)

    assert (refused.status_code, unknown.status_code) == (403, 401)
    assert "may only send data" in refused.json()["error"]["message"]
    assert unknown.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/health", "/health/db", "/metrics", "/docs", "/openapi.json"])
def test_health_and_docs_need_no_key(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


async def test_a_revoked_key_stops_working_when_its_cache_entry_expires(services: Services) -> None:
    moment = 0.0
    ring = KeyRing(services.readers, monotonic=lambda: moment)
    with services.sessions.begin() as session:
        secret = create_key(session, "shop", role="ingest", now=services.clock())
    assert (await ring.identify(secret)).name == "shop"
    with services.sessions.begin() as session:
        revoke_key(session, "shop", now=services.clock())

    moment = CACHE_SECONDS - 0.1
    assert (await ring.identify(secret)).role == "ingest"
    moment = CACHE_SECONDS
    with pytest.raises(UnauthorizedError):
        await ring.identify(secret)


async def test_a_cached_key_does_not_query_the_database_again(services: Services) -> None:
    ring = KeyRing(services.readers)
    with services.sessions.begin() as session:
        secret = create_key(session, "shop", role="ingest", now=services.clock())
    await ring.identify(secret)
    services.engine.dispose()
    file = services.settings.argux_data_dir / "argux.db"
    file.unlink()

    assert (await ring.identify(secret)).name == "shop"
