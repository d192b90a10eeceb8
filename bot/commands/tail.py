"""What `argux tail` does: follow log files into the local store, or send them to another machine's Argux."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import structlog
from sqlalchemy.exc import OperationalError

from bot.reception.arrivals.glance import look
from bot.reception.arrivals.keeping import Arrivals
from detection.types import LogRecord
from integrations.http import retry_after_seconds
from integrations.inbound.monitoring.plain_line import line_record
from integrations.tail import Line, Tail
from workers.errors import RefusedError
from workers.services import Services

log = structlog.get_logger()

POLL_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0

Sink = Callable[[Sequence[LogRecord]], None]
"""Stores log records, or raises StoreUnavailableError. May be called again with the same records."""


class StoreUnavailableError(Exception):
    """The store cannot take records now. retry_after_seconds: the wait it asked for, if any."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


def follow(
    paths: Sequence[Path],
    sink: Sink,
    stop: threading.Event,
    *,
    state_directory: Path,
    service: str | None = None,
    from_start: bool = False,
    clock: Callable[[], float] = time.time,
) -> None:
    """Follow log files until `stop` is set.

    service: the service of the log records; without it, it is taken from each file's name. Reading continues where the
    last run ended. While the store is unavailable this waits and retries; no line is skipped.
    """
    host = socket.gethostname()
    tails = [
        (Tail(path, state_of(path, state_directory), host=host, from_start=from_start), service or service_of(path))
        for path in paths
    ]
    try:
        while not stop.is_set():
            # One batch per file in turn, so that a busy file does not starve the others.
            forwarded = [_forward_lines(tail, name, host, sink, stop, clock()) for tail, name in tails]
            if not any(forwarded):
                stop.wait(POLL_SECONDS)
    finally:
        for tail, _ in tails:
            tail.close()


def state_of(path: Path, directory: Path) -> Path:
    """Return the file in `directory` that stores the read position in the log file `path`."""
    digest = hashlib.blake2b(str(path.absolute()).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return directory / f"{digest}.json"


def service_of(path: Path) -> str:
    """Return a service name from a file name: "shop" for /var/log/shop.log."""
    return path.name.partition(".")[0] or path.name


def _forward_lines(tail: Tail, service: str, host: str, sink: Sink, stop: threading.Event, now: float) -> bool:
    """Store the next lines of one file, retrying with backoff. Return False if there were none or `stop` was set."""
    lines = tail.read()
    if not lines:
        return False
    records = [_record(line, service, host, tail.path, now) for line in lines]
    wait = POLL_SECONDS
    while True:
        try:
            sink(records)
        except StoreUnavailableError as error:
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
            pause = wait if error.retry_after_seconds is None else error.retry_after_seconds
            log.warning("tail_waits", error=str(error), again_in_seconds=pause)
            if stop.wait(pause):
                return False
        else:
            tail.commit()
            return True


def _record(line: Line, service: str, host: str, path: Path, now: float) -> LogRecord:
    record = line_record(line.text, f"tail:{line.line_id}", service, now=now)
    return replace(record, attributes={**record.attributes, "host": host, "file": str(path)})


def store_sink(services: Services) -> Sink:
    """Return a sink that writes to this machine's own store."""
    arrivals = Arrivals(services)

    def store(records: Sequence[LogRecord]) -> None:
        try:
            appended = services.telemetry.append_logs(records)
        except OperationalError as error:
            raise StoreUnavailableError("the database cannot take the lines now") from error
        now = services.clock().timestamp()
        glance = look(records, now)
        arrivals.tallies.came_in(
            "", "tail", now=now, accepted=appended.accepted, duplicates=appended.duplicates, glance=glance
        )
        arrivals.keep_now()

    return store


def http_sink(client: httpx.Client) -> Sink:
    """Return a sink that posts to the `/_bulk` door of another Argux. client: has its base URL and API key.

    The sink raises RefusedError where a retry cannot help, such as for a wrong key or a wrong address.
    """

    def store(records: Sequence[LogRecord]) -> None:
        body = b"".join(_bulk_lines(record) for record in records)
        try:
            response = client.post("/_bulk", content=body, headers={"Content-Type": "application/x-ndjson"})
        except httpx.TransportError as error:
            raise StoreUnavailableError(f"{client.base_url} cannot be reached ({type(error).__name__})") from error
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            wait = retry_after_seconds(response.headers.get("Retry-After"), now=time.time())
            raise StoreUnavailableError(f"{client.base_url} answers {response.status_code}", wait)
        if not response.is_success:
            raise RefusedError(f"{client.base_url} answers {response.status_code}: {response.text[:300]}")
        if response.json().get("errors"):
            log.warning("lines_refused", answer=response.text[:300])

    return store


def _bulk_lines(record: LogRecord) -> bytes:
    document = {
        **record.attributes,
        "@timestamp": record.happened_at,
        "message": record.body,
        "log.level": record.severity,
        "service.name": record.service,
        "service.version": record.version,
        "trace.id": record.trace_id,
    }
    action = {"create": {"_index": "tail", "_id": record.record_id}}
    return msgspec.json.encode(action) + b"\n" + msgspec.json.encode(document) + b"\n"
