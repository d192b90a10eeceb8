"""The demo's way in and out."""

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
    alone,
    argux_environment,
    make_secrets,
    open_places,
    write_workspace_config,
)
from bot.demo.driver import Ending
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
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARGUX_PORT", str(two_free_ports()))
    return tmp_path


def two_free_ports() -> int:
    """A port and the one next door; nobody else is given either of them."""
    while True:
        port = free_port()
        with suppress(OSError):
            hold(port + 1)
            return port


def end_with(monkeypatch: pytest.MonkeyPatch, ending: Ending) -> None:
    async def perform(*_: object, auto: bool) -> Ending:
        return ending

    monkeypatch.setattr(cli, "perform", perform)


def test_the_last_line_of_a_good_run_is_its_summary(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    end_with(monkeypatch, Ending({"incident": 1}))
    assert cli.run(auto=True, scenario="bad-deploy") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"incident": 1}


def test_a_failed_run_says_why_and_still_ends_with_its_summary(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    end_with(monkeypatch, Ending({"incident": None}, "Argux suspects nobody"))
    assert cli.run(auto=True, scenario="bad-deploy") == 1
    printed = capsys.readouterr()
    assert "Argux suspects nobody" in printed.err
    assert json.loads(printed.out.splitlines()[-1]) == {"incident": None}


def test_an_unknown_scenario_is_answered_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(auto=True, scenario="meteor") == 2
    assert "bad-deploy, no-fault" in capsys.readouterr().err


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = int(os.environ["ARGUX_PORT"])
    with socket.create_server(("127.0.0.1", port + 1)):
        assert cli.run(auto=True, scenario="no-fault") == 1
    complaint = " ".join(capsys.readouterr().err.split())
    assert f"port {port + 1} is in use" in complaint
    assert "ARGUX_PORT" in complaint
    assert not (here / ".demo").exists()


def test_without_git_it_says_what_to_install(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(here))
    assert cli.run(auto=True, scenario="no-fault") == 1
    assert "git is not on the PATH" in capsys.readouterr().err


@pytest.mark.parametrize(("auto", "code"), [(True, 130), (False, 0)])
def test_a_signal_stops_it_after_it_has_tidied_up(
    here: Path, monkeypatch: pytest.MonkeyPatch, auto: bool, code: int
) -> None:
    tidied: list[bool] = []

    async def perform(*_: object, auto: bool) -> Ending:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)
            tidied.append(True)
        raise AssertionError("it was not stopped")

    monkeypatch.setattr(cli, "perform", perform)
    assert cli.run(auto=auto, scenario="bad-deploy") == code
    assert tidied == [True]


def test_a_run_begins_with_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "old.db").touch()
    places = open_places(tmp_path / ".demo", two_free_ports())
    assert not (places.root / "old.db").exists()
    assert places.logs.is_dir()


def test_a_second_demo_leaves_the_first_ones_directory_alone(tmp_path: Path) -> None:
    with alone(tmp_path / ".demo"), pytest.raises(DemoError, match="already runs"), alone(tmp_path / ".demo"):
        pass
    with alone(tmp_path / ".demo"):
        pass


def test_the_port_next_door_must_exist_too(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="ARGUX_PORT must be below 65535"):
        open_places(tmp_path / ".demo", 65535)


def test_argux_and_the_workspace_read_the_settings_that_the_demo_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_BASE_URL", "http://somebody.elses/v1")
    places = Places(tmp_path, 8765)
    keys = make_secrets()
    config = load(write_workspace_config(places, keys))
    for name, value in argux_environment(places, keys).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.llm_base_url is None
    assert settings.slack_bot_token == config.bot_token
    assert settings.slack_signing_secret == config.signing_secret
    assert settings.github_token == config.github_token
    assert settings.jira_token == config.jira_token
    assert settings.service_repositories == {"shop": config.repositories[0]}
    assert {person.id for person in config.users} > set(settings.approver_ids)


async def test_stopping_a_child_ends_what_it_left_in_its_group_too(tmp_path: Path) -> None:
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

    async def speaks() -> bool:
        return child.last_lines() == "1"

    await until_true(speaks, "starting", 60, every=0.02)
    await child.stop()
    assert child.exit_code == -signal.SIGTERM
    with os.fdopen(alive) as end:
        assert await asyncio.wait_for(asyncio.to_thread(end.read), 30) == "", "the pipe ends with its last holder"


async def test_a_program_that_fails_is_told_with_its_complaint(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="no luck today"):
        await output_of([sys.executable, "-c", "raise SystemExit('no luck today')"], environment={}, directory=tmp_path)


def test_past_deploys_begin_with_the_version_that_was_live_when_the_history_begins() -> None:
    commits = [Commit(f"{age:02d}" * 20, "Ana", "…", NOW - timedelta(days=age)) for age in (20, 9, 5, 2)]
    log = DeployLog(commits, NOW - timedelta(days=7))
    assert [deploy.commit_sha[:2] for deploy in log.deploys] == ["09", "05", "02"]
    assert log.version_at((NOW - timedelta(days=6.9)).timestamp()) == "09" * 6
    assert log.version_at((NOW - timedelta(days=4)).timestamp()) == "05" * 6
    assert log.version_at(NOW.timestamp()) == "02" * 6
