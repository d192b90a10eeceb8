"""One way in for every kind of record: let in, read, parse, recognise, store; and count what was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Request
from sqlalchemy.exc import OperationalError

from bot.auth import KeyRing
from bot.errors import BotError, MalformedError, TooLargeError
from bot.intake import Gate, Limits, content_encoding, content_type
from bot.metrics import Metrics
from bot.responses import database_away
from detection.types import Event
from integrations.inbound.records import Parsed, PayloadError, PayloadTooLargeError, Rejection
from storage.errors import DatabaseUnavailableError
from storage.telemetry.group_commit import GroupCommit
from storage.telemetry.protocol import Appended, TelemetryStore
from workers.services import Services

Record = TypeVar("Record")
Result = TypeVar("Result")

STORING_THREADS = 4
"""Parsing holds the interpreter and SQLite takes one writer: more threads would only keep Slack's clicks waiting."""

SMALL_BYTES = 8192
SMALL_RECORDS = 20

"""So much of a body, and so many events, are small."""

REASONS = {
    400: "cut_short",
    401: "unauthorized",
    403: "forbidden",
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
        self._threads = CapacityLimiter(STORING_THREADS)
        self._small_events = GroupCommit[Event](self._commit_events)

    async def receive(self, request: Request, door: Door[Record], secret: str | None) -> Receipt:
        """Store what a request brought; raises BotError's tree where nothing of it could be stored."""
        with self.refusals_counted(door.name), self.gate.admit() as visit:
            await self._recognise(door, secret)
            media_type = content_type(request, door.content_types)
            encoding = content_encoding(request, door.content_encodings)
            body = await visit.read_body(request)
            return await self._store(door, secret, body, media_type, encoding)

    async def receive_message(self, body: bytes, door: Door[Record], secret: str | None, media_type: str) -> Receipt:
        """Store a message that came another way than by HTTP, whole and decompressed; raises as `receive` does."""
        with self.refusals_counted(door.name), self.gate.admit() as visit:
            visit.carry(len(body))
            await self._recognise(door, secret)
            return await self._store(door, secret, body, media_type, "")

    async def _store(
        self, door: Door[Record], secret: str | None, body: bytes, media_type: str, encoding: str
    ) -> Receipt:
        now = self.services.clock().timestamp()
        payload = Payload(body, media_type, encoding, now, self.gate.limits.decoded_bytes)
        parcel = await self._parsed(door, payload)
        if door.key_in_body and not secret:
            await self.ring.identify(parcel.api_key)
        appended = await self._appended(door, parcel.parsed.records)
        self._count(parcel.sender or door.name, appended, parcel.parsed.rejections)
        return Receipt(appended.accepted, appended.duplicates, parcel.parsed.rejections, parcel.sender)

    async def _recognise(self, door: Door[Record], secret: str | None) -> None:
        """Ask for the key before the body is read, unless it may be in the body."""
        if not door.signed and (secret or not door.key_in_body):
            await self.ring.identify(secret)

    async def _parsed(self, door: Door[Record], payload: Payload) -> Parcel[Record]:
        """A small body is read at once: a thread would take longer. Checking a signature may want a download first."""
        if len(payload.body) <= SMALL_BYTES and not payload.content_encoding and not door.signed:
            with _told_to_the_sender():
                return door.parse(payload)
        return await self.in_thread(partial(door.parse, payload))

    async def _appended(self, door: Door[Record], records: Sequence[Record]) -> Appended:
        events = [record for record in records[: SMALL_RECORDS + 1] if isinstance(record, Event)]
        if records and len(events) == len(records) <= SMALL_RECORDS:
            return await self._small_events.append(events)
        return await self.in_thread(partial(door.append, self.services.telemetry, records))

    async def _commit_events(self, groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        return await self.in_thread(partial(self.services.telemetry.append_event_groups, groups))

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Run work that parses or stores; its errors come out as BotErrors."""
        with _told_to_the_sender():
            return await anyio.to_thread.run_sync(work, limiter=self._threads)

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
