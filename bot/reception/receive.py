"""One way in for every kind of record: let in, read, parse, recognise, store; and count what was refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import anyio.to_thread
from fastapi import Request
from sqlalchemy.exc import OperationalError

from bot.auth import KeyRing
from bot.errors import BotError, MalformedError, TooLargeError, UnavailableError
from bot.reception.error_responses import database_away
from bot.reception.gate import Gate, Limits, Visit, content_encoding, content_type
from bot.reception.prometheus import Metrics
from detection.types import Event
from integrations.inbound.reading.records import Parsed, PayloadError, PayloadTooLargeError, Rejection
from storage.database.patience import Patience, waiting_with
from storage.errors import DatabaseUnavailableError
from storage.telemetry.hot.group_commit import GroupCommit
from storage.telemetry.protocol import Appended, TelemetryStore
from workers.services import Services

Record = TypeVar("Record")
Result = TypeVar("Result")

STORING_THREADS = 4
"""Parsing holds the interpreter and SQLite takes one writer: more threads would only keep Slack's clicks waiting."""

PATIENCE_SECONDS = 5.0
"""So long a request waits for a thread and for the database in all.

Longer than the transactions of workers take, and so short that OpenTelemetry's exporters, which give up after 10 s, are
told in time to come again.
"""

SMALL_BYTES = 8192
SMALL_RECORDS = 20

"""So much of a body, and so many events, are small."""

REASONS = {
    400: "cut_short",
    401: "unauthorized",
    403: "forbidden",
    408: "too_slow",
    413: "too_large",
    415: "wrong_type",
    422: "malformed",
    429: "busy",
}


@dataclass(frozen=True, slots=True)
class Payload:
    """A body as it came; `now` is the moment of arrival in seconds UTC."""

    body: bytes
    content_type: str
    content_encoding: str
    now: float
    max_decoded_bytes: int


