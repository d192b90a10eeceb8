"""The health, metrics and documentation routes of a web process."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import create_engine

from bot.web.app import create_app
from workers.services import Services


class Chat:
    """A chat channel whose check succeeds."""

    def check(self) -> str:
        return "argux in Acme"

    def check_channel(self, channel: str) -> str:
        return f"posts to {channel}"


def test_the_database_health_names_the_database(client: TestClient) -> None:
    answer = client.get("/health/db")

    assert answer.status_code == 200
    assert "SQLite" in answer.json()["message"]


def test_a_database_without_our_schema_fails_and_says_what_to_run(services: Services, tmp_path: Path) -> None:
    services.engine = create_engine(f"sqlite:///{tmp_path / 'other.db'}")

    answer = TestClient(create_app(services)).get("/health/db")

    assert (answer.status_code, answer.json()["status"]) == (503, "failed")
    assert "argux migrate" in answer.json()["message"]


def test_integrations_that_are_not_configured_do_not_fail(client: TestClient, services: Services) -> None:
    services.chat = Chat()  # type: ignore[assignment]

    answer = client.get("/health/integrations")

    systems = answer.json()["integrations"]
    assert answer.status_code == 200
    assert systems["slack"] == {"status": "ok", "message": "argux in Acme; posts to #incidents; clicks arrive by HTTP"}
    assert systems["github"]["status"] == "not set"


def test_jobs_incidents_and_dead_letters_are_counted(client: TestClient) -> None:
    numbers = client.get("/metrics").text

    for name in ("argux_outbox_jobs_waiting", "argux_outbox_dead_letters", "argux_messages_undelivered"):
        assert f"{name} 0.0" in numbers
    assert "argux_database_up 1.0" in numbers


def test_the_root_redirects_to_the_docs_or_to_the_workspace(services: Services) -> None:
    to_docs = TestClient(create_app(services), follow_redirects=False).get("/")
    services.settings = services.settings.model_copy(update={"workspace_url": "http://127.0.0.1:8766/"})
    to_workspace = TestClient(create_app(services), follow_redirects=False).get("/")

    assert to_docs.headers["location"] == "/docs"
    assert to_workspace.headers["location"] == "http://127.0.0.1:8766/"


def test_an_unknown_path_is_404_in_the_usual_error_format(client: TestClient) -> None:
    answer = client.get("/api/nothing")

    assert (answer.status_code, answer.json()) == (404, {"error": {"message": "There is nothing at /api/nothing."}})


def test_the_openapi_page_shows_every_door_with_an_example(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    assert {"/api/events", "/batch/", "/v1/traces", "/v1/logs", "/api/deploys"} <= paths.keys()
    body = paths["/api/events"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["oneOf"][0]["example"]["event"] == "page_view"


def test_the_docs_pages_use_only_scripts_that_argux_serves(client: TestClient) -> None:
    for path in ("/docs", "/redoc"):
        page = client.get(path).text
        assert "://" not in page.replace("http://www.w3.org", "")
        scripts = re.findall(r'src="(/docs/assets/[^"]+)"', page)
        assert scripts
        assert all(client.get(script).status_code == 200 for script in scripts)
