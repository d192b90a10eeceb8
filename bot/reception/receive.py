"""Receive records at any door: admit, read, parse, authenticate and store them, and count the refused ones."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import anyio.to_thread
from fastapi import Request
from sqlalchemy.exc import OperationalError

from bot.auth import Identity, KeyRing
from bot.errors import MalformedError, TooLargeError, UnavailableError
from bot.reception.arrivals.glance import Glance, look
from bot.reception.arrivals.keeping import Arrivals
from bot.reception.beside import Beside
from bot.reception.counting import Caller, Counting
from bot.reception.error_responses import database_unavailable
from bot.reception.gate import Gate, Limits, Visit, content_encoding, content_type
from bot.reception.prometheus import Metrics
from bot.reception.scoping import scoped
from bot.reception.visitors import visitor_of
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
"""More would not help and would delay Slack clicks: parsing holds the GIL, and SQLite allows one writer."""

PATIENCE_SECONDS = 5.0
"""How long a request waits for a thread and for the database in total, unless its door says otherwise.

Longer than the transactions of workers take. Short enough that nobody's time limit passes without an answer.
"""

SMALL_BYTES = 8192
SMALL_RECORDS = 20
"""Up to these sizes a body is parsed on the event loop, and events are stored by group commit."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A body as it arrived. now: the time of arrival in seconds UTC. visitor: a digest that tells its sender apart."""

    body: bytes
    content_type: str
    content_encoding: str
    now: float
    max_decoded_bytes: int
    visitor: str = ""


@dataclass(frozen=True, slots=True)
class ParsedBody(Generic[Record]):
    """The parsed content of a body.

    api_key: the key from the body, for senders that put it there. sender: the kind of sender, for a door that serves
    several kinds. too_old: how many of the records are from before everything that is still counted.
    """

    parsed: Parsed[Record]
    api_key: str | None = None
    sender: str = ""
    too_old: int = 0