@dataclass(frozen=True, slots=True)
class Parcel(Generic[Record]):
    """What a body held; `api_key` for the senders that put it there, `sender` where one door takes several kinds."""

    parsed: Parsed[Record]
    api_key: str | None = None
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Door(Generic[Record]):
    """One kind of sender: what its bodies look like and where their records go.

    A `signed` door asks for no key: its `parse` checks the sender's signature before it reads anything else.
    """

    name: str
    content_types: tuple[str, ...]
    parse: Callable[[Payload], Parcel[Record]]
    append: Callable[[TelemetryStore, Sequence[Record]], Appended]
    key_in_body: bool = False
    content_encodings: tuple[str, ...] = ("gzip", "deflate")
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a body's records; `sender` is the parcel's."""

    accepted: int
    duplicates: int
    rejections: Sequence[Rejection]
    sender: str = ""


@contextmanager
def _told_to_the_sender() -> Iterator[None]:
    """Errors of parsing and storing come out as BotErrors."""
    try:
        yield
    except PayloadTooLargeError as error:
        raise TooLargeError(str(error)) from error
    except PayloadError as error:
        raise MalformedError(str(error), field=error.field or None) from error
    except (OperationalError, DatabaseUnavailableError) as error:
        raise database_away() from error


class Reception:
    """Takes bodies in at every door of one web process."""

    def __init__(self, services: Services, ring: KeyRing, metrics: Metrics, limits: Limits | None = None) -> None:
        self.services = services
        self.ring = ring
        self.metrics = metrics
        self.gate = Gate(limits or Limits())
        self._threads = asyncio.Semaphore(STORING_THREADS)
        self._thread_limit = anyio.CapacityLimiter(STORING_THREADS)
        self._given_up_at = float("-inf")
        self._small_events = GroupCommit[Event](self._commit_events)

    async def receive(self, request: Request, door: Door[Record], secret: str | None) -> Receipt:
        """Store what a request brought; raises BotError's tree where nothing of it could be stored."""
        with self.refusals_counted(door.name):
            is_recognised = await self._is_recognised(door, secret)
            media_type = content_type(request, door.content_types)
            encoding = content_encoding(request, door.content_encodings)
            with self.gate.visit(is_recognised=is_recognised) as visit:
                body = await visit.read_body(request)
                return await self._store(visit, door, body, media_type, encoding)

    async def receive_message(
        self, read: Callable[[], Awaitable[bytes]], door: Door[Record], secret: str | None, media_type: str
    ) -> Receipt:
        """Store a message that comes another way than by HTTP, whole and decompressed; raises as `receive` does.

        The sender of a `signed` door was believed already.
        """
        with self.refusals_counted(door.name):
            await self._is_recognised(door, secret)
            with self.gate.visit(is_recognised=True) as visit:
                body = await visit.in_time(read())
                visit.carry(len(body))
                return await self._store(visit, door, body, media_type, "")

    async def _store(self, visit: Visit, door: Door[Record], body: bytes, media_type: str, encoding: str) -> Receipt:
        now = self.services.clock().timestamp()
        payload = Payload(body, media_type, encoding, now, self.gate.limits.decoded_bytes)
        patience = Patience(PATIENCE_SECONDS)
        if visit.is_recognised:
            visit.store()
            parcel = await self._parsed(door, payload, patience)
        else:
            parcel = await self._parsed(door, payload, patience)
            if not door.signed:
                await self.ring.identify(parcel.api_key)
            visit.store()
        appended = await self._appended(door, parcel.parsed.records, patience)
        self._count(parcel.sender or door.name, appended, parcel.parsed.rejections)
        return Receipt(appended.accepted, appended.duplicates, parcel.parsed.rejections, parcel.sender)

    async def _is_recognised(self, door: Door[Record], secret: str | None) -> bool:
        """Ask for the key before the body is read, unless it may be in the body, or the body is signed."""
        if door.signed or (door.key_in_body and not secret):
            return False
        await self.ring.identify(secret)
        return True

    async def _parsed(self, door: Door[Record], payload: Payload, patience: Patience) -> Parcel[Record]:
        """A small body is read at once: a thread would take longer. Checking a signature may want a download first."""
        if len(payload.body) <= SMALL_BYTES and not payload.content_encoding and not door.signed:
            with _told_to_the_sender():
                return door.parse(payload)
        return await self.in_thread(partial(door.parse, payload), patience)

    async def _appended(self, door: Door[Record], records: Sequence[Record], patience: Patience) -> Appended:
        events = [record for record in records[: SMALL_RECORDS + 1] if isinstance(record, Event)]
        if records and len(events) == len(records) <= SMALL_RECORDS:
            with _told_to_the_sender():
                return await self._small_events.append(events)
        return await self.in_thread(partial(door.append, self.services.telemetry, records), patience)

    async def _commit_events(self, groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        append = partial(self.services.telemetry.append_event_groups, groups)
        return await self._run(append, Patience(PATIENCE_SECONDS))

    async def in_thread(self, work: Callable[[], Result], patience: Patience | None = None) -> Result:
        """Run work that parses or stores, with so much patience; its errors come out as BotErrors."""
        with _told_to_the_sender():
            return await self._run(work, patience or Patience(PATIENCE_SECONDS))

    async def _run(self, work: Callable[[], Result], patience: Patience) -> Result:
        """Whoever came before somebody gave up on the database would wait in vain behind them, and is told at once."""

        def patiently() -> Result:
            with waiting_with(patience):
                return work()

        await self._thread(patience)
        try:
            if patience.since < self._given_up_at:
                raise DatabaseUnavailableError("The database is locked.")
            return await anyio.to_thread.run_sync(patiently, limiter=self._thread_limit)
        except (OperationalError, DatabaseUnavailableError):
            if not patience.left:
                self._given_up_at = time.monotonic()
            raise
        finally:
            self._threads.release()

    async def _thread(self, patience: Patience) -> None:
        """Wait for a thread; raises UnavailableError when that takes too long."""
        if not self._threads.locked():
            await self._threads.acquire()
            return
        with patience.spending() as seconds:
            try:
                async with asyncio.timeout(seconds):
                    await self._threads.acquire()
            except TimeoutError as error:
                raise UnavailableError(
                    "There is too much to store right now; send it again in 1 second.", retry_after_seconds=1
                ) from error

    @contextmanager
    def refusals_counted(self, door: str) -> Iterator[None]:
        """Count a whole request that is refused, under its reason."""
        try:
            yield
        except BotError as error:
            self.metrics.rejected.labels(door, REASONS.get(error.status, "unavailable")).inc()
            raise

    def _count(self, door: str, appended: Appended, rejections: Sequence[Rejection]) -> None:
        self.metrics.accepted.labels(door).inc(appended.accepted)
        if appended.duplicates:
            self.metrics.duplicates.labels(door).inc(appended.duplicates)
        if rejections:
            self.metrics.rejected.labels(door, "malformed").inc(len(rejections))
