"""Another site's page can neither press buttons in the local workspace nor read it under a name of its own."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from integrations.local.app import create_app
from tests.contract.local.workspace import Workspace

PATHS = [
    ("GET", "/"),
    ("GET", "/page/state"),
    ("POST", "/page/act"),
    ("POST", "/page/faults"),
    ("POST", "/slack/api/auth.test"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost@evil.example"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost.evil.example"},
    ],
)
def test_a_foreign_host_or_origin_is_refused(
    shared_workspace: Workspace, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = httpx.request(method, shared_workspace.url + path, headers=headers, trust_env=False, timeout=60)
    assert answer.status_code in (400, 403)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_its_own_page_and_programs_of_this_machine_are_served(shared_workspace: Workspace, name: str) -> None:
    port = httpx.URL(shared_workspace.url).port
    host = f"{name}:{port}"
    for headers in ({"Host": host}, {"Host": host, "Origin": f"http://{host}"}):
        answer = httpx.get(shared_workspace.url + "/page/state", headers=headers, trust_env=False, timeout=60)
        assert answer.status_code == 200


FOREIGN: list[list[tuple[str, str]]] = [
    [("host", "evil.example")],
    [("host", "127.0.0.1:8765"), ("origin", "null")],
    [("host", "127.0.0.1:8765"), ("origin", "")],
    [("host", "127.0.0.1:8765"), ("origin", "http://127.0.0.1")],
    [("host", "127.0.0.1:8765"), ("origin", "http://127.0.0.1:9999")],
    [("host", "127.0.0.1:8765"), ("origin", "https://127.0.0.1:8765")],
    [("host", "127.0.0.1:8765"), ("origin", "http://localhost:8765")],
    [("host", "127.0.0.1:8765"), ("origin", "http://127.0.0.1:8765"), ("origin", "http://evil.example")],
    [("host", "127.0.0.1:8765"), ("host", "evil.example")],
    [("host", "0.0.0.0:8765")],
    [("host", "0:8765")],
    [("host", "2130706433")],
    [("host", "127.0.0.1:8765.evil.example")],
    [("host", "127.0.0.1.:8765")],
    [("host", "localhost.:8765")],
    [("host", "[::ffff:127.0.0.1]:8765")],
    [("host", "127.0.0.1:8765, evil.example")],
    [("host", "127.0.0.1:8765/evil")],
    [("host", "")],
]


def test_no_route_answers_a_foreign_page(shared_workspace: Workspace, tmp_path: Path) -> None:
    app = create_app(shared_workspace.config, tmp_path)
    client = TestClient(app, base_url="http://127.0.0.1:8765")
    routes = list(iter_route_contexts(app.routes))
    assert len(routes) > 30
    for route in routes:
        path = route.path or "/"
        for headers in FOREIGN:
            if isinstance(route.original_route, WebSocketRoute):
                with (
                    pytest.raises(WebSocketDisconnect) as closed,
                    client.websocket_connect(path, headers=dict(headers)),
                ):
                    pass
                assert closed.value.code == 1008
                continue
            for method in sorted(route.methods or {"GET", "POST", "PUT", "DELETE"}):
                answer = client.request(method, path, headers=headers)
                assert answer.status_code == 403, (method, path, headers)
