"""The syslog door: RFC 5424 (and 3164) over UDP and TCP on one port, if SYSLOG_PORT is set.

Syslog has neither keys nor answers. Senders are therefore restricted by address (SYSLOG_ALLOW), and a received message
stays in memory until the next write, a fraction of a second later. While the database cannot write, TCP senders have to
wait (back-pressure); UDP messages that do not fit into the queue are dropped and counted.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import count

import structlog

from bot.doors.syslog_frames import LONGEST_MESSAGE, Framed, Frames, other_protocol
from bot.errors import BotError
from bot.reception.arrivals.glance import look
from bot.reception.counting import Caller
from bot.reception.receive import Reception
from detection.types import LogRecord
from integrations.inbound.lines.traces import join_traces
from integrations.inbound.monitoring.log_fields import UNKNOWN_SERVICE
from integrations.inbound.reading.records import FieldError
from integrations.inbound.syslog.message import read_syslog

DOOR = "syslog"
QUEUE_LENGTH = 10_000
BATCH = 1_000
BATCH_WAIT_SECONDS = 0.2
"""How long the writer waits for more messages, so that they are written in one batch."""

MOST_CONNECTIONS = 256
READ_BYTES = 65_536
RETRY_SECONDS = 2.0
STOP_SECONDS = 3.0

log = structlog.get_logger()

Network = IPv4Network | IPv6Network


@asynccontextmanager
async def listening(reception: Reception) -> AsyncIterator[None]:
    """Receive syslog messages for the duration of the block, if SYSLOG_PORT is set."""
    settings = reception.services.settings
    if settings.syslog_port is None:
        yield
        return
    allowed = [ip_network(network) for network in settings.syslog_allow]
    door = SyslogDoor(reception, allowed)
    await door.open(settings.syslog_host or settings.argux_host, settings.syslog_port)
    try:
        yield
    finally:
        await door.close()


def _source(record: LogRecord, peer: str) -> Hashable:
    """Return what tells the lines of one program on one machine from those of others."""
    return peer, record.service, record.attributes.get("host"), record.attributes.get("process")


class SyslogDoor(asyncio.DatagramProtocol):
    """The UDP and TCP listeners, and the queue between them and the store."""

    def __init__(self, reception: Reception, allowed: Sequence[Network]) -> None:
        self._reception = reception
        self._allowed = allowed
        self._queue: asyncio.Queue[tuple[LogRecord, Hashable]] = asyncio.Queue(QUEUE_LENGTH)
        self._connections: set[asyncio.Task[None]] = set()
        self._process = secrets.token_hex(8)
        self._numbers = count()

    async def open(self, host: str, port: int) -> None:
        """Listen on both protocols. Raises OSError if the port is in use."""
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, host, port, limit=READ_BYTES)
        try:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        except OSError:
            self._server.close()
            raise
        self._writer = asyncio.create_task(self._write())
        log.info("syslog_listens", host=host, port=port)

    async def close(self) -> None:
        """Stop listening, then write the queued messages, for at most STOP_SECONDS."""
        self._server.close()
        self._transport.close()
        for connection in list(self._connections):
            connection.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._queue.join(), STOP_SECONDS)
        self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Queue one UDP message, or drop and count it if the queue is full: a UDP sender cannot be made to wait."""
        record = self._read(data, addr[0])
        if record is None:
            return
        try:
            self._queue.put_nowait((record, _source(record, addr[0])))
        except asyncio.QueueFull:
            self._refuse("busy", f"the queue is full: a message of {addr[0]} by UDP is lost; TCP waits")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one TCP connection until it ends."""
        peer = str(writer.get_extra_info("peername")[0])
        task = asyncio.current_task()
        assert task is not None
        if not self._may_send(peer) or len(self._connections) >= MOST_CONNECTIONS:
            if self._may_send(peer):
                self._refuse("busy", f"{peer} is one connection too many: {MOST_CONNECTIONS} are open already")
            else:
                self._refuse_network(peer)
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._read_stream(reader, peer)
        except (ConnectionError, asyncio.CancelledError):
            # The cancellation stops here, because asyncio's stream server would log it as a failure.
            return
        finally:
            self._connections.discard(task)
            writer.close()

    async def _read_stream(self, reader: asyncio.StreamReader, peer: str) -> None:
        frames = Frames()
        is_first = True
        while True:
            try:
                async with asyncio.timeout(frames.patience):
                    data = await reader.read(READ_BYTES)
            except TimeoutError:
                await self._queue_all(frames.overdue(), peer)
                continue
            if is_first and (other := other_protocol(data)):
                self._refuse("malformed", f"{peer} {other}")
                return
            is_first = False
            await self._queue_all(frames.feed(data) if data else frames.end(), peer)
            if not data:
                return

    async def _queue_all(self, framed: Framed, peer: str) -> None:
        """Queue the messages of one piece of a stream, and wait where the queue is full."""
        for _ in range(framed.too_long):
            self._refuse("too_large", f"a message of {peer} is longer than {LONGEST_MESSAGE:,} bytes")
        for message in framed.messages:
            record = self._read(message, peer) if message.strip(b" \t\r") else None
            if record is not None:
                await self._queue.put((record, _source(record, peer)))

    def _read(self, data: bytes, peer: str) -> LogRecord | None:
        if not self._may_send(peer):
            self._refuse_network(peer)
            return None
        now = self._reception.services.clock().timestamp()
        # Syslog senders do not retry, so equal lines are different messages: each gets its own number.
        record_id = f"{DOOR}:{self._process}:{next(self._numbers)}"
        try:
            record = read_syslog(data, record_id, now=now, sender=peer)
        except FieldError as error:
            self._refuse("malformed", f"a message of {peer}: {error.field} {error.message}")
            return None
        if record.service == UNKNOWN_SERVICE:
            self._reception.metrics.not_understood.labels(DOOR).inc()
        return record

    def _may_send(self, peer: str) -> bool:
        address = ip_address(peer.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._allowed)

    def _refuse_network(self, peer: str) -> None:
        self._refuse("forbidden", f"{peer} is in none of the networks of SYSLOG_ALLOW; add it there to hear it")

    def _refuse(self, reason: str, message: str) -> None:
        self._reception.counting.refused(DOOR, reason, message, Caller())

    async def _write(self) -> None:
        """Write the queued messages to the store in batches, until cancelled."""
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(BATCH_WAIT_SECONDS)
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            records, sources = zip(*batch, strict=True)
            await self._store(join_traces(records, sources).records)
            for _ in batch:
                self._queue.task_done()

    async def _store(self, batch: Sequence[LogRecord]) -> None:
        """Write a batch, and retry until it succeeds."""
        while True:
            try:
                append = partial(self._reception.services.telemetry.append_logs, batch)
                appended = await self._reception.in_thread(append)
            except BotError as error:
                log.warning("syslog_waits", error=error.message)
                await asyncio.sleep(error.retry_after_seconds or RETRY_SECONDS)
            else:
                now = self._reception.services.clock().timestamp()
                self._reception.counting.stored(DOOR, Caller(), appended, look(batch, now), now=now)
                return
