"""The throughput of event ingestion, and the space that a million events take in the hot store.

Batches: 1,000 events per request to the real web process, which answers when they are durable; the peer is a bare loop
that decodes the same bodies and inserts the same columns into the same tables, with the same durability. Single events:
requests per second; the peer is an empty handler on the same server. Both sides are measured in turns, and the round
with the median share counts, so that other load in a single round does not matter. Space: how much the web process, a
process that rolls up, and the database's files grow per further million events.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

import httpx

from tests.benchmarks.empty_handler import PATH as EMPTY
from tests.benchmarks.figures import Figure
from tests.functional.stack import eventually
from tests.ports import free_port

BATCH_SHARE, SINGLE_SHARE, MEGABYTES = 0.35, 0.5, 400.0
BATCH = 1000
BATCHES = 30
SINGLES = 3000
BATCH_CONNECTIONS, SINGLE_CONNECTIONS = 4, 32
ROUNDS = 5
WARM_UP, MEASURED = 150, 210
EVENTS_A_VISIT, AT_ONCE = 20, 5000
EVENTS = "/api/events"
INSERT = (
    "INSERT INTO events (event_id, event, user_id, happened_at, arrived_at, properties, other_id, is_merge)"
    " VALUES (?, ?, ?, ?, ?, ?, NULL, NULL) ON CONFLICT DO NOTHING"
)


def run(data: Path) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name, _running(Path(name)) as server:
        batches, bare = _rounds(lambda: _batches(server), lambda: _bare_loop(server))
        yield Figure(
            "ingest_batch_share", batches / bare, "share", "bare decode-and-insert loop, events/s", bare,
            at_least=BATCH_SHARE,
        )  # fmt: skip
        singles, empty = _rounds(lambda: _singles(server, EVENTS), lambda: _singles(server, EMPTY))
        yield Figure(
            "ingest_single_share", singles / empty, "share", "empty handler, requests/s", empty, at_least=SINGLE_SHARE
        )
    with tempfile.TemporaryDirectory() as name, _running(Path(name)) as server:
        room, on_disk = _space_per_million(server)
        yield Figure("hot_mb_per_million", room, "MB", "of it the database's files, MB", on_disk, at_most=MEGABYTES)


@dataclass(frozen=True, slots=True)
class _Server:
    directory: Path
    port: int
    process: subprocess.Popen[bytes]
    secret: str
    random: Random
    numbers: Iterator[int]

    @property
    def database(self) -> Path:
        return self.directory / "argux.db"

    def request(self, path: str, body: bytes) -> bytes:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-API-Key: {self.secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def events(self, how_many: int) -> list[dict[str, object]]:
        """Make events like those of a shop: random ids, a few properties, 20 events per visit, 250 visitors at once."""
        now, random = time.time(), self.random
        return [
            {
                "event_id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
                "event": random.choice(["page_viewed", "added_to_cart", "checkout_completed", "payment_completed"]),
                "user_id": f"user-{(next(self.numbers) + random.randrange(AT_ONCE)) // EVENTS_A_VISIT:08d}",
                "timestamp": now - random.random() * 60,
                "properties": {
                    "country": random.choice(["de", "fr", "us"]),
                    "device": random.choice(["phone", "desktop"]),
                    "path": f"/products/{random.randrange(10_000)}",
                },
            }
            for _ in range(how_many)
        ]

    def batch_bodies(self, how_many: int) -> list[bytes]:
        return [json.dumps(self.events(BATCH)).encode() for _ in range(how_many)]


@contextmanager
def _running(directory: Path) -> Iterator[_Server]:
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.endswith(("_TOKEN", "_URL", "_proxy"))},
        "ARGUX_PORT": str(port),
        "ARGUX_DATA_DIR": str(directory / "argux"),
        "DATABASE_URL": f"sqlite:///{directory / 'argux.db'}",
        "AUDIT_KEY": secrets.token_hex(16),
        "LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }

    def command(*arguments: str) -> str:
        finished = subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            env=environment, cwd=directory, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return finished.stdout

    command("migrate")
    shutil.copy(directory / "argux.db", directory / "bare.db")
    secret = next(word for word in command("keys", "create", "benchmark").split() if word.startswith("argux_"))
    process = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.empty_handler"], env=environment, cwd=directory)
    try:
        eventually(lambda: _is_up(port), seconds=60, what="the web process")
        yield _Server(directory, port, process, secret, Random(7), count())
    finally:
        process.terminate()
        process.wait(timeout=20)


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


def _rounds(ours: Callable[[], float], peer: Callable[[], float]) -> tuple[float, float]:
    """Return both sides of the round with the median share, so that other load in a single round does not matter."""
    pairs = sorted(((ours(), peer()) for _ in range(ROUNDS)), key=lambda pair: pair[0] / pair[1])
    return pairs[ROUNDS // 2]


def _batches(server: _Server) -> float:
    """Return events per second."""
    requests = [server.request(EVENTS, body) for body in server.batch_bodies(BATCHES)]
    return BATCHES * BATCH / asyncio.run(_send_all(server.port, requests, BATCH_CONNECTIONS))


def _singles(server: _Server, path: str) -> float:
    """Return requests per second, with one event each."""
    requests = [server.request(path, json.dumps(event).encode()) for event in server.events(SINGLES)]
    return SINGLES / asyncio.run(_send_all(server.port, requests, SINGLE_CONNECTIONS))


async def _send_all(port: int, requests: Sequence[bytes], connections: int) -> float:
    """Send all requests over `connections` connections, each waiting for its answers; return the seconds it took."""
    waiting = iter(requests)
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]

    async def keep_sending(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 201"), head
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))

    began = time.perf_counter()
    await asyncio.gather(*(keep_sending(reader, writer) for reader, writer in opened))
    seconds = time.perf_counter() - began
    for _, writer in opened:
        writer.close()
    return seconds


def _bare_loop(server: _Server) -> float:
    """Return the events per second that a bare loop decodes and commits, batch by batch."""
    bodies = server.batch_bodies(BATCHES)
    with closing(sqlite3.connect(server.directory / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("PRAGMA wal_autocheckpoint = 8000")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        began = time.perf_counter()
        for body in bodies:
            now = time.time()
            rows = [
                (
                    event["event_id"], event["event"], event["user_id"], event["timestamp"], now,
                    json.dumps(event["properties"]),
                )
                for event in json.loads(body)
            ]  # fmt: skip
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERT, rows)
            connection.execute("COMMIT")
        return BATCHES * BATCH / (time.perf_counter() - began)


def _space_per_million(server: _Server) -> tuple[float, float]:
    """Return the MB that each further million events takes, and the MB of files in it, without the initial size.

    Files, web process and roll-up are added up, so that the sum covers the hot store however it is divided.
    """
    _fill(server, WARM_UP)
    before, files_before = _used_bytes(server), _files(server)
    _fill(server, MEASURED)
    taken, files = _used_bytes(server), _files(server)
    return (taken - before) / (MEASURED * BATCH), (files - files_before) / (MEASURED * BATCH)


def _fill(server: _Server, batches: int) -> None:
    for _ in range(0, batches, BATCHES):
        requests = [server.request(EVENTS, body) for body in server.batch_bodies(BATCHES)]
        asyncio.run(_send_all(server.port, requests, BATCH_CONNECTIONS))


def _used_bytes(server: _Server) -> int:
    """Return bytes: the files, the web process, and the growth of a process that rolls up what is pending."""
    rolling = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.rolling_up", f"sqlite:///{server.database}"],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return _files(server) + _resident(server.process.pid) + int(rolling.stdout)


def _files(server: _Server) -> int:
    return sum(path.stat().st_size for path in server.directory.glob("argux.db*"))


def _resident(pid: int) -> int:
    """Return the resident memory of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
