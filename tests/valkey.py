"""A real Valkey for tests, on a port of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port
from workers.queueing.broker import broker_url, valkey_command, wait_until_ready


@dataclass
class Valkey:
    """`restart` ends it at once, as a power cut would, and starts it again over the same files."""

    directory: Path
    port: int

    def __post_init__(self) -> None:
        self.url = broker_url(self.port)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            valkey_command(self.directory, self.port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until_ready(self.url)

    def restart(self) -> None:
        self.process.kill()
        self.process.wait(timeout=30)
        self.start()


@contextmanager
def running_valkey(directory: Path) -> Iterator[Valkey]:
    valkey = Valkey(directory, free_port())
    try:
        yield valkey
    finally:
        valkey.process.terminate()
        valkey.process.wait(timeout=30)
