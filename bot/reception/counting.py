"""Count what the doors take and refuse, for Prometheus and for `argux doors`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from bot.auth import Identity, KeyRing, secret_from_request
from bot.errors import BotError
from bot.reception.arrivals.door_words import NOWHERE
from bot.reception.arrivals.glance import Glance
from bot.reception.arrivals.tallies import MALFORMED, Tallies
from bot.reception.prometheus import Metrics
from integrations.inbound.reading.records import Rejection
from storage.telemetry.protocol import Appended
from workers.services import Services

REASONS = {
    400: "cut_short",
    401: "unauthorized",
    403: "forbidden",
    408: "too_slow",
    413: "too_large",
    415: "wrong_type",
    422: MALFORMED,
    429: "busy",
}


NO_DOOR = "no_door"


@dataclass(slots=True)
class Caller:
    """Who sends a request. identity: the key, once it is known. program: what the sender calls itself."""

    identity: Identity | None = None
    program: str = ""

    @property
    def name(self) -> str:
        """The name of the key; empty as long as it is not known."""
        return self.identity.name if self.identity else ""

    @classmethod
    def of(cls, request: Request) -> Caller:
        """Return the caller of a request, whose key is not known yet."""
        return cls(program=request.headers.get("user-agent", "").partition(" ")[0][:100])


class Counting:
    """Counts for all doors of one web process."""

    def __init__(self, services: Services, ring: KeyRing, metrics: Metrics, tallies: Tallies) -> None:
        self._services = services
        self._ring = ring
        self._metrics = metrics
        self._tallies = tallies

    @contextmanager
    def refusals(self, door: str, caller: Caller) -> Iterator[None]:
        """Count a request that the block refuses with a BotError, by its reason."""
        try:
            yield
        except BotError as error:
            self.refused(door, REASONS.get(error.status, "unavailable"), error.message, caller)
            raise

    def refused(self, door: str, reason: str, message: str, caller: Caller) -> None:
        """Count a request, or a message of syslog, that is refused."""
        self._metrics.rejected.labels(door, reason).inc()
        if caller.program:
            message = f"{message}{'' if message.endswith(('.', '?')) else '.'} Sent by {caller.program}."
        self._tallies.refused(caller.name, door, reason, message, now=self._services.clock().timestamp())

    async def nowhere(self, request: Request, message: str) -> None:
        """Count what somebody sends to an address where there is no door."""
        caller = Caller.of(request)
        secret = await secret_from_request(request)
        if secret:
            with suppress(BotError, SQLAlchemyError):
                caller.identity = await self._ring.identify(secret)
        self.refused(NOWHERE, NO_DOOR, message, caller)

    def stored(
        self,
        door: str,
        caller: Caller,
        appended: Appended,
        glance: Glance,
        *,
        rejections: Sequence[Rejection] = (),
        now: float,
    ) -> None:
        """Count what was stored of a body, and the records of it that were not. now: when it arrived, seconds UTC."""
        self._metrics.accepted.labels(door).inc(appended.accepted)
        if appended.duplicates:
            self._metrics.duplicates.labels(door).inc(appended.duplicates)
        if rejections:
            self._metrics.rejected.labels(door, MALFORMED).inc(len(rejections))
        self._tallies.came_in(
            caller.name,
            door,
            now=now,
            accepted=appended.accepted,
            duplicates=appended.duplicates,
            glance=glance,
            rejections=rejections,
        )
