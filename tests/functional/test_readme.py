"""The README's commands run as they are printed, on a real Argux that nothing has been set for."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from bot import cli
from storage.funnels import create_funnel, list_funnels
from tests.functional.stack import STARTS_WITHIN_SECONDS, eventually
from tests.ports import free_port
from workers.services import Services
from workers.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
DEMO, REAL_START, BY_HAND, TREE = range(4)

# Each shell command that the prose names, with what a reader puts in the place of the capitals; None: a process that
# goes on until it is stopped, which other tests run.
NAMED: dict[str, str | None] = {
    "argux migrate": "argux migrate",
    "argux web": None,
    "argux worker": None,
    "argux scheduler": None,
    "argux up": None,
    "argux tail FILE …": None,
    "argux limits add METRIC LIMIT": "argux limits add queue_depth 100",
    "argux limits add": None,
    "argux patterns add NAME REGEX": "argux patterns add timeouts 'timed out after \\d+'",
    "argux experiment Signup variant control new": "argux experiment Signup variant control new",
    "argux backtest FILE.csv": "argux backtest history.csv",
    "argux audit verify": "argux audit verify",
    "argux calibration": "argux calibration",
    # There is no folder and no incident to name; tests/unit/bot/investigate and tests/scenarios/bot/exporting do it.
    "argux investigate FOLDER …": None,
    "argux export-incident ID": None,
    "argux jobs list": "argux jobs list",
    # There is no job to name; tests/unit/bot/commands has them.
    "argux jobs retry NUMBER": None,
    "argux jobs dismiss NUMBER": None,
    'argux maintenance start shop --for 2h --reason "new database"': (
        'argux maintenance start shop --for 2h --reason "new database"'
    ),
    "argux doctor": "argux doctor",
}

SAID_WITHOUT_DATA = "No entry of these days had variant = 'control'."
"""What comparing two variants says as long as nobody has been in either."""


@dataclass(frozen=True, slots=True)
class Started:
    """A running `argux up` in the newcomer's directory."""

    directory: Path
    environment: dict[str, str]
    port: int
    process: subprocess.Popen[bytes]

    def log(self) -> str:
        return (self.directory / "up.log").read_text(errors="replace")

    def shell(self, script: str) -> str:
        """Run lines as a newcomer types them; the first that fails ends the test with what it printed."""
        finished = subprocess.run(
            ["bash", "-e", "-c", script], cwd=self.directory, env=self.environment, capture_output=True, text=True,
            timeout=STARTS_WITHIN_SECONDS, check=False,
        )  # fmt: skip
        assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr}"
        return finished.stdout


def lines_of(block: int) -> list[str]:
    """Return a block's command lines, without what only makes the virtual environment."""
    lines = [re.sub(r"\s{2,}#.*$", "", line).strip() for line in BLOCKS[block].splitlines()]
    return [line for line in lines if line and ".venv/bin/activate" not in line]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Run the block of the real start up to `argux up`, on a free port."""
    directory = tmp_path_factory.mktemp("newcomer")
    shutil.copy(ROOT / ".env.example", directory)
    port = free_port()
    ours = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    environment |= {"ARGUX_PORT": str(port), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment |= {"PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo", "NO_PROXY": "127.0.0.1"}
    copying, starting, *_ = lines_of(REAL_START)
    subprocess.run(shlex.split(copying), cwd=directory, env=environment, check=True)
    with (directory / "up.log").open("wb") as log:
        process = subprocess.Popen(shlex.split(starting), cwd=directory, env=environment, stdout=log, stderr=log)
    running = Started(directory, environment, port, process)
    try:

        def listens() -> bool:
            assert process.poll() is None, running.log()
            return "Argux listens" in running.log()

        eventually(listens, seconds=STARTS_WITHIN_SECONDS, what="Argux to listen")
        yield running
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture
def in_the_directory(started: Started, monkeypatch: pytest.MonkeyPatch) -> Started:
    """Let commands of this process run as in the newcomer's terminal."""
    monkeypatch.chdir(started.directory)
    monkeypatch.setattr("bot.logs.configure_logging", lambda level: None)
    monkeypatch.setenv("ARGUX_PORT", str(started.port))
    return started


