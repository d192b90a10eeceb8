"""`argux doors`, run as a user types it."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime

import pytest

from bot.commands import doors
from bot.commands.tail import store_sink
from bot.reception.arrivals.glance import look
from bot.reception.arrivals.keeping import Arrivals
from bot.terminal import PlainConsole
from detection.types import LogRecord
from integrations.inbound.reading.records import Rejection
from storage.keys import create_key
from tests.unit.bot.conftest import RunArgux
from workers.services import Services


def line(number: int, words: str, *, now: float, service: str = "checkout") -> LogRecord:
    return LogRecord(f"r{number}", service, None, now - 1, "ERROR", words)


def came_in(services: Services, sender: str, *words: str, service: str = "checkout") -> None:
    """Let lines come in from a sender, beside one that is refused."""
    now = services.clock().timestamp()
    counted = Arrivals(services)
    records = [line(number, one, now=now, service=service) for number, one in enumerate(words)]
    refused = [Rejection(7, "[7].message", "must be a text")]
    counted.tallies.came_in(
        sender, "loki", now=now, accepted=len(records), glance=look(records, now), rejections=refused
    )
    counted.keep_now()


def test_before_anything_came_in_it_says_where_to_send_and_with_which_key(
    run_argux: RunArgux, services: Services
) -> None:
    said = run_argux("doors").stdout
    assert "Nothing has come in during the last hour" in said
    assert "http://127.0.0.1:8765" in said
    assert "argux keys create shop" in said
    assert "\ncurl http://127.0.0.1:8765/api/events -H 'X-API-Key: argux_…'" in said
    with services.sessions.begin() as session:
        create_key(session, "basket", role="ingest", now=datetime.now(UTC))
    assert "the key of basket" in run_argux("doors").stdout


def test_a_sender_is_shown_with_its_counts_its_last_lines_and_why_the_rest_was_refused(
    run_argux: RunArgux, services: Services
) -> None:
    came_in(services, "basket", "card refused", "card lost")
    said = " ".join(run_argux("doors").stdout.split())
    assert "basket · loki (/loki/api/v1/push), last at" in said
    assert "2 records · refused: 1 malformed · clock: 1.0 s" in said
    assert "services: checkout 2" in said
    assert "checkout ERROR card refused" in said
    assert "malformed: [7].message: must be a text." in said


def test_the_same_is_had_as_json(run_argux: RunArgux, services: Services) -> None:
    came_in(services, "basket", "card [bold]refused[/bold]")
    [report] = json.loads(run_argux("doors", "--json").stdout)["senders"]
    assert (report["sender"], report["records"]) == ("basket", 1)
    assert report["latest"][0]["words"] == "card [bold]refused[/bold]"


@pytest.mark.parametrize("width", [40, 80])
def test_it_fits_a_phone_and_a_terminal_and_says_the_same_in_both(services: Services, width: int) -> None:
    came_in(services, "a-sender-with-quite-a-long-name", "a long line " * 20, service="unknown_service:python")
    console = PlainConsole()
    console.file, console.width = io.StringIO(), width
    doors.show(services, console)
    said = console.file.getvalue()
    assert max(map(len, said.splitlines())) <= width
    assert ("unnamed" in said.splitlines()[1]) == (width == 80)
    assert "add the label `service_name`" in " ".join(said.split())


def test_lines_that_argux_tail_follows_are_shown_too(run_argux: RunArgux, services: Services) -> None:
    now = services.clock().timestamp()
    store = store_sink(services)
    store([line(1, "card refused", now=now)])
    store([line(1, "card refused", now=now), line(2, "card lost", now=now)])
    [report] = json.loads(run_argux("doors", "--json").stdout)["senders"]
    assert (report["sender"], report["door"], report["path"]) == (None, "tail", "argux tail")
    assert (report["records"], report["duplicates"]) == (2, 1)
    assert report["latest"][-1]["words"] == "card lost"


def test_what_a_sender_wrote_cannot_steer_the_terminal(run_argux: RunArgux, services: Services) -> None:
    came_in(services, "basket", "\x1b[2J\x1b[31mall fine\r\nreally \u202egnp.exe", service="\x1b[5mshop")
    assert not {"\x1b", "\r", "\u202e"} & set(run_argux("doors").stdout)


def test_watching_shows_it_again_until_it_is_told_to_stop(services: Services) -> None:
    console = PlainConsole()
    console.file = io.StringIO()

    class StopAtTheSecondWait(threading.Event):
        waits = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.waits += 1
            came_in(services, f"sender-{self.waits}", "hello")
            if self.waits == 2:
                self.set()
            return self.is_set()

    doors.watch(services, console, StopAtTheSecondWait())
    said = console.file.getvalue()
    assert said.index("Nothing has come in") < said.index("sender-1")
    assert "sender-2" not in said


def test_what_is_watched_are_the_senders_that_sent_last(services: Services) -> None:
    for number in range(5):
        came_in(services, f"sender-{number}", "hello")
    console = PlainConsole()
    console.file = io.StringIO()
    doors.show(services, console, most=2)
    said = console.file.getvalue()
    assert said.count("last at") == 2
    assert "3 more senders, in detail without --watch." in said
    assert all(f"sender-{number} · loki" in said for number in range(5))


def test_a_mistake_that_a_sender_repeats_is_shown_once(services: Services) -> None:
    counted = Arrivals(services)
    now = services.clock().timestamp()
    for seconds in range(3):
        counted.tallies.refused(
            "basket", "nowhere", "no_door", "There is nothing at /x. Is /y meant?", now=now + seconds
        )
    counted.keep_now()
    console = PlainConsole()
    console.file, console.width = io.StringIO(), 120
    doors.show(services, console)
    said = " ".join(console.file.getvalue().split())
    assert said.count("Is /y meant?") == 1
    assert ", 3 times no door: There is nothing at /x. Is /y meant?" in said
    assert "To mend it" not in said
