"""The syslog door by itself: who may send, and what happens while the database is unavailable."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network

import pytest
from sqlalchemy.exc import OperationalError

from bot.auth import KeyRing
from bot.doors.syslog import SyslogDoor, listening
from bot.reception.prometheus import Metrics
from bot.reception.receive import Reception
from detection.types import LogRecord
from integrations.inbound.syslog.message import read_syslog
from storage.telemetry.protocol import Appended
from tests import ports
from workers.services import Services

MESSAGE = b"<11>1 2026-02-07T12:00:00Z web-1 shop 12 - - refused"


@pytest.fixture
def reception(services: Services) -> Reception:
    return Reception(services, KeyRing(services.readers), Metrics())


def free_port() -> int:
    """Return a port that is free for TCP and UDP."""
    while True:
        port = ports.free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, suppress(OSError):
            other.bind(("127.0.0.1", port))
            return port


@asynccontextmanager
async def open_door(reception: Reception, *networks: str) -> AsyncIterator[int]:
    door = SyslogDoor(reception, [ip_network(network) for network in networks])
    port = free_port()
    await door.open("127.0.0.1", port)
    try:
        yield port
    finally:
        await door.close()


def send_datagram(port: int, message: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(message, ("127.0.0.1", port))


async def send_stream(port: int, *messages: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for message in messages:
        writer.write(message + b"\n")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to pass within 60 s")


def stored(reception: Reception) -> Sequence[LogRecord]:
    return reception.services.telemetry.log_samples(since=0.0, until=1e11)


def counted(reception: Reception, reason: str) -> float:
    return reception.metrics.registry.get_sample_value(
        "argux_ingest_rejected_total", {"door": "syslog", "reason": reason}
    ) or 0.0  # fmt: skip


async def test_messages_of_both_protocols_are_stored(reception: Reception) -> None:
    async with open_door(reception, "127.0.0.0/8") as port:
        send_datagram(port, MESSAGE)
        await send_stream(port, MESSAGE, MESSAGE)
        await eventually(lambda: len(stored(reception)) == 3)
    assert {record.service for record in stored(reception)} == {"shop"}


async def test_queued_messages_are_written_before_the_door_closes(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[LogRecord] = []

    def noted(data: bytes, record_id: str, *, now: float, sender: str) -> LogRecord:
        queued.append(read_syslog(data, record_id, now=now, sender=sender))
        return queued[-1]

    monkeypatch.setattr("bot.doors.syslog.read_syslog", noted)
    async with open_door(reception, "127.0.0.0/8") as port:
        await send_stream(port, *[MESSAGE] * 50)
        await eventually(lambda: len(queued) == 50)
    assert len(stored(reception)) == 50


async def test_a_sender_that_is_not_on_the_list_is_refused(reception: Reception) -> None:
    async with open_door(reception, "10.0.0.0/8", "::1/128") as port:
        send_datagram(port, MESSAGE)
        await send_stream(port, MESSAGE)
        await eventually(lambda: counted(reception, "forbidden") == 2)
    assert stored(reception) == []


async def test_a_bad_message_is_counted_and_the_next_one_is_stored(reception: Reception) -> None:
    async with open_door(reception, "127.0.0.0/8") as port:
        await send_stream(port, b"x" * 70_000, MESSAGE)
        send_datagram(port, b"")
        await eventually(lambda: len(stored(reception)) == 1)
        await eventually(lambda: counted(reception, "malformed") == 1)
    assert counted(reception, "too_large") == 1


async def test_what_is_not_understood_is_stored_whole_and_counted(reception: Reception) -> None:
    async with open_door(reception, "127.0.0.0/8") as port:
        await send_stream(port, b"503 times refused", MESSAGE)
        send_datagram(port, b"<11>1 1970-01-01T00:00:00Z h a - - - old")
        await eventually(lambda: len(stored(reception)) == 3)
    assert {(record.service, record.body) for record in stored(reception)} == {
        ("unknown_service", "503 times refused"), ("shop", "refused"), ("a", "old"),
    }  # fmt: skip
    sample = reception.metrics.registry.get_sample_value
    assert sample("argux_ingest_not_understood_total", {"door": "syslog"}) == 1


async def test_a_connection_that_stays_open_holds_no_message_back(reception: Reception) -> None:
    async with open_door(reception, "127.0.0.0/8") as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            MESSAGE + b"\n\tat line 2\n" + MESSAGE + b"\x00%d " % len(MESSAGE) + MESSAGE + b"\n" + MESSAGE + b"\n"
        )
        await writer.drain()
        await eventually(lambda: len(stored(reception)) == 4)
        writer.close()
    assert sorted(record.body for record in stored(reception)) == ["refused"] * 3 + ["refused\n\tat line 2"]


async def test_no_message_is_lost_while_the_database_is_unavailable(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry = reception.services.telemetry
    append, failures = telemetry.append_logs, [2]

    def append_later(records: Sequence[LogRecord]) -> Appended:
        if failures[0]:
            failures[0] -= 1
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        return append(records)

    monkeypatch.setattr(telemetry, "append_logs", append_later)
    monkeypatch.setattr("bot.reception.error_responses.DATABASE_RETRY_SECONDS", 0.05)
    async with open_door(reception, "127.0.0.0/8") as port:
        await send_stream(port, MESSAGE, MESSAGE)
        await eventually(lambda: len(stored(reception)) == 2)
    assert failures == [0]


async def test_without_a_port_there_is_no_door(reception: Reception) -> None:
    async with listening(reception):
        assert reception.services.settings.syslog_port is None


async def test_a_stack_trace_of_one_program_is_one_record_and_two_programs_are_not_mixed(reception: Reception) -> None:
    def told(process: int, text: str) -> bytes:
        return f"<30>1 - web-1 lamps {process} - - {text}".encode()

    trace = ["Traceback (most recent call last):", '  File "lamps.py", line 3, in light', "KeyError: 'wick'"]
    lines = [told(process, text) for text in trace for process in (12, 13)]
    async with open_door(reception, "127.0.0.0/8") as port:
        await send_stream(port, *lines, told(12, "lamp lit"))
        await eventually(lambda: sum(record.body.count("\n") + 1 for record in stored(reception)) == 7)
    found = [(record.attributes["process"], record.severity, record.body) for record in stored(reception)]
    whole = "\n".join(trace)
    assert sorted(found) == [("12", "ERROR", whole), ("12", "INFO", "lamp lit"), ("13", "ERROR", whole)]
