"""What `argux tail` makes of the lines of a file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.commands.tail import StoreUnavailableError, follow
from detection.types import LogRecord

HEAD = ["lamp 1 lit", "java.lang.IllegalStateException: no wick", "\tat com.example.Lamp.light(Lamp.java:12)"]
REST = ["\tat com.example.Main.main(Main.java:3)", "Caused by: java.io.IOException: closed", "\t... 2 more"]


class Waits(threading.Event):
    """An event that does something where others would wait, instead of waiting."""

    def __init__(self, *acts: Callable[[], None]) -> None:
        super().__init__()
        self._acts = list(acts)

    def wait(self, timeout: float | None = None) -> bool:
        """Do the next act; without one more the file is quiet, so stop."""
        if self._acts:
            self._acts.pop(0)()
        else:
            self.set()
        return self.is_set()


def write(path: Path, lines: Sequence[str]) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lamps.log"


def followed(path: Path, stop: threading.Event, refusals: int = 0) -> list[list[LogRecord]]:
    """Follow the file from its start, and return what was sent, one list for each time."""
    sent: list[list[LogRecord]] = []
    left = [refusals]

    def sink(records: Sequence[LogRecord]) -> None:
        if left[0]:
            left[0] -= 1
            raise StoreUnavailableError("away")
        sent.append(list(records))

    follow([path], sink, stop, state_directory=path.parent / "state", service="lamps", from_start=True)
    return sent


def test_a_trace_that_is_still_being_written_is_read_to_its_end(path: Path) -> None:
    write(path, HEAD)
    sent = followed(path, Waits(lambda: write(path, REST), lambda: write(path, ["lamp 2 lit"])))
    bodies = [record.body for records in sent for record in records]
    assert bodies == ["lamp 1 lit", "\n".join([*HEAD[1:], *REST]), "lamp 2 lit"]
    assert [record.severity for records in sent for record in records] == ["INFO", "ERROR", "INFO"]


def test_a_trace_after_a_line_with_its_time_takes_that_time(path: Path) -> None:
    trace = ["2026-02-07 12:00:00,123 ERROR lamps: lighting failed", *HEAD[1:]]
    write(path, [*trace, "2026-02-07 12:00:05,000 INFO lamps: lit"])
    [[failed, lit]] = followed(path, Waits())
    assert (failed.body, failed.happened_at) == ("\n".join(trace), 1770465600.123)
    assert lit.severity == "INFO"


def test_a_trace_that_never_ends_is_sent_all_the_same(path: Path) -> None:
    write(path, ["panic: no wick"])
    more = [lambda: write(path, ["\tlamps.go:3"])] * 50
    sent = followed(path, Waits(*more))
    assert len(sent) > 1
    assert sum(record.body.count("lamps.go:3") for records in sent for record in records) == 50


def test_a_trace_is_kept_while_the_store_is_away(path: Path) -> None:
    write(path, [*HEAD, *REST])
    sent = followed(path, Waits(lambda: None, lambda: None, lambda: None), refusals=2)
    assert [[record.body for record in records] for records in sent] == [
        ["lamp 1 lit", "\n".join([*HEAD[1:], *REST])],
    ]


def test_lines_without_a_trace_are_sent_at_once(path: Path) -> None:
    write(path, ["lamp 1 lit", '{"level":"error","msg":"lamp out","lamp":3}'])
    [records] = followed(path, Waits())
    assert [(record.severity, record.body) for record in records] == [("INFO", "lamp 1 lit"), ("ERROR", "lamp out")]
    assert records[1].attributes["lamp"] == 3
