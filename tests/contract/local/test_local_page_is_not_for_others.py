"""Another site's page can neither press buttons in the local workspace nor read it under a name of its own."""

from __future__ import annotations

import httpx
import pytest

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
