"""The `argux` command line, run as a user types it."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import bot.doctor
from bot.commands.supervisor import CANNOT_PASS
from detection.types import Event, Severity
from storage.audit import append
from storage.funnels import create_funnel, definition
from storage.incidents import open_incident
from storage.keys import authenticate, create_key, revoke_key
from storage.models import AuditEntry
from tests.ports import free_port
from tests.unit.bot.conftest import RunArgux
from workers.services import Services

ROOT = Path(__file__).parents[4]


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


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_printed(run_argux: RunArgux, option: str) -> None:
    result = run_argux(option)

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
    "command",
    [
        ("keys", "create", "mail"),
        ("keys", "revoke", "shop"),
        ("patterns", "add", "refused", "connection refused"),
        ("limits", "add", "queue_length", "5"),
        ("maintenance", "start", "shop", "--for", "1h"),
        ("jobs", "retry", "1"),
    ],
)
def test_a_command_with_another_audit_key_than_the_chains_changes_nothing_and_says_which_to_use(
    run_argux: RunArgux, services: Services, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    assert run_argux("keys", "create", "shop").exit_code == 0
    monkeypatch.setenv("AUDIT_KEY", "the-key-of-another-machine")

    result = run_argux(*command)

    assert result.exit_code == 1
    assert result.stderr.startswith("The newest entry of the audit chain was written with another AUDIT_KEY")
    monkeypatch.setenv("AUDIT_KEY", "an audit key")
    assert run_argux("audit", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ARGUX_PORT", "many", "ARGUX_PORT: must be a whole number"),
        ("ARGUX_TIMEZONE", "Berlin", "ARGUX_TIMEZONE: 'Berlin' is no IANA time zone, such as Europe/Berlin"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL: write it as sqlite:///FILE or postgresql://"),
        ("DATABASE_URL", "mysql://a/b", "DATABASE_URL: write it as sqlite:///FILE or postgresql://"),
        ("ARGUX_PORT", "0", "ARGUX_PORT: must be greater than or equal to 1"),
        ("ARGUX_PORT", "70000", "ARGUX_PORT: must be less than or equal to 65535"),
        ("WORKER_THREADS", "eight", "WORKER_THREADS: must be a whole number"),
        ("MIN_DROP_PERCENT", "twelve", "MIN_DROP_PERCENT: must be a number"),
        ("PII_MODE", "HASHED", "PII_MODE: must be one of 'hash' or 'drop'"),
        ("SYSLOG_ALLOW", "everybody", "SYSLOG_ALLOW: 'everybody' does not appear to be an IPv4 or IPv6 network"),
        ("SERVICE_REPOSITORIES", "shop", "SERVICE_REPOSITORIES: write SERVICE_REPOSITORIES as service=owner/name"),
        ("DATABASE_URL", "sqlite:///:memory:", "DATABASE_URL: write it as sqlite:///FILE or postgresql://"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL: must be one of 'DEBUG', 'INFO'"),
        (
            "DATABASE_URL",
            "postgresql://argux:p@ss@db/argux",
            "DATABASE_URL: write the port as a number, and in a password",
        ),
        ("DATABASE_URL", "postgresql://argux@db:port/argux", "DATABASE_URL: write the port as a number"),
        ("REDIS_URL", "http://127.0.0.1:6379", "REDIS_URL: write it as redis://HOST:6379/0"),
        ("REDIS_URL", "127.0.0.1:6379", "REDIS_URL: write it as redis://HOST:6379/0"),
        ("REDIS_URL", "redis://127.0.0.1:port/0", "REDIS_URL: write the port as a number"),
        ("REDIS_URL", "redis://127.0.0.1:70000/0", "REDIS_URL: write the port as a number"),
        ("REDIS_URL", "redis://:p/w@127.0.0.1:6379/0", "REDIS_URL: write the port as a number, and in a password"),
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


def test_a_directory_that_argux_cannot_use_is_named_with_the_setting_that_chooses_another(
    run_argux: RunArgux, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGUX_PORT", str(free_port()))
    (home / "taken").write_text("a file")
    monkeypatch.setenv("ARGUX_DATA_DIR", str(home / "taken"))

    result = run_argux("up")

    assert result.exit_code == CANNOT_PASS
    [line] = result.stderr.splitlines()
    assert line.startswith(f"{home}/taken: File exists. ")
    assert "ARGUX_DATA_DIR names another place" in line


def test_a_full_disk_is_said_with_what_could_not_be_written(
    run_argux: RunArgux, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/var/lib/argux/valkey")

    monkeypatch.setenv("ARGUX_PORT", str(free_port()))
    monkeypatch.setattr("bot.commands.up.valkey_command", is_full)

    result = run_argux("up")

    assert result.exit_code == 1
    assert result.stderr == "The disk is full: /var/lib/argux/valkey cannot be written. Make room there.\n"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///{home}/notes.txt", "is no SQLite database"),
        ("sqlite:///{home}/notes.txt/argux.db", "cannot be opened. Check that its directory (DATABASE_URL) is there"),
        ("postgresql://argux:secret@127.0.0.1:1/argux", "Nothing listens where the database should"),
    ],
)
@pytest.mark.parametrize("command", [("migrate",), ("keys", "list"), ("incidents",)])
def test_a_database_that_cannot_be_used_is_said_in_one_line(
    run_argux: RunArgux, home: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], url: str, message: str
) -> None:
    (home / "notes.txt").write_text("Not a database, and long enough to be looked at. " * 20)
    monkeypatch.setenv("DATABASE_URL", url.format(home=home))

    result = run_argux(*command)

    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert message in line
    assert "secret" not in line


def test_the_doctor_ends_with_1_only_when_something_that_is_set_fails(
    run_argux: RunArgux, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.doctor, "examine", partial(bot.doctor.examine, seconds=60))
    well = run_argux("doctor")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    unwell = run_argux("doctor")

    assert (well.exit_code, unwell.exit_code) == (0, 1)
    assert [line.split(":")[0] for line in well.stdout.splitlines()] == [
        "settings", "database", "broker", "detection", "endpoints", "doors", "jobs", "messages", "Slack", "people",
        "GitHub",
        "deploys", "Jira", "Teams", "Elastic", "status", "LLM",
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


def test_what_is_done_at_the_terminal_is_in_the_audit_chain(run_argux: RunArgux, services: Services) -> None:
    for words in (
        ("keys", "create", "shop"),
        ("keys", "revoke", "shop"),
        ("keys", "revoke", "shop"),
        ("patterns", "add", "oops", "oops"),
        ("patterns", "off", "oops"),
        ("patterns", "remove", "oops"),
    ):
        assert run_argux(*words).exit_code == 0, words

    with services.readers() as session:
        events = [entry.event for entry in session.query(AuditEntry).order_by(AuditEntry.sequence)]
    assert events == ["key_created", "key_revoked", "pattern_added", "pattern_switched", "pattern_removed"]
    assert "The chain holds: 5 entries" in run_argux("audit", "verify").stdout


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    "words",
    [
        ("limits", "add", "queue.depth", "5"),
        ("maintenance", "start", "shop", "--for", "5m"),
        ("keys", "create", "shop"),
        ("patterns", "off", "memory"),
    ],
)
def test_a_user_without_a_name_on_this_machine_can_do_all_of_it(
    run_argux: RunArgux, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1000710000")

    monkeypatch.setattr("getpass.getuser", nobody)

    result = run_argux(*words)

    assert (result.exit_code, result.exception) == (0, None), result.stderr


def test_a_keys_day_is_that_of_the_teams_clock(
    run_argux: RunArgux, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = datetime(2026, 11, 29, 23, 39, tzinfo=UTC)
    with services.sessions.begin() as session:
        create_key(session, "shop", now=late)
        revoke_key(session, "shop", now=late)
    monkeypatch.setenv("ARGUX_TIMEZONE", "Asia/Kolkata")

    listed = run_argux("keys", "list").stdout

    assert "made 2026-11-30  revoked 2026-11-30" in listed


@pytest.mark.parametrize("place", ["ARGUX_DATA_DIR", "DATABASE_URL"])
def test_a_place_where_nothing_can_be_written_is_named_in_one_line(
    run_argux: RunArgux, home: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("ARGUX_PORT", str(free_port()))
    monkeypatch.setenv(place, str(home / "file") if place == "ARGUX_DATA_DIR" else f"sqlite:///{home}/file/argux.db")

    result = run_argux("up" if place == "ARGUX_DATA_DIR" else "migrate")

    assert result.exit_code in (1, 78)
    assert "Traceback" not in result.stderr
    assert isinstance(result.exception, SystemExit)
    assert place in result.stderr


def test_a_second_argux_in_the_same_directory_is_refused(
    run_argux: RunArgux, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".argux").mkdir()
    monkeypatch.setenv("ARGUX_PORT", str(free_port()))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with (home / ".argux" / "up.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        result = run_argux("up")

    assert result.exit_code == 1
    assert "runs in" in result.stderr
    assert "already" in result.stderr


def test_the_doctor_ends_in_time_though_every_system_hangs(home: Path, run_argux: RunArgux, services: Services) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        hanging = {
            "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": f"{address}/",
            "APPROVER_IDS": "U012ABC", "GITHUB_TOKEN": "ghp_1", "GITHUB_API_URL": address,
            "SERVICE_REPOSITORIES": "shop=acme/shop", "JIRA_URL": address, "JIRA_EMAIL": "a@b.example",
            "JIRA_TOKEN": "j", "ELASTICSEARCH_URL": address, "LLM_BASE_URL": address, "LLM_API_KEY": "k",
            "LLM_MODEL": "m", "REDIS_URL": address.replace("http", "redis"),
            "DATABASE_URL": f"sqlite:///{home / 'argux.db'}", "AUDIT_KEY": "an audit key of a test",
        }  # fmt: skip
        script = (
            "import bot.doctor; bot.doctor.CHECK_SECONDS = 0.5; bot.doctor.examine.__kwdefaults__['seconds'] = 0.5\n"
        )
        script += "from bot.cli import app; app(['doctor'])"
        environment = {**os.environ, **hanging, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=home, env=environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    assert done.returncode == 1
    lines = {line.split(":")[0]: line for line in done.stdout.splitlines()}
    for system in ("broker", "Slack", "people", "GitHub", "Jira", "Elastic", "LLM"):
        assert "no answer within 0.5 s. To mend it:" in lines[system], lines[system]
    assert "Traceback" not in done.stderr
