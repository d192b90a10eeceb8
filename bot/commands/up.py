"""`argux up`: the broker if there is none, the migrations, then web, worker and scheduler under one supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from bot.commands.supervisor import Program, Supervisor
from workers.queueing.broker import broker_url, free_port, valkey_command
from workers.settings import Settings

PARTS = ("web", "worker", "scheduler")

MEMORY = {"MALLOC_ARENA_MAX": "2"}
"""glibc keeps a pool of memory for every thread otherwise, and these programs have dozens."""


def run_together(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM; the exit code is 1 when a part could not be kept running."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    programs = [Program(part, _argux(part)) for part in PARTS]
    redis_url = settings.redis_url
    if not redis_url:
        port = free_port()
        redis_url = broker_url(port)
        programs.insert(0, Program("broker", valkey_command(settings.argux_data_dir, port), ends_last=True))
    environment = {**os.environ, **MEMORY, "REDIS_URL": redis_url, "PYTHONUNBUFFERED": "1"}
    # In a process of its own, so that the supervisor does not carry the database's parts around for ever.
    migrated = subprocess.run(_argux("migrate"), env=environment, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
    if migrated.returncode != 0:
        return migrated.returncode
    print(f"Argux listens on http://{settings.argux_host}:{settings.argux_port} (Ctrl-C stops it)", flush=True)
    return Supervisor(programs, environment=environment).run(stop)


def _argux(command: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "bot.cli", command)
