"""Keeps several processes of Argux running as one: prefixed output, restarts with back-off, a clean end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

QUICK_SECONDS = 10.0
"""A process that lives no longer than this never really started."""

QUICK_DEATHS = 3
STOP_SECONDS = 12.0
"""More than web takes at most: 5 s for its requests, then 3 s to write what syslog brought, then 3 s for gRPC."""

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    """A process to keep running: its short name for the output, and its command line.

    ends_last: the others need it while they end.
    """

    name: str
    command: Sequence[str]
    ends_last: bool = False


@dataclass(slots=True)
class _Child:
    """One program as it runs now. It leads a session of its own, so that everything it starts can be ended with it."""

    program: Program
    process: subprocess.Popen[str]
    started_at: float
    reader: threading.Thread
    last_lines: list[str] = field(default_factory=list)


class Supervisor:
    """Runs programs until told to stop, or until one of them dies QUICK_DEATHS times in a row without starting.

    `environment` is what the programs see; output lines go to `out` with the program's name before them.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        environment: Mapping[str, str],
        out: TextIO = sys.stdout,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._programs = programs
        self._environment = dict(environment)
        self._out = out
        self._monotonic = monotonic
        self._children: dict[str, _Child] = {}
        self._quick_deaths: dict[str, int] = {}
        self._start_at: dict[str, float] = {}
        self._width = max(len(program.name) for program in programs)

    def run(self, stop: threading.Event) -> int:
        """Block until `stop` is set (0) or a program cannot be kept running (1); no process is left either way."""
        try:
            for program in self._programs:
                self._start(program)
            while not stop.wait(POLL_SECONDS):
                if not all(self._tend(program) for program in self._programs):
                    return 1
            return 0
        finally:
            self._end_all()

    def _start(self, program: Program) -> None:
        process = subprocess.Popen(  # noqa: S603 - commands are Argux's own
            program.command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            start_new_session=True,
        )
        last_lines: list[str] = []
        reader = threading.Thread(target=self._read, args=(program.name, process, last_lines), daemon=True)
        self._children[program.name] = _Child(program, process, self._monotonic(), reader, last_lines)
        reader.start()

    def _read(self, name: str, process: subprocess.Popen[str], last_lines: list[str]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                last_lines[:] = [*last_lines[-4:], line.rstrip()]
                self._say(name, line.rstrip())

    def _say(self, name: str, text: str) -> None:
        self._out.write(f"{name:<{self._width}} | {text}\n")
        self._out.flush()

    def _tend(self, program: Program) -> bool:
        """Look after one program; False when it cannot be kept running."""
        child = self._children.get(program.name)
        if child is None:
            if self._monotonic() >= self._start_at[program.name]:
                self._start(program)
            return True
        code = child.process.poll()
        return True if code is None else self._bury(child, code)

    def _bury(self, child: _Child, code: int) -> bool:
        """Note a death and plan the next start, 1, 2, 4 … seconds on; False after too many."""
        name = child.program.name
        child.reader.join(timeout=1)
        _end_session(child.process, signal.SIGKILL)
        del self._children[name]
        lived = self._monotonic() - child.started_at
        self._quick_deaths[name] = self._quick_deaths.get(name, 0) + 1 if lived < QUICK_SECONDS else 1
        deaths = self._quick_deaths[name]
        if deaths >= QUICK_DEATHS:
            self._say(
                name, f"ended {deaths} times in a row within {QUICK_SECONDS:g} s ({_ending(code)}); stopping Argux."
            )
            for line in child.last_lines:
                self._say(name, f"  its last words: {line}")
            return False
        wait = 2.0 ** (deaths - 1)
        self._say(name, f"{_ending(code)}; starting it again in {wait:g} s.")
        self._start_at[name] = self._monotonic() + wait
        return True

    def _end_all(self) -> None:
        """End those that need others first, then the others."""
        children = list(self._children.values())
        self._end([child for child in children if not child.program.ends_last])
        self._end([child for child in children if child.program.ends_last])
        self._children.clear()

    def _end(self, children: Sequence[_Child]) -> None:
        """Ask all to end at once, wait together, then end by force whatever is left of their sessions."""
        for child in children:
            _end_session(child.process, signal.SIGTERM)
        deadline = self._monotonic() + STOP_SECONDS
        for child in children:
            try:
                child.process.wait(timeout=max(0.0, deadline - self._monotonic()))
            except subprocess.TimeoutExpired:
                self._say(child.program.name, f"did not end within {STOP_SECONDS:g} s; ending it by force.")
            _end_session(child.process, signal.SIGKILL)
            child.process.wait()
            child.reader.join(timeout=1)


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _end_session(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal every process of the session that `process` leads; nothing where none is left."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
