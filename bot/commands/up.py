"""What `argux up` does: run the migrations, then web, worker, scheduler and, without REDIS_URL, a broker."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.commands.errors import CommandError
from bot.commands.supervisor import Program, Supervisor
from bot.setup.broker import require_broker
from bot.setup.ports import require_usable, wanted_ports
from bot.setup.warnings import warn_of_settings
from workers.queueing.broker import broker_url, reserved_port, valkey_command
from workers.settings import Settings

PROCESSES = (("web", "--supervised"), ("worker", "--supervised"), ("scheduler",))
"""Command and options of each; what is not set has been told once, by `argux up` itself."""

MEMORY_SETTINGS = {"MALLOC_ARENA_MAX": "2"}
"""Limit glibc's memory pools: by default it keeps one for nearly every thread, and these programs have dozens."""


def run_together(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM and return the exit code.

    It is 1 when a process could not be kept running, and that of the migrations when they fail. Raises
    PortUnusableError or BrokerUnusableError before anything is started, and CommandError if one runs here already.
    """
    require_usable(wanted_ports(settings))
    if settings.redis_url:
        require_broker(settings.redis_url)
    warn_of_settings(settings)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    programs = [Program(words[0], _argux_command(*words)) for words in PROCESSES]
    if settings.redis_url:
        return _run(programs, settings.redis_url, stop)
    with _only_one(settings.argux_data_dir), reserved_port() as port:
        broker = Program("broker", valkey_command(settings.argux_data_dir, port), ends_last=True)
        return _run([broker, *programs], broker_url(port), stop)


@contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """Keep a second `argux up` away from the files of this one's broker. Raises CommandError if there is one."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(
                f"Argux runs in {directory.resolve()} already. Stop it first, or give this one its own ARGUX_DATA_DIR "
                "and DATABASE_URL."
            ) from error
        yield


def _run(programs: Sequence[Program], redis_url: str, stop: threading.Event) -> int:
    """Bring the schema up to date, then run the programs until `stop` is set. Return the exit code."""
    environment = {**os.environ, **MEMORY_SETTINGS, "REDIS_URL": redis_url, "PYTHONUNBUFFERED": "1"}
    # In a separate process, so that the supervisor does not keep the database libraries in memory.
    migration = subprocess.run(_argux_command("migrate"), env=environment, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
    if migration.returncode != 0:
        return migration.returncode
    print("Argux starts; Ctrl-C stops it.", flush=True)
    return Supervisor(programs, environment=environment).run(stop)


def _argux_command(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "bot.cli", *words)
