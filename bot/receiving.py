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
from integrations.inbound.records import Parsed, PayloadError, PayloadTooLargeError, Rejection
from storage.telemetry.protocol import Appended, TelemetryStore
from workers.services import Services

Record = TypeVar("Record")
Result = TypeVar("Result")

STORING_THREADS = 4
"""Parsing holds the interpreter and SQLite takes one writer: more threads would only keep Slack's clicks waiting."""

REASONS = {401: "unauthorized", 403: "forbidden", 413: "too_large", 415: "wrong_type", 422: "malformed", 429: "busy"}


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
    """What a body held; `api_key` for the senders that put it there."""

    parsed: Parsed[Record]
    api_key: str | None = None


@dataclass(frozen=True, slots=True)
class Door(Generic[Record]):
    """One kind of sender: what its bodies look like and where their records go."""

    name: str
    content_types: tuple[str, ...]
    parse: Callable[[Payload], Parcel[Record]]
    append: Callable[[TelemetryStore, Sequence[Record]], Appended]
    key_in_body: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a body's records."""

    accepted: int
    duplicates: int
    rejections: Sequence[Rejection]


class Reception:
    """Takes bodies in at every door of one web process."""

    def __init__(self, services: Services, ring: KeyRing, metrics: Metrics, limits: Limits | None = None) -> None:
        self.services = services
        self.ring = ring
        self.metrics = metrics
        self.gate = Gate(limits or Limits())
        self._threads = CapacityLimiter(STORING_THREADS)

    async def receive(self, request: Request, door: Door[Record], secret: str | None) -> Receipt:
        """Store what a request brought; raises BotError's tree where nothing of it could be stored."""
        with self.refusals_counted(door.name), self.gate.admit() as visit:
            await self._recognise(door, secret)
            media_type = content_type(request, door.content_types)
            encoding = content_encoding(request)
            body = await visit.read_body(request)
            payload = Payload(
                body, media_type, encoding, self.services.clock().timestamp(), self.gate.limits.decoded_bytes
            )
            parcel = await self.in_thread(partial(door.parse, payload))
            if door.key_in_body and not secret:
                await self.ring.identify(parcel.api_key)
            appended = await self.in_thread(partial(door.append, self.services.telemetry, parcel.parsed.records))
        self._count(door.name, appended, parcel.parsed.rejections)
        return Receipt(appended.accepted, appended.duplicates, parcel.parsed.rejections)

    async def _recognise(self, door: Door[Record], secret: str | None) -> None:
        """Ask for the key before the body is read, unless it may be in the body."""
        if secret or not door.key_in_body:
            await self.ring.identify(secret)

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Run work that parses or stores; its errors come out as BotErrors."""
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._threads)
        except PayloadTooLargeError as error:
            raise TooLargeError(str(error)) from error
        except PayloadError as error:
            raise MalformedError(str(error), field=error.field or None) from error
        except OperationalError as error:
            raise database_away() from error

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
        self.metrics.duplicates.labels(door).inc(appended.duplicates)
        self.metrics.rejected.labels(door, "malformed").inc(len(rejections))
