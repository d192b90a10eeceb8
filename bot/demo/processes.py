"""Child processes of the demo. Each has its own process group and log file; stopping it kills the group."""

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
    """A process that the demo started."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._stopped = False

    @property
    def pid(self) -> int:
        """The process id, which is also the process group id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while the process runs."""
        return self._process.returncode

    async def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Send SIGTERM, wait up to `grace_seconds`, then kill whatever is left in its process group.

        A second call does nothing, because the process id may have been reused.
        """
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
        """Return the last lines of its output, for an error message."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-count:])

    def _signal(self, number: signal.Signals, *, group: bool) -> None:
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            else:
                self._process.send_signal(number)


async def output_of(command: Sequence[str], *, environment: Mapping[str, str], directory: Path) -> str:
    """Run a program to completion and return its standard output. Raises DemoError with its standard error."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise DemoError(f"{' '.join(command[1:])} failed:\n{errors.decode(errors='replace').strip()}")
    return output.decode()


async def start(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    directory: Path | None = None,
    sockets: Sequence[int] = (),
) -> Child:
    """Start a program; `sockets` are file descriptors that it inherits with the same numbers."""
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
