"""What `argux tail` does: follow log files into the local store, or send them to another machine's Argux."""

from __future__ import annotations

import hashlib
import math
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from itertools import repeat
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import msgspec
import structlog
from sqlalchemy.exc import OperationalError

from bot.reception.arrivals.glance import look
from bot.reception.arrivals.keeping import Arrivals
from detection.types import LogRecord
from integrations.http import retry_after_seconds
from integrations.inbound.lines.traces import join_traces
from integrations.inbound.monitoring.plain_line import line_record
from integrations.inbound.reading.local_times import FileTimes
from integrations.inbound.reading.times import Zoneless
from integrations.tail import Line, Tail
from integrations.tail_files import end_of
from workers.errors import RefusedError
from workers.services import Services

log = structlog.get_logger()

POLL_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
TRACE_WAIT_SECONDS = 0.2
TRACE_READS = 5
"""How often lines are read on for a stack trace that the last read may have cut."""

Sink = Callable[[Sequence[LogRecord]], None]
"""Stores log records, or raises StoreUnavailableError. May be called again with the same records."""


@dataclass(frozen=True, slots=True)
class _Followed:
    """A file that is followed, whose lines it has, and how the times in it are read."""

    tail: Tail
    service: str
    times: FileTimes


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
    zones: Sequence[tzinfo | None] = (None, UTC),
    clock: Callable[[], float] = time.time,
) -> None:
    """Follow log files until `stop` is set.

    service: the service of the log records; without it, it is taken from each file's name. zones: which zones times
    without one may be in, as for FileTimes. Reading continues where the last run ended. While the store is unavailable
    this waits and retries; no line is skipped.
    """
    host = socket.gethostname()
    tails = [
        _Followed(
            Tail(path, state_of(path, state_directory), host=host, from_start=from_start),
            service or service_of(path),
            FileTimes(zones),
        )
        for path in paths
    ]
    try:
        while not stop.is_set():
            # One batch per file in turn, so that a busy file does not starve the others.
            forwarded = [_forward_lines(followed, host, sink, stop, clock()) for followed in tails]
            if not any(forwarded):
                stop.wait(POLL_SECONDS)
    finally:
        for followed in tails:
            followed.tail.close()


def zones_of(named: str | None, team: tzinfo) -> Sequence[tzinfo | None]:
    """Return the zones that times without one may be in: `named` alone, else this machine's, UTC, or the team's.

    Raises RefusedError if there is no zone of that name.
    """
    if named is None:
        return (None, UTC, team)
    try:
        return (ZoneInfo(named),)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RefusedError(f"{named!r} is no time zone; give one such as Europe/Berlin or UTC") from error


def state_of(path: Path, directory: Path) -> Path:
    """Return the file in `directory` that stores the read position in the log file `path`."""
    digest = hashlib.blake2b(str(path.absolute()).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return directory / f"{digest}.json"


def service_of(path: Path) -> str:
    """Return a service name from a file name: "shop" for /var/log/shop.log."""
    return path.name.partition(".")[0] or path.name


def _forward_lines(followed: _Followed, host: str, sink: Sink, stop: threading.Event, now: float) -> bool:
    """Store the next lines of one file, retrying with backoff. Return False if there were none or `stop` was set."""
    records = _next_records(followed, host, stop, now)
    if not records:
        return False
    tail = followed.tail
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


def _next_records(followed: _Followed, host: str, stop: threading.Event, now: float) -> Sequence[LogRecord]:
    """Read the next lines, traces as one record each. A trace at the end may still be being written: it is waited for.

    The position is saved only after the records are stored, so waiting here can lose nothing.
    """
    found: list[LogRecord] = []
    for _ in range(TRACE_READS):
        more = followed.tail.read()
        found += _records(more, followed, host, now) if more else []
        joined = join_traces(found, repeat(followed.service, len(found)), seconds_apart=math.inf)
        if not more or not joined.is_unfinished or stop.wait(TRACE_WAIT_SECONDS):
            break
    return joined.records


def _records(lines: Sequence[Line], followed: _Followed, host: str, now: float) -> list[LogRecord]:
    end = end_of(followed.tail.path)
    if end is not None:
        last_lines, modified_at = end
        followed.times.compare(last_lines, modified_at=modified_at)
    zoneless = followed.times.reading(now)
    return [_record(line, followed, host, now, zoneless) for line in lines]


def _record(line: Line, followed: _Followed, host: str, now: float, zoneless: Zoneless) -> LogRecord:
    record = line_record(line.text, f"tail:{line.line_id}", followed.service, now=now, zoneless=zoneless)
    return replace(record, attributes={**record.attributes, "host": host, "file": str(followed.tail.path)})


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
