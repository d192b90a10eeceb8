"""Agents run with the very blocks of docs/connecting.md, against a web process of Argux."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from detection.types import LogRecord
from tests.functional.senders_monitoring.conftest import missing
from tests.functional.stack import eventually
from tests.functional.web import Web
from tests.tools import UNPACKED, UNPACKED_INTO, find_unpacked

PAGE = Path(__file__).parents[3] / "docs" / "connecting.md"


def recipe(heading: str, **values: str) -> str:
    """Return the first block under a heading of docs/connecting.md, with each value put in place of what it names."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^##? |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/connecting.md has no section {heading}"
    block = re.search(r"^```\w*\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)
    assert block is not None, f"the section {heading} has no block"
    text = block[1]
    for written, value in values.items():
        assert written in text, f"{heading}: its block has no {written}"
        text = text.replace(written, value)
    return text


class UnpackedAgent:
    """A syslog daemon of Debian, unpacked into the virtual environment. `socket` takes what programs log."""

    def __init__(self, program: str, directory: Path) -> None:
        found = find_unpacked(program)
        if found is None:
            missing(program, f"`{sys.executable} tests/tools.py` unpacks it on Debian, as root")
        self.program = str(found)
        self.root = UNPACKED_INTO / UNPACKED[program]
        self.directory = directory
        self.socket = directory / "log"
        self.configuration = directory / "agent.conf"

    @property
    def libraries(self) -> list[Path]:
        """The directories of its shared libraries, which differ by architecture."""
        return [
            *self.root.glob("usr/lib/*-linux-gnu"),
            *self.root.glob("lib/*-linux-gnu"),
            self.root / "usr/lib/syslog-ng",
        ]

    @contextmanager
    def running(self, *arguments: str) -> Iterator[None]:
        """Run the agent until the end of the block; it is ready when its socket is there."""
        environment = {"LD_LIBRARY_PATH": ":".join(map(str, self.libraries)), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        with (self.directory / "agent.log").open("wb") as log:
            process = subprocess.Popen([self.program, *arguments], env=environment, stdout=log, stderr=log)

        def is_ready() -> bool:
            assert process.poll() is None, (self.directory / "agent.log").read_text()
            return self.socket.exists()

        try:
            eventually(is_ready, seconds=60, what=self.program)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)

    def say(self, message: str) -> None:
        """Write a message to the socket as the C library's syslog(3) does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.sendto(message.encode(), str(self.socket))

    def log(self, *words: str, service: str, priority: str) -> None:
        """Log as a program on this machine does, by `logger`."""
        logger = shutil.which("logger")
        if logger is None:
            missing("logger", "apt-get install bsdutils")
        command = [logger, "--socket", str(self.socket), "--tag", service, "--priority", priority, "--", *words]
        subprocess.run(command, check=True, timeout=60)


@pytest.fixture(scope="module")
def agent_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agent")


Records = Callable[[str, int], Sequence[LogRecord]]


@pytest.fixture
def records_of(web: Web) -> Records:
    """Return a function that waits for so many records of a service."""

    def look(service: str, count: int) -> Sequence[LogRecord]:
        def found() -> list[LogRecord] | None:
            records = [record for record in web.logs() if record.service == service]
            return records if len(records) >= count else None

        return eventually(found, seconds=60, what=f"{count} records of {service}")

    return look
