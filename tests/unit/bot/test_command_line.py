"""The `argux` command as a person types it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot import cli
from storage.audit import append
from storage.keys import authenticate
from workers.services import Services
from workers.settings import Settings

Type = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a database of its own; this process's logging stays as it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'argux.db'}")
    monkeypatch.setenv("AUDIT_KEY", "an audit key")
    monkeypatch.setattr("bot.logs.configure_logging", lambda level: None)
    return tmp_path


@pytest.fixture
def type_(home: Path) -> Type:
    runner = CliRunner()
    return lambda *words: runner.invoke(cli.app, words)


@pytest.fixture
def services(home: Path, type_: Type) -> Services:
    assert type_("migrate").exit_code == 0
    return Services(Settings(_env_file=None))


def test_a_key_is_shown_once_and_works(type_: Type, services: Services) -> None:
    made = type_("keys", "create", "shop", "--role", "ingest")

    secret = made.stdout.strip()
    assert secret.startswith("argux_")
    assert "not shown again" in made.stderr
    with services.readers() as session:
        key = authenticate(session, secret)
    assert key is not None
    assert (key.name, key.role) == ("shop", "ingest")
    listed = type_("keys", "list").stdout
    assert "shop" in listed
    assert secret not in listed


def test_a_revoked_key_no_longer_works(type_: Type, services: Services) -> None:
    secret = type_("keys", "create", "shop").stdout.strip()

    assert type_("keys", "revoke", "shop").exit_code == 0

    with services.readers() as session:
        assert authenticate(session, secret) is None
    assert "revoked" in type_("keys", "list").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("keys", "create", "shop", "--role", "admin"), "--role must be one of ingest, operator, not admin."),
        (("keys", "revoke", "nobody"), "There is no key nobody."),
        (("incidents", "broken"), "A status is one of open, acknowledged, mitigating, resolved, false_alarm"),
    ],
)
@pytest.mark.usefixtures("services")
def test_a_mistake_is_told_in_one_line(type_: Type, words: tuple[str, ...], told: str) -> None:
    result = type_(*words)

    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr


def test_a_database_without_tables_says_what_to_run(type_: Type) -> None:
    result = type_("keys", "list")

    assert result.exit_code == 1
    assert "argux migrate" in result.stderr


def test_a_wrong_setting_is_named(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUX_PORT", "many")

    result = type_("doctor")

    assert result.exit_code == 1
    assert "ARGUX_PORT: " in result.stderr


def test_the_doctor_ends_with_1_only_when_something_that_is_set_fails(
    type_: Type, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = type_("doctor")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    unwell = type_("doctor")

    assert (well.exit_code, unwell.exit_code) == (0, 1)
    assert [line.split(":")[0] for line in well.stdout.splitlines()] == [
        "database", "broker", "jobs", "Slack", "GitHub", "Jira", "Teams", "Elastic", "LLM",
    ]  # fmt: skip


def test_a_changed_audit_chain_is_named_by_its_entry(type_: Type, services: Services) -> None:
    with services.sessions.begin() as session:
        for number in range(3):
            entry = append(
                session,
                key=services.audit_key,
                actor="ana",
                event="approved",
                payload={"proposal": number},
                now=services.clock(),
            )
    assert "The chain holds: 3 entries" in type_("audit", "verify").stdout
    with services.sessions.begin() as session:
        session.merge(entry).actor = "ben"

    broken = type_("audit", "verify")

    assert broken.exit_code == 1
    assert "broken at entry 3" in broken.stderr


def loaded_by(module: str, *watched: str) -> str:
    """Which of the watched packages a fresh interpreter has in memory after importing the module."""
    source = f"import sys, {module}; print(*sorted(set({watched!r}) & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


def test_the_command_line_loads_only_what_a_command_needs() -> None:
    assert loaded_by("bot.cli", "numpy", "sqlalchemy", "fastapi", "slack_bolt", "dramatiq", "pydantic") == ""


def test_the_supervisor_does_not_carry_the_database_around() -> None:
    assert loaded_by("bot.up", "numpy", "sqlalchemy", "fastapi", "slack_bolt") == ""


def test_the_web_process_does_not_carry_what_only_a_worker_needs() -> None:
    assert loaded_by("bot.web", "scipy", "vl_convert", "github", "jira", "openai", "botbuilder", "apscheduler") == ""