def test_every_block_of_the_readme_is_known_here() -> None:
    assert len(BLOCKS) == TREE + 1
    assert "make demo" in BLOCKS[DEMO]
    assert re.search(r"^demo:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert lines_of(REAL_START)[:2] == ["cp .env.example .env", "argux up"]
    assert BLOCKS[BY_HAND].count("curl") == 3
    assert "detection/ " in BLOCKS[TREE]


def test_when_argux_says_that_it_listens_it_answers(started: Started) -> None:
    assert f"Argux listens on http://127.0.0.1:{started.port}" in started.log()
    answer = httpx.get(f"http://127.0.0.1:{started.port}/health/db", trust_env=False, timeout=60)
    assert answer.is_success


def test_a_start_with_nothing_set_says_what_will_not_work_and_what_to_set(started: Started) -> None:
    log = started.log()

    for setting in ("SLACK_BOT_TOKEN", "APPROVER_IDS", "GITHUB_TOKEN", "JIRA_URL", "TEAMS_WEBHOOK_URL"):
        assert log.count(f"{setting}") == 1, setting
    assert "ARGUX_TIMEZONE=Asia/Tokyo" in log
    assert "setting_without_effect" not in log


def test_the_second_terminal_of_the_real_start_runs(started: Started) -> None:
    printed = started.shell("\n".join(lines_of(REAL_START)[2:]))

    assert printed.startswith("argux_")
    assert "settings:  ok" in printed
    assert re.search(r"^Slack: +not set", printed, re.MULTILINE)


def test_the_examples_by_hand_run_and_run_again(started: Started) -> None:
    script = BLOCKS[BY_HAND].replace("8765", str(started.port))
    quietly = 'curl() { command curl --silent --show-error --fail-with-body "$@"; echo; }\n'

    event, deploy, funnel = (json.loads(line) for line in started.shell(quietly + script).splitlines())

    assert event == {"accepted": 1, "duplicates": 0}, "its time is a current one, so it counts"
    assert deploy["duplicate"] is False
    assert (funnel["name"], len(funnel["steps"])) == ("Signup", 2)
    again = script.replace("by-hand", "by-hand-2").replace("create me ", "create me-2 ")
    *_, refused = started.shell('curl() { command curl --silent "$@"; echo; }\n' + again).splitlines()
    assert f"Funnel {funnel['id']} is called 'Signup' already" in json.loads(refused)["error"]["message"]


def define_signup() -> None:
    """Define the funnel that the prose names, unless the examples by hand have done so already."""
    services = Services(Settings())
    steps = [{"name": name, "event_filter": {"event": name}} for name in ("view", "done")]
    with services.sessions.begin() as session:
        if all(funnel.name != "Signup" for funnel in list_funnels(session)):
            create_funnel(
                session, name="Signup", steps=steps, baseline_days=7, window_minutes=30, now=datetime.now(UTC)
            )
    services.engine.dispose()


def test_every_command_that_the_prose_names_runs(in_the_directory: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    prose = re.sub(r"^```\n.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(argux [^`]+)`", prose)) == set(NAMED)
    points = "\n".join(f"2026-11-{day:02d}T{hour:02d}:00:00Z,{hour}" for day in range(1, 15) for hour in range(24))
    monkeypatch.setenv("SEGMENT_DIMENSIONS", "country,variant")
    (in_the_directory.directory / "history.csv").write_text(f"timestamp,value\n{points}\n")
    define_signup()

    for command in filter(None, NAMED.values()):
        result = CliRunner().invoke(cli.app, shlex.split(command)[1:])
        assert result.exit_code == 0 or SAID_WITHOUT_DATA in result.output, f"{command}: {result.output}"


def test_a_second_start_on_the_same_port_is_refused_at_once_with_who_holds_it(started: Started) -> None:
    again = subprocess.run(
        ["argux", "up"], cwd=started.directory, env=started.environment, capture_output=True, text=True,
        timeout=STARTS_WITHIN_SECONDS, check=False,
    )  # fmt: skip

    assert again.returncode != 0
    [line] = again.stderr.splitlines()
    assert f"Port {started.port} (web) is in use" in line
    assert "ARGUX_PORT" in line
    assert again.stdout == ""
