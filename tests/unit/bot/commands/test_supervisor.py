"""The supervisor with real processes: output, restarts, and stopping."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bot.commands.supervisor import CANNOT_PASS, Program, Supervisor

FOREVER = "import time\ntime.sleep(600)"


class Running:
    """A supervisor that runs in a thread of this process."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.out = io.StringIO()
        self.stop = threading.Event()
        self.code: int | None = None
        self._supervisor = Supervisor(programs, environment=os.environ, out=self.out)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.code = self._supervisor.run(self.stop)

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.out.getvalue()
            time.sleep(0.02)

    def end(self) -> None:
        self.stop.set()
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()


@pytest.fixture
def run() -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(**sources: str) -> Running:
        programs = [Program(name, (sys.executable, "-uc", source)) for name, source in sources.items()]
        started.append(Running(programs))
        return started[-1]

    yield start
    for running in started:
        running.end()


def is_alive(process_id: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_every_output_line_has_the_name_of_its_process(run: Callable[..., Running]) -> None:
    running = run(web=f"print('ready')\n{FOREVER}", scheduler=f"print('leads')\n{FOREVER}")

    running.until(lambda: "ready" in running.out.getvalue() and "leads" in running.out.getvalue())
    running.end()

    lines = running.out.getvalue().splitlines()
    assert "web       | ready" in lines
    assert "scheduler | leads" in lines
    assert running.code == 0


def test_a_process_that_dies_is_restarted(run: Callable[..., Running], tmp_path: Path) -> None:
    marker = tmp_path / "died"
    once = (
        f"import pathlib, os\np = pathlib.Path({str(marker)!r})\n"
        f"if not p.exists():\n    p.touch()\n    os.kill(os.getpid(), 9)\nprint('back')\n{FOREVER}"
    )

    running = run(web=once)

    running.until(lambda: "| back" in running.out.getvalue())
    assert "killed by SIGKILL; starting it again in 1 s." in running.out.getvalue()


def test_three_quick_exits_stop_all_processes_and_say_why(run: Callable[..., Running]) -> None:
    running = run(web="raise SystemExit('no such database')", worker=FOREVER)

    running.until(lambda: running.code is not None)

    assert running.code == 1
    text = running.out.getvalue()
    assert "ended 3 times in a row within 10 s (ended with exit code 1); stopping Argux." in text
    assert "its last words: no such database" in text


def test_stopping_leaves_no_process_not_even_a_grandchild(run: Callable[..., Running]) -> None:
    family = (
        "import subprocess, sys, os\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('family', os.getpid(), child.pid)\nchild.wait()"
    )
    running = run(worker=family)
    running.until(lambda: "family" in running.out.getvalue())
    members = [int(word) for word in running.out.getvalue().split()[-2:]]
    assert all(is_alive(member) for member in members)

    running.end()

    running.until(lambda: not any(is_alive(member) for member in members))


def test_a_process_that_ignores_sigterm_is_killed(run: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.commands.supervisor.STOP_SECONDS", 0.5)
    stubborn = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('stubborn')\n{FOREVER}"
    running = run(worker=stubborn)
    running.until(lambda: "| stubborn" in running.out.getvalue())

    running.end()

    assert "ending it by force" in running.out.getvalue()
    assert running.code == 0


def test_a_cause_that_cannot_pass_stops_all_at_the_first_end(run: Callable[..., Running]) -> None:
    running = run(web=f"print('the port is taken')\nraise SystemExit({CANNOT_PASS})", worker=FOREVER)

    running.until(lambda: running.code is not None)

    assert running.code == 1
    assert "web    | the port is taken" in running.out.getvalue()
    assert "starting it again" not in running.out.getvalue()


def test_the_end_of_a_process_that_ran_long_is_no_quick_exit(
    run: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs long, ends quickly twice, and then stays: two quick exits in a row are one too few to stop."""
    monkeypatch.setattr("bot.commands.supervisor.QUICK_SECONDS", 2.0)
    count = tmp_path / "count"
    source = (
        f"import pathlib, time\np = pathlib.Path({str(count)!r})\n"
        "runs = int(p.read_text()) if p.exists() else 0\np.write_text(str(runs + 1))\n"
        f"if runs == 0:\n    time.sleep(2.2)\nif runs < 3:\n    raise SystemExit(1)\nprint('stays')\n{FOREVER}"
    )

    running = run(web=source)

    running.until(lambda: "| stays" in running.out.getvalue() or running.code is not None)
    assert running.code is None
