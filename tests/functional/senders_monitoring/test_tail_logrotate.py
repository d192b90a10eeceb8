"""`argux tail` with the real logrotate: each line is stored once, whatever logrotate does to the file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detection.types import LogRecord
from tests.functional.senders_monitoring.conftest import missing
from tests.functional.stack import eventually
from tests.functional.web import Web


class Writer:
    """A program that writes numbered lines and reopens its file after a rotation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file = path.open("a")

    def write(self, lines: int) -> None:
        for _ in range(lines):
            self._file.write(f"ERROR line {self.count}\n")
            self.count += 1
        self._file.flush()

    def reopen(self) -> None:
        self._file.close()
        self._file = self.path.open("a")

    def close(self) -> None:
        self._file.close()


def rotate(path: Path, *options: str) -> None:
    """Run logrotate once with --force."""
    binary = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        missing("logrotate", "apt-get install logrotate")
    owner = f"su {path.owner()} {path.group()}"
    configuration = path.with_name("logrotate.conf")
    configuration.write_text(f"{path} {{\n  rotate 5\n  {owner}\n  " + "\n  ".join(options) + "\n}\n")
    configuration.chmod(0o644)
    command = [str(binary), "--force", "--state", str(path.with_name("logrotate.state")), str(configuration)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stderr


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(web: Web, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts `argux tail`. All started processes are stopped at the end."""
    running: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        environment = web.environment | {"ARGUX_DATA_DIR": str(tmp_path / "data"), "ARGUX_KEY": web.key}
        with (tmp_path / "tail.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "tail", *arguments],
                env=environment, cwd=tmp_path, stdout=log, stderr=log,
            )  # fmt: skip
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    directory = tmp_path / "logs"
    # logrotate refuses directories that others may write to.
    directory.mkdir(mode=0o755)
    made = Writer(directory / "app.log")
    yield made
    made.close()


def numbers(web: Web, service: str) -> list[int]:
    return sorted(int(record.body.rpartition(" ")[2]) for record in records(web, service))


def records(web: Web, service: str) -> list[LogRecord]:
    return [record for record in web.logs() if record.service == service]


def wait_for_all_lines(web: Web, service: str, writer: Writer) -> None:
    eventually(
        lambda: len(numbers(web, service)) >= writer.count, seconds=180, what=f"{writer.count} lines of {service}"
    )
    assert numbers(web, service) == list(range(writer.count))


@pytest.mark.parametrize(
    ("service", "options"),
    [
        ("renamed", ["create 0644"]),
        ("renamed-compressed", ["create 0644", "compress"]),
        ("copied", ["copytruncate"]),
        ("copied-compressed", ["copytruncate", "compress"]),
    ],
)
def test_no_line_is_lost_or_duplicated_when_logrotate_rotates_under_a_running_tail(
    web: Web, start: Start, writer: Writer, service: str, options: list[str]
) -> None:
    start(str(writer.path), "--service", service, "--from-start", "--to", web.url)
    writer.write(100)
    wait_for_all_lines(web, service, writer)
    for _ in range(2):
        writer.write(50)
        rotate(writer.path, *options)
        if "copytruncate" not in options:
            # Lines that the program still writes to the old file are not lost either.
            writer.write(25)
            writer.reopen()
        writer.write(25)
        wait_for_all_lines(web, service, writer)


@pytest.mark.parametrize(
    ("service", "options"),
    [
        ("away-renamed", ["create 0644"]),
        ("away-renamed-compressed", ["create 0644", "compress"]),
        ("away-copied", ["copytruncate"]),
        ("away-copied-compressed", ["copytruncate", "compress"]),
    ],
)
def test_a_killed_tail_continues_at_its_position_after_two_rotations(
    web: Web, start: Start, writer: Writer, service: str, options: list[str]
) -> None:
    first = start(str(writer.path), "--service", service, "--from-start", "--to", web.url)
    writer.write(300)
    wait_for_all_lines(web, service, writer)
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=30)
    for _ in range(2):
        writer.write(40)
        # Files with the same modification time could not be sorted by age.
        time.sleep(1.1)
        rotate(writer.path, *options)
        if "copytruncate" not in options:
            writer.reopen()
    writer.write(40)

    start(str(writer.path), "--service", service, "--from-start", "--to", web.url)
    wait_for_all_lines(web, service, writer)


def test_without_an_address_lines_are_written_directly_to_the_local_store(
    web: Web, start: Start, writer: Writer
) -> None:
    start(str(writer.path), "--service", "direct", "--from-start")
    writer.write(10)
    wait_for_all_lines(web, "direct", writer)
    one = records(web, "direct")[0]
    assert one.severity == "ERROR"
    assert one.attributes["file"] == str(writer.path)
