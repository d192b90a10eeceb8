"""The `argux` command line, run as a user types it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import bot.doctor
from detection.types import Event, Severity
from storage.audit import append
from storage.funnels import create_funnel, definition
from storage.incidents import open_incident
from storage.keys import authenticate
from storage.models import AuditEntry
from tests.ports import free_port
from tests.unit.bot.conftest import RunArgux
from workers.services import Services


def test_a_key_is_shown_once_and_works(run_argux: RunArgux, services: Services) -> None:
    made = run_argux("keys", "create", "shop")

    secret = made.stdout.strip()
    assert secret.startswith("argux_")
    assert "not shown again" in made.stderr
    with services.readers() as session:
        key = authenticate(session, secret)
    assert key is not None
    assert (key.name, key.role) == ("shop", "ingest")
    listed = run_argux("keys", "list").stdout
    assert "shop" in listed
    assert secret not in listed


def test_only_the_option_makes_an_operators_key(run_argux: RunArgux, services: Services) -> None:
    secret = run_argux("keys", "create", "ana", "--role", "operator").stdout.strip()

    with services.readers() as session:
        key = authenticate(session, secret)
    assert key is not None
    assert key.role == "operator"


def test_the_version_is_printed(run_argux: RunArgux) -> None:
    result = run_argux("--version")

    assert (result.exit_code, result.stdout) == (0, f"argux {version('argux')}\n")


def test_a_revoked_key_no_longer_works(run_argux: RunArgux, services: Services) -> None:
    secret = run_argux("keys", "create", "shop").stdout.strip()

    assert run_argux("keys", "revoke", "shop").exit_code == 0

    with services.readers() as session:
        assert authenticate(session, secret) is None
    assert "revoked" in run_argux("keys", "list").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("keys", "create", "shop", "--role", "admin"), "--role must be one of ingest, operator, not admin."),
        (("keys", "create", " "), "The key needs a name"),
        (("keys", "revoke", "nobody"), "There is no key nobody."),
        (("keys", "create", "caf\udce9"), "'caf\\udce9' is not UTF-8"),
        (("maintenance", "start", "caf\udce9", "--for", "5m"), "'caf\\udce9' is not UTF-8"),
        (("incidents", "broken"), "A status is one of open, acknowledged, mitigating, resolved, false_alarm"),
    ],
)
@pytest.mark.usefixtures("services")
def test_a_user_error_is_one_line(run_argux: RunArgux, words: tuple[str, ...], message: str) -> None:
    result = run_argux(*words)

    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_a_database_without_tables_says_what_to_run(run_argux: RunArgux) -> None:
    result = run_argux("keys", "list")

    assert result.exit_code == 1
    assert "argux migrate" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ARGUX_PORT", "many", "ARGUX_PORT: Input should be a valid integer"),
        ("ARGUX_TIMEZONE", "Berlin", "ARGUX_TIMEZONE: 'Berlin' is no IANA time zone, such as Europe/Berlin"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL: write it as sqlite:///FILE or postgresql://"),
        ("DATABASE_URL", "mysql://a/b", "DATABASE_URL: write it as sqlite:///FILE or postgresql://"),
        ("DATABASE_URL", "sqlite:///:memory:", "DATABASE_URL: write it as sqlite:///FILE or postgresql://"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL: Input should be 'DEBUG', 'INFO'"),
    ],
)
@pytest.mark.parametrize("command", [("doctor",), ("migrate",), ("web",)])
def test_a_wrong_setting_is_named_with_what_is_wrong(
    run_argux: RunArgux, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)

    result = run_argux(*command)

    assert result.exit_code == 1
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 1


def test_the_doctor_ends_with_1_only_when_something_that_is_set_fails(
    run_argux: RunArgux, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.doctor, "examine", partial(bot.doctor.examine, seconds=60))
    well = run_argux("doctor")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    unwell = run_argux("doctor")

    assert (well.exit_code, unwell.exit_code) == (0, 1)
    assert [line.split(":")[0] for line in well.stdout.splitlines()] == [
        "settings", "database", "broker", "detection", "jobs", "messages", "Slack", "people", "GitHub", "deploys",
        "Jira", "Teams", "Elastic", "LLM",
    ]  # fmt: skip


def test_the_doctor_ends_with_1_on_a_misspelt_setting_and_names_the_right_one(
    run_argux: RunArgux, home: Path, services: Services
) -> None:
    (home / ".env").write_text("SLAK_BOT_TOKEN=xoxb-1\nJIRA_URL=https://acme.example\n")

    result = run_argux("doctor")

    assert result.exit_code == 1
    line = result.stdout.splitlines()[0]
    assert line.startswith("settings:  FAILED · SLAK_BOT_TOKEN in .env is no setting: did you mean SLACK_BOT_TOKEN?")
    assert "JIRA_URL is set without JIRA_EMAIL" in line


def test_a_broken_audit_chain_is_reported_with_the_broken_entry(run_argux: RunArgux, services: Services) -> None:
    with services.sessions.begin() as session:
        for number in range(3):
            append(
                session,
                key=services.audit_key,
                actor="ana",
                event="approved",
                payload={"proposal": number},
                now=services.clock(),
            )
    assert "The chain holds: 3 entries" in run_argux("audit", "verify").stdout
    with services.sessions.begin() as session:
        session.get_one(AuditEntry, 3).actor = "ben"

    broken = run_argux("audit", "verify")

    assert broken.exit_code == 1
    assert "broken at entry 3" in broken.stderr


def test_two_variants_are_compared_in_plain_words(run_argux: RunArgux, services: Services) -> None:
    steps = [{"name": "view", "event": "view"}, {"name": "done", "event": "done"}]
    with services.sessions.begin() as session:
        row = create_funnel(
            session, name="Signup", steps=steps, baseline_days=7, window_minutes=30, now=services.clock()
        )
        watched = definition(row)
    at = services.clock().timestamp() - 86_400
    for variant, converts in (("control", 10), ("new", 30)):
        for number in range(100):
            user = f"{variant}-{number}"
            names = ("view", "done") if number < converts else ("view",)
            services.telemetry.append_events(
                [Event(f"{user}-{name}", name, user, at, {"country": variant}) for name in names]
            )
    services.telemetry.roll_up([watched], now=services.clock().timestamp())

    answer = run_argux("experiment", "signup", "country", "control", "new")
    unknown = run_argux("experiment", "Checkout", "country", "control", "new")
    uncounted = run_argux("experiment", "1", "plan", "a", "b")

    assert answer.exit_code == 0
    assert "new converts better than control: 30.0 % of 100 entries" in " ".join(answer.stdout.split())
    assert (unknown.exit_code, unknown.stderr) == (1, "There is no funnel 'Checkout'.\n")
    assert uncounted.exit_code == 1
    assert "Add it to SEGMENT_DIMENSIONS" in uncounted.stderr


def loaded_by(module: str, *watched: str) -> str:
    """Return which of the watched packages a fresh interpreter has loaded after importing the module."""
    source = f"import sys, {module}; print(*sorted(set({watched!r}) & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_command_line_loads_only_what_a_command_needs() -> None:
    assert loaded_by("bot.cli", "numpy", "sqlalchemy", "fastapi", "slack_bolt", "dramatiq", "pydantic") == ""


def test_the_supervisor_does_not_load_the_database_libraries() -> None:
    assert loaded_by("bot.commands.up", "numpy", "sqlalchemy", "fastapi", "slack_bolt") == ""


def test_the_web_process_does_not_load_what_only_a_worker_needs() -> None:
    assert (
        loaded_by("bot.web.app", "scipy.stats", "vl_convert", "github", "jira", "openai", "botbuilder", "apscheduler")
        == ""
    )


def test_the_start_warns_of_what_is_unset_and_of_misspelt_names(
    run_argux: RunArgux, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".env").write_text("SLAK_BOT_TOKEN=xoxb-1\nFAVOURITE_COLOUR=blue\n")
    monkeypatch.setenv("ARGUX_PORT", str(free_port()))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("bot.commands.up.Supervisor.run", lambda supervisor, stop: 0)

    with capture_logs() as logs:
        result = run_argux("up")

    assert result.exit_code == 0
    told = [str(entry["what"]) for entry in logs]
    assert any("did you mean SLACK_BOT_TOKEN" in text for text in told)
    assert any("FAVOURITE_COLOUR" in text for text in told)
    assert any("nobody is told until SLACK_BOT_TOKEN" in text for text in told)
    assert any("Copy member ID" in text for text in told)


def test_incidents_are_listed_by_the_clock_of_the_team(
    run_argux: RunArgux, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 29, 21, 39, tzinfo=UTC)
    with services.sessions.begin() as session:
        open_incident(session, title="Slow", severity=Severity.SEV2, service="shop", onset_at=at, now=at)
    monkeypatch.setenv("ARGUX_TIMEZONE", "Europe/Berlin")

    assert "2026-11-29 22:39 CET" in run_argux("incidents").stdout
