"""Child processes of the demo: each in a process group of its own, its output in a file, ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.demo.errors import DemoError

GRACE_SECONDS = 10.0


class Child:
    """A running program that this demo started."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._stopped = False

    @property
    def pid(self) -> int:
        """Its process id, which is also its group's."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    async def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Ask it to end; after the grace, end it and whatever it left in its group. Once: its id may be reused."""
        if self._stopped:
            return
        if self.exit_code is None:
            self._signal(signal.SIGTERM, group=False)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await self._process.wait()
        self._signal(signal.SIGKILL, group=True)
        await self._process.wait()
        self._stopped = True

    def last_lines(self, count: int = 15) -> str:
        """The end of its output, for an error message."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-count:])

    def _signal(self, number: signal.Signals, *, group: bool) -> None:
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            else:
                self._process.send_signal(number)


async def output_of(command: Sequence[str], *, environment: Mapping[str, str], directory: Path) -> str:
    """Run a program to its end and return what it printed; raises DemoError with its complaint."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        printed, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise DemoError(f"{' '.join(command[1:])} failed:\n{complaint.decode(errors='replace').strip()}")
    return printed.decode()


async def start(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    directory: Path | None = None,
    sockets: Sequence[int] = (),
) -> Child:
    """Start a program; `sockets` are file descriptors that it inherits under the same numbers."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=directory,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=tuple(sockets),
        )
    return Child(name, process, log)