@dataclass(frozen=True, slots=True)
class Door(Generic[Record]):
    """How to read and store the bodies of one kind of sender.

    key_in_body: the key may be in the body. signed: the door needs no key; its `parse` checks the sender's signature
    before it reads anything else, unless it was checked already. patience_seconds: how long its senders wait for the
    database; None for the usual time. has_visitors: senders may be browsers without an id.
    """

    name: str
    content_types: tuple[str, ...]
    parse: Callable[[Payload], ParsedBody[Record]]
    append: Callable[[TelemetryStore, Sequence[Record]], Appended]
    key_in_body: bool = False
    content_encodings: tuple[str, ...] = ("gzip", "deflate")
    signed: bool = False
    patience_seconds: float | None = None
    has_visitors: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many records of a body were stored, and which were rejected. sender, too_old: as in ParsedBody."""

    accepted: int
    duplicates: int
    rejections: Sequence[Rejection]
    sender: str = ""
    too_old: int = 0


class ArrivalTimes:
    """Gives each request an arrival time of its own, because a record without id and time is told apart by it alone."""

    def __init__(self) -> None:
        self._first = self._last = -math.inf

    def at(self, seconds: float) -> float:
        """Return the time, or the next moment that no earlier request got."""
        if self._first <= seconds <= self._last:
            self._last = math.nextafter(self._last, math.inf)
        else:
            self._first = self._last = seconds
        return self._last


@contextmanager
def _errors_as_bot_errors() -> Iterator[None]:
    """Turn errors of parsing and storing into BotErrors."""
    try:
        yield
    except PayloadTooLargeError as error:
        raise TooLargeError(str(error)) from error
    except PayloadError as error:
        raise MalformedError(str(error), field=error.field or None) from error
    except (OperationalError, DatabaseUnavailableError) as error:
        raise database_unavailable() from error


class Reception:
    """Receives the bodies of all doors of one web process."""

    def __init__(self, services: Services, ring: KeyRing, metrics: Metrics, limits: Limits | None = None) -> None:
        self.services = services
        self.ring = ring
        self.metrics = metrics
        self.gate = Gate(limits or Limits())
        self.arrivals = Arrivals(services)
        self.beside = Beside(services)
        self.counting = Counting(services, ring, metrics, self.arrivals.tallies)
        self._threads = asyncio.Semaphore(STORING_THREADS)
        self._thread_limit = anyio.CapacityLimiter(STORING_THREADS)
        self._times = ArrivalTimes()
        self._small_events = GroupCommit[Event](self._commit_events)

    async def receive(self, request: Request, door: Door[Record], secret: str | None) -> Receipt:
        """Store the records of a request. Raises a BotError if none of them could be stored."""
        caller = Caller.of(request)
        with self.counting.refusals(door.name, caller):
            caller.identity = await self._check_key(door, secret)
            media_type = content_type(request, door.content_types)
            encoding = content_encoding(request, door.content_encodings)
            with self.gate.visit(is_recognised=caller.identity is not None) as visit:
                body = await visit.read_body(request)
                visitor = visitor_of(request, self.services.audit_key) if door.has_visitors else ""
                return await self._store(visit, door, body, media_type, encoding, caller, visitor)

    async def receive_message(
        self, read: Callable[[], Awaitable[bytes]], door: Door[Record], secret: str | None, media_type: str
    ) -> Receipt:
        """Store a message that is complete and decompressed, such as one that came by gRPC. Raises as `receive` does.

        For a `signed` door the caller has authenticated the sender already.
        """
        caller = Caller()
        with self.counting.refusals(door.name, caller):
            caller.identity = await self._check_key(door, secret)
            with self.gate.visit(is_recognised=door.signed or caller.identity is not None) as visit:
                body = await visit.read_message(read())
                visit.count_bytes(len(body))
                return await self._store(visit, door, body, media_type, "", caller)

    async def _store(
        self,
        visit: Visit,
        door: Door[Record],
        body: bytes,
        media_type: str,
        encoding: str,
        caller: Caller,
        visitor: str = "",
    ) -> Receipt:
        now = self._times.at(self.services.clock().timestamp())
        payload = Payload(body, media_type, encoding, now, self.gate.limits.decoded_bytes, visitor)
        patience = Patience(PATIENCE_SECONDS if door.patience_seconds is None else door.patience_seconds)
        if visit.is_recognised:
            visit.store()
            parsed_body = await self._parse(door, payload, patience)
        else:
            parsed_body = await self._parse(door, payload, patience)
            if not door.signed:
                caller.identity = await self.ring.identify(parsed_body.api_key)
            visit.store()
        records = parsed_body.parsed.records
        stored = scoped(records, caller.name) if caller.identity else records
        appended, glance = await self._append(door, stored, patience, now)
        if beside := self.beside.due(parsed_body.parsed.beside, now=now):
            await self.in_thread(partial(self.beside.store, beside), patience)
        self.counting.stored(
            parsed_body.sender or door.name, caller, appended, glance, rejections=parsed_body.parsed.rejections, now=now
        )
        return Receipt(
            appended.accepted,
            appended.duplicates,
            parsed_body.parsed.rejections,
            parsed_body.sender,
            parsed_body.too_old,
        )

    async def _check_key(self, door: Door[Record], secret: str | None) -> Identity | None:
        """Check the key before the body is read. Return None if the key or the signature is in the body.

        Raises UnauthorizedError for a missing or unknown key.
        """
        if door.signed or (door.key_in_body and not secret):
            return None
        return await self.ring.identify(secret)

    async def _parse(self, door: Door[Record], payload: Payload, patience: Patience) -> ParsedBody[Record]:
        """Parse a body: a small one on the event loop, because a thread would take longer; others in a thread.

        A signed body is always parsed in a thread.
        """
        if len(payload.body) <= SMALL_BYTES and not payload.content_encoding and not door.signed:
            with _errors_as_bot_errors():
                return door.parse(payload)
        return await self.in_thread(partial(door.parse, payload), patience)

    async def _append(
        self, door: Door[Record], records: Sequence[Record], patience: Patience, now: float
    ) -> tuple[Appended, Glance]:
        """Store the records, and look at them: at many in the thread, for the event loop has no time for that."""
        events = [record for record in records[: SMALL_RECORDS + 1] if isinstance(record, Event)]
        if records and len(events) == len(records) <= SMALL_RECORDS:
            with _errors_as_bot_errors():
                return await self._small_events.append(events), look(events, now)

        def append_and_look() -> tuple[Appended, Glance]:
            return door.append(self.services.telemetry, records), look(records, now)

        return await self.in_thread(append_and_look, patience)

    async def _commit_events(self, groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        append = partial(self.services.telemetry.append_event_groups, groups)
        return await self._run(append, Patience(PATIENCE_SECONDS))

    async def in_thread(self, work: Callable[[], Result], patience: Patience | None = None) -> Result:
        """Run work that parses or stores in a thread, with a time limit. Raises its errors as BotErrors."""
        with _errors_as_bot_errors():
            return await self._run(work, patience or Patience(PATIENCE_SECONDS))

    async def _run(self, work: Callable[[], Result], patience: Patience) -> Result:
        """Run work in a thread, with a time limit for all its waiting."""

        def work_with_patience() -> Result:
            with waiting_with(patience):
                return work()

        await self._acquire_thread(patience)
        try:
            return await anyio.to_thread.run_sync(work_with_patience, limiter=self._thread_limit)
        finally:
            self._threads.release()

    async def _acquire_thread(self, patience: Patience) -> None:
        """Wait for a free thread. Raises UnavailableError if that takes too long."""
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
