"""The demo command: prerequisites, signals, exit code, settings and child processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.demo import cli
from bot.demo.configuration import (
    Places,
    argux_environment,
    lock_directory,
    make_secrets,
    prepare_places,
    write_workspace_config,
)
from bot.demo.driver import Outcome
from bot.demo.errors import DemoError
from bot.demo.history.deploys import DeployLog
from bot.demo.processes import output_of, start
from bot.demo.repository.repository import Commit
from bot.demo.waiting import until_true
from integrations.local.config import load
from tests.ports import free_port, hold
from workers.settings import Settings

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARGUX_PORT", str(two_free_ports()))
    return tmp_path


def two_free_ports() -> int:
    """Reserve a free port and the one after it, and return the first."""
    while True:
        port = free_port()
        with suppress(OSError):
            hold(port + 1)
            return port


def replace_run(monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    async def run_demo(*_: object, auto: bool) -> Outcome:
        return outcome

    monkeypatch.setattr(cli, "run_demo", run_demo)


def test_the_last_line_of_a_successful_run_is_its_summary(
    working_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replace_run(monkeypatch, Outcome({"incident": 1}))
    assert cli.run(auto=True, scenario="bad-deploy") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"incident": 1}


def test_a_failed_run_prints_the_reason_and_still_ends_with_its_summary(
    working_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replace_run(monkeypatch, Outcome({"incident": None}, "Argux suspects nobody"))
    assert cli.run(auto=True, scenario="bad-deploy") == 1
    printed = capsys.readouterr()
    assert "Argux suspects nobody" in printed.err
    assert json.loads(printed.out.splitlines()[-1]) == {"incident": None}


def test_an_unknown_scenario_prints_the_known_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(auto=True, scenario="meteor") == 2
    assert "bad-deploy, no-fault" in capsys.readouterr().err


def test_the_error_for_a_port_in_use_names_the_port_and_the_setting(
    working_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = int(os.environ["ARGUX_PORT"])
    with socket.create_server(("127.0.0.1", port + 1)):
        assert cli.run(auto=True, scenario="no-fault") == 1
    errors = " ".join(capsys.readouterr().err.split())
    assert f"Port {port + 1} (the demo's workspace) is in use" in errors
    assert "ARGUX_PORT" in errors
    assert not (working_directory / ".demo").exists()


def test_without_git_the_demo_names_what_to_install(
    working_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(working_directory))
    assert cli.run(auto=True, scenario="no-fault") == 1
    assert "git is not on the PATH" in capsys.readouterr().err


@pytest.mark.parametrize(("auto", "code"), [(True, 130), (False, 0)])
def test_a_signal_stops_the_demo_after_cleanup(
    working_directory: Path, monkeypatch: pytest.MonkeyPatch, auto: bool, code: int
) -> None:
    cleaned_up: list[bool] = []

    async def run_demo(*_: object, auto: bool) -> Outcome:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)
            cleaned_up.append(True)
        raise AssertionError("it was not stopped")

    monkeypatch.setattr(cli, "run_demo", run_demo)
    assert cli.run(auto=auto, scenario="bad-deploy") == code
    assert cleaned_up == [True]


def test_a_run_starts_with_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "old.db").touch()
    places = prepare_places(tmp_path / ".demo", two_free_ports())
    assert not (places.root / "old.db").exists()
    assert places.logs.is_dir()


def test_a_second_demo_in_the_same_directory_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    with (
        lock_directory(tmp_path / ".demo"),
        pytest.raises(DemoError, match="already runs"),
        lock_directory(tmp_path / ".demo"),
    ):
        pass
    with lock_directory(tmp_path / ".demo"):
        pass


def test_the_port_after_argux_port_must_be_valid_too(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="ARGUX_PORT must be below 65535"):
        prepare_places(tmp_path / ".demo", 65535)


def test_a_directory_that_cannot_be_written_stops_the_demo_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "here.lock").mkdir()
    with pytest.raises(DemoError, match=r"here\.lock cannot be written"), lock_directory(tmp_path / "here"):
        pass

    (tmp_path / "there").write_text("a file of somebody's")
    with pytest.raises(DemoError, match=r"there cannot be written"):
        prepare_places(tmp_path / "there", two_free_ports())
    assert (tmp_path / "there").read_text() == "a file of somebody's"


def test_a_port_that_is_no_number_stops_the_demo_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARGUX_PORT", "many")

    assert cli.run(auto=True, scenario="bad-deploy") == 1

    assert capsys.readouterr().err.strip() == "The demo stopped: ARGUX_PORT: must be a whole number"


def test_argux_and_the_workspace_read_the_settings_that_the_demo_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_BASE_URL", "http://somebody.elses/v1")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    places = Places(tmp_path, 8765)
    keys = make_secrets()
    config = load(write_workspace_config(places, keys))
    for name, value in argux_environment(places, keys).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.llm_base_url is None
    assert settings.argux_timezone == "Asia/Tokyo", "its charts show the clock of the one who watches"
    assert settings.slack_bot_token == config.bot_token
    assert settings.slack_signing_secret == config.signing_secret
    assert settings.github_token == config.github_token
    assert settings.jira_token == config.jira_token
    assert settings.service_repositories == {"shop": config.repositories[0], "inventory": config.repositories[0]}
    assert {person.id for person in config.users} > set(settings.approver_ids)


async def test_stopping_a_child_also_kills_its_process_group(tmp_path: Path) -> None:
    alive, held = os.pipe()
    program = (
        "import subprocess, sys, time\n"
        "inner = 'print(1, flush=True); import time; time.sleep(60)'\n"
        f"subprocess.Popen([sys.executable, '-c', inner], pass_fds=[{held}])\n"
        "time.sleep(60)\n"
    )
    log = tmp_path / "child.log"
    child = await start(
        "parent", [sys.executable, "-c", program], log=log, environment={}, directory=tmp_path, sockets=[held]
    )
    os.close(held)

    async def has_printed() -> bool:
        return child.last_lines() == "1"

    await until_true(has_printed, "starting", 60, every=0.02)
    await child.stop()
    assert child.exit_code == -signal.SIGTERM
    with os.fdopen(alive) as end:
        assert await asyncio.wait_for(asyncio.to_thread(end.read), 30) == "", "the pipe ends with its last holder"


async def test_a_failed_program_is_reported_with_its_error_output(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="no luck today"):
        await output_of([sys.executable, "-c", "raise SystemExit('no luck today')"], environment={}, directory=tmp_path)


def test_past_deploys_start_with_the_version_live_at_the_start_of_the_history() -> None:
    commits = [Commit(f"{age:02d}" * 20, "Ana", "…", NOW - timedelta(days=age)) for age in (20, 9, 5, 2)]
    log = DeployLog(commits, NOW - timedelta(days=7))
    assert [deploy.commit_sha[:2] for deploy in log.deploys] == ["09", "05", "02"]
    assert log.version_at((NOW - timedelta(days=6.9)).timestamp()) == "09" * 6
    assert log.version_at((NOW - timedelta(days=4)).timestamp()) == "05" * 6
    assert log.version_at(NOW.timestamp()) == "02" * 6
