"""What each kind of key may do at each route. The table is made of the application's own routes, so none is missing."""

from __future__ import annotations

import base64

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.doors import product
from bot.web.app import create_app
from storage.keys import create_key, revoke_key
from tests.scenarios.bot.conftest import NOW
from tests.scenarios.bot.doors.test_odd_shapes import BODIES, DOORS, SIGNED
from tests.scenarios.bot.routes import Address, addresses
from workers.services import Services
from workers.settings import Settings

OPEN = {
    "/", "/docs", "/docs/assets/{name}", "/redoc", "/openapi.json", "/health", "/health/db", "/health/integrations",
    "/health/worker", "/metrics", "/slack/events",
}  # fmt: skip
"""Routes without a key: health and documentation, a redirect, and Slack's door, which checks Slack's signature."""


GREETINGS = [("GET", "/_license"), ("GET", "/_cluster/health"), ("GET", "/ready")]
"""What senders ask before they send. It tells them whether their key is right, so any key of ours may."""


BY_GET = [
    ("GET", f"/{name}")
    for name in (
        "track", "track/", "engage", "engage/", "groups", "groups/", "decide", "decide/", "flags", "flags/",
        "flags/definitions", "api/feature_flag/local_evaluation", "api/feature_flag/local_evaluation/",
    )
]  # fmt: skip
"""Doors for what a sender puts into the address, and for what its library asks."""

WITH_KEY_IN_ADDRESS = [
    ("/array/{key}/config", "/array/{key}/config"),
    ("/array/{key}/config.js", "/array/{key}/config.js"),
    *(
        (f"/api/{name}/", f"/api/{name}/?token={{key}}")
        for name in ("surveys", "early_access_features", "web_experiments")
    ),
]
"""What a library asks that sends its key in the address alone: the route, and the address with the key."""


def table() -> list[Address]:
    """Return every route of the application."""
    settings = Settings(_env_file=None, slack_signing_secret=SecretStr("x"), database_url="sqlite:///never-opened.db")
    return addresses(create_app(Services(settings)).routes)


ADDRESSES = table()
ROUTES = [(one.method, one.path) for one in ADDRESSES]
QUERIES = {(one.method, one.path): one.query for one in ADDRESSES}
KEYED = [("GET", route) for route, _ in WITH_KEY_IN_ADDRESS]
OPERATORS = [one for one in ROUTES if one not in (*DOORS, *GREETINGS, *BY_GET, *KEYED) and one[1] not in OPEN]
SENDERS = [*(one for one in DOORS if one[1] not in SIGNED), *GREETINGS, *BY_GET]
IN_BODY = {one.path for one in addresses(product.router.routes)}
"""Doors that find the key in the body, and may say first that the body holds none."""


def path_of(path: str) -> str:
    for name in ("project", "index", "name", "version"):
        path = path.replace(f"{{{name}}}", "logs")
    while "{" in path:
        before, _, rest = path.partition("{")
        path = f"{before}1{rest.partition('}')[2]}"
    return path


@pytest.fixture
def revoked(services: Services) -> str:
    with services.sessions.begin() as session:
        secret = create_key(session, "gone", role="operator", now=NOW)
        revoke_key(session, "gone", now=NOW)
    return secret


def status_of(client: TestClient, method: str, path: str, headers: dict[str, str]) -> int:
    answer = client.request(method, path_of(path), headers={"Content-Type": "application/json", **headers})
    return answer.status_code


def test_the_table_holds_the_whole_api() -> None:
    assert len(OPERATORS) > 30
    assert {("GET", "/api/incidents"), ("POST", "/api/incidents/{incident_id}/diagnose")} <= set(OPERATORS)
    assert set(DOORS) <= set(ROUTES)


@pytest.mark.parametrize(("method", "path"), [*OPERATORS, *SENDERS])
def test_without_a_valid_key_it_is_401(
    client: TestClient, operator: dict[str, str], revoked: str, method: str, path: str
) -> None:
    wanted = (401, 400, 422) if path in IN_BODY else (401,)
    true = operator["Authorization"].removeprefix("Bearer ")
    basic = base64.b64encode(f"{revoked}:".encode()).decode()
    for headers in (
        {},
        {"Authorization": f"Bearer {revoked}"},
        {"X-API-Key": revoked},
        {"Authorization": f"Basic {basic}"},
        {"Authorization": f"Digest {true}"},
        {"Authorization": f"Token {true}"},
        {"Authorization": true},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {true[:-1]}"},
        {"Authorization": f"Bearer {true.upper()}"},
        {"X-API-Key": f"Bearer {true}"},
        {"Cookie": f"key={true}"},
    ):
        assert status_of(client, method, path, headers) in wanted, headers
    assert status_of(client, method, f"{path_of(path)}?api_key={true}", {}) in wanted


@pytest.mark.parametrize(("method", "path"), OPERATORS)
def test_an_ingest_key_may_not_and_an_operators_key_may(
    client: TestClient, sender: dict[str, str], operator: dict[str, str], method: str, path: str
) -> None:
    assert status_of(client, method, path, sender) == 403
    assert status_of(client, method, path, operator) not in (401, 403, 500)


@pytest.mark.parametrize(("route", "address"), WITH_KEY_IN_ADDRESS)
def test_what_has_its_key_in_the_address_wants_a_valid_one(
    client: TestClient, sender: dict[str, str], revoked: str, route: str, address: str
) -> None:
    assert ("GET", route) in ROUTES
    key = sender["Authorization"].removeprefix("Bearer ")
    assert client.get(address.format(key=key)).status_code == 200
    for wrong in (revoked, key[:-1], key.upper(), "none"):
        assert client.get(address.format(key=wrong), headers=sender).status_code == 401


@pytest.mark.parametrize(("method", "path"), SENDERS)
def test_an_ingest_key_may_send(client: TestClient, sender: dict[str, str], method: str, path: str) -> None:
    assert status_of(client, method, path, sender) not in (401, 403, 500)


ODD_WORDS = [
    "0", "-1", "9" * 19, "9" * 30, "9" * 5000, "1.5", "true", "%00", "%ff%fe", "%ed%a0%80", "..%2f..", "%C2%B2", "null",
    "NaN", "1e400", "x" * 3000, "'; DROP TABLE incidents --", "%F0%9F%92%A5", "1,2", "2026-02-30T00:00:00Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-07T12:00:00%2B23:59", "",
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), OPERATORS)
def test_an_odd_word_in_the_address_is_no_500(
    client: TestClient, operator: dict[str, str], method: str, path: str
) -> None:
    for word in ODD_WORDS:
        places = [path_of(path) + f"?{name}={word}" for name in QUERIES.get((method, path), ())]
        if "{" in path and word:
            before, _, rest = path.partition("{")
            places.append(path_of(before + word + rest.partition("}")[2]))
        for place in places:
            answer = client.request(method, place, headers=operator)
            assert answer.status_code < 500, place[:200]


@pytest.mark.parametrize(("method", "path"), [one for one in OPERATORS if one[0] not in ("GET", "DELETE")])
def test_an_odd_body_is_no_500(client: TestClient, operator: dict[str, str], method: str, path: str) -> None:
    for body in BODIES:
        headers = {**operator, "Content-Type": "application/json"}
        answer = client.request(method, path_of(path), content=body, headers=headers)
        assert answer.status_code < 500, body[:200]
        assert len(answer.content) > 10 or answer.status_code < 400
