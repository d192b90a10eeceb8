"""Run several Argux processes as one: prefix their output, restart them with backoff, stop them cleanly."""

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
"""A process that ends sooner than this counts as one that failed to start."""

QUICK_EXITS = 3

CANNOT_PASS = 78
"""The exit code of a process that would fail the same way again until a person changes something (EX_CONFIG)."""

STOP_SECONDS = 12.0
"""More than the web process needs: 5 s for its requests, 3 s to write queued syslog messages, 3 s for gRPC."""

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    """A process to keep running: its short name for the output, and its command line.

    ends_last: it is stopped after the others, which need it while they stop.
    """

    name: str
    command: Sequence[str]
    ends_last: bool = False


@dataclass(slots=True)
class _Child:
    """A running program. It leads its own process session, so that everything it starts can be stopped with it."""

    program: Program
    process: subprocess.Popen[str]
    started_at: float
    reader: threading.Thread
    last_lines: list[str] = field(default_factory=list)


class Supervisor:
    """Runs programs until told to stop, or until one of them fails to start QUICK_EXITS times in a row, or once
    with CANNOT_PASS.

    environment: the programs' environment variables. Output lines go to `out`, prefixed with the program's name.
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
        self._quick_exits: dict[str, int] = {}
        self._start_at: dict[str, float] = {}
        self._width = max(len(program.name) for program in programs)

    def run(self, stop: threading.Event) -> int:
        """Run until `stop` is set (return 0) or a program cannot be kept running (return 1); then stop them all."""
        try:
            for program in self._programs:
                self._start(program)
            while not stop.wait(POLL_SECONDS):
                if not all(self._check(program) for program in self._programs):
                    return 1
            return 0
        finally:
            self._stop_all()

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
                self._print_line(name, line.rstrip())

    def _print_line(self, name: str, text: str) -> None:
        self._out.write(f"{name:<{self._width}} | {text}\n")
        self._out.flush()

    def _check(self, program: Program) -> bool:
        """Restart a program that has ended, when its backoff is over. Return False if it cannot be kept running."""
        child = self._children.get(program.name)
        if child is None:
            if self._monotonic() >= self._start_at[program.name]:
                self._start(program)
            return True
        code = child.process.poll()
        return True if code is None else self._handle_exit(child, code)

    def _handle_exit(self, child: _Child, code: int) -> bool:
        """Schedule the restart of an ended program, after 1 s and then 2 s. Return False after too many quick exits."""
        name = child.program.name
        child.reader.join(timeout=1)
        _signal_session(child.process, signal.SIGKILL)
        del self._children[name]
        lifetime = self._monotonic() - child.started_at
        self._quick_exits[name] = self._quick_exits.get(name, 0) + 1 if lifetime < QUICK_SECONDS else 0
        quick_exits = self._quick_exits[name]
        if code == CANNOT_PASS:
            self._print_line(name, "cannot start until that is mended; stopping Argux.")
            return False
        if quick_exits >= QUICK_EXITS:
            self._print_line(
                name,
                f"ended {quick_exits} times in a row within {QUICK_SECONDS:g} s ({_exit_text(code)}); stopping Argux.",
            )
            for line in child.last_lines:
                self._print_line(name, f"  its last words: {line}")
            return False
        wait = 2.0 ** max(0, quick_exits - 1)
        self._print_line(name, f"{_exit_text(code)}; starting it again in {wait:g} s.")
        self._start_at[name] = self._monotonic() + wait
        return True

    def _stop_all(self) -> None:
        """Stop the programs in two groups: first those that need others, then those with `ends_last`."""
        children = list(self._children.values())
        self._stop([child for child in children if not child.program.ends_last])
        self._stop([child for child in children if child.program.ends_last])
        self._children.clear()

    def _stop(self, children: Sequence[_Child]) -> None:
        """Send SIGTERM to all, wait for them up to STOP_SECONDS in total, then kill what is left of their sessions."""
        for child in children:
            _signal_session(child.process, signal.SIGTERM)
        deadline = self._monotonic() + STOP_SECONDS
        for child in children:
            try:
                child.process.wait(timeout=max(0.0, deadline - self._monotonic()))
            except subprocess.TimeoutExpired:
                self._print_line(child.program.name, f"did not end within {STOP_SECONDS:g} s; ending it by force.")
            _signal_session(child.process, signal.SIGKILL)
            child.process.wait()
            child.reader.join(timeout=1)


def _exit_text(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _signal_session(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to every process of the session that `process` leads; do nothing if none is left."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
