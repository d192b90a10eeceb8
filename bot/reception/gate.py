"""How a body gets in: bounded in size and time, counted, and only as many at once as the memory allows.

Whoever shows a good key before the body is a recognised sender. The others, whose key or signature comes in or after
the body, are strangers until it was read: they share a small part of the room, so that they keep nobody else out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.requests import ClientDisconnect

from bot.errors import BusyError, CutShortError, TooLargeError, TooSlowError, WrongTypeError

MEGABYTE = 1_000_000
BUSY_RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one body, and all bodies in flight together, may take; those of strangers are among all.

    A place in `requests_in_flight` is taken once a body is whole. A body may pause for `pause_seconds`, and take
    `reading_seconds` in all.
    """

    body_bytes: int = 10 * MEGABYTE
    decoded_bytes: int = 64 * MEGABYTE
    requests_in_flight: int = 64
    bytes_in_flight: int = 64 * MEGABYTE
    strangers: int = 256
    stranger_bytes: int = 24 * MEGABYTE
    pause_seconds: float = 10.0
    reading_seconds: float = 30.0


def _size(count: int) -> str:
    return f"{count / MEGABYTE:g} MB"


def _size_over(count: int, limit: int) -> str:
    """A size so exact that it is seen to be over the limit."""
    return _size(count) if _size(count) != _size(limit) else f"{count:,} bytes"


def _busy(what: str) -> BusyError:
    again = f"try again in {BUSY_RETRY_SECONDS} second."
    return BusyError(f"{what}; {again}", retry_after_seconds=BUSY_RETRY_SECONDS)


class Gate:
    """Counts what is in flight; it lives on the event loop, so plain integers do."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._requests = 0
        self._bytes = 0
        self._strangers = 0
        self._stranger_bytes = 0

    @contextmanager
    def visit(self, *, is_recognised: bool) -> Iterator[Visit]:
        """Let one request in while the block lasts; raises BusyError when there are too many strangers already."""
        visit = Visit(self, is_recognised=is_recognised)
        if not is_recognised:
            self._admit_stranger()
        try:
            yield visit
        finally:
            self._leave(visit)

    def _admit_stranger(self) -> None:
        if self._strangers >= self.limits.strangers:
            raise _busy(f"{self._strangers} senders whose key is not known yet are sending already")
        self._strangers += 1

    def store(self, visit: Visit) -> None:
        """Give a request a place among those that are stored; raises BusyError when the house is full."""
        if self._requests >= self.limits.requests_in_flight:
            raise _busy(f"{self._requests} requests are being stored already")
        self._know(visit)
        self._requests += 1
        visit.is_stored = True

    def carry(self, visit: Visit, count: int) -> None:
        """Take note of bytes read; raises BusyError when all bodies together are too much."""
        if self._bytes + count > self.limits.bytes_in_flight:
            raise _busy(f"{_size(self._bytes)} are being stored already")
        if not visit.is_recognised:
            if self._stranger_bytes + count > self.limits.stranger_bytes:
                raise _busy(f"{_size(self._stranger_bytes)} of senders whose key is not known yet are here already")
            self._stranger_bytes += count
        self._bytes += count
        visit.size += count

    def _know(self, visit: Visit) -> None:
        """A stranger is none any more, or gone."""
        if not visit.is_recognised:
            self._strangers -= 1
            self._stranger_bytes -= visit.size
            visit.is_recognised = True

    def _leave(self, visit: Visit) -> None:
        self._know(visit)
        self._requests -= visit.is_stored
        self._bytes -= visit.size


class Visit:
    """One request inside the gate."""

    def __init__(self, gate: Gate, *, is_recognised: bool) -> None:
        self._gate = gate
        self.is_recognised = is_recognised
        self.is_stored = False
        self.size = 0

    def store(self) -> None:
        """The body is whole and its sender recognised. Raises BusyError when the house is full."""
        self._gate.store(self)

    def carry(self, count: int) -> None:
        """Take note of bytes of this request that are in memory now; raises BusyError when it is too much."""
        self._gate.carry(self, count)

    async def in_time(self, coming: Awaitable[bytes]) -> bytes:
        """A body that comes in one piece; raises TooSlowError."""
        try:
            async with asyncio.timeout(self._gate.limits.pause_seconds):
                return await coming
        except TimeoutError as error:
            raise self._too_slow() from error

    def _too_slow(self) -> TooSlowError:
        limits = self._gate.limits
        return TooSlowError(
            f"The body did not come in time: it may pause for {limits.pause_seconds:g} seconds, and take "
            f"{limits.reading_seconds:g} in all."
        )

    async def read_body(self, request: Request) -> bytes:
        """The raw body, still compressed; stops reading at the limit and raises TooLargeError.

        CutShortError where the sender goes away before the end, TooSlowError where the sender does not get on.
        """
        limit = self._gate.limits.body_bytes
        length = request.headers.get("content-length", "")
        declared = int(length) if length.isdecimal() else None
        if declared is not None and declared > limit:
            raise TooLargeError(f"The body is {_size_over(declared, limit)}; this door takes {_size(limit)} at once.")
        chunks: list[bytes] = []
        clock = asyncio.get_running_loop().time
        last = clock() + self._gate.limits.reading_seconds
        try:
            async with asyncio.timeout(self._gate.limits.pause_seconds) as timeout:
                async for chunk in request.stream():
                    if self.size + len(chunk) > limit:
                        raise TooLargeError(
                            f"The body is longer than {_size(limit)}, which is all this door takes at once."
                        )
                    self.carry(len(chunk))
                    if self.size != declared:
                        timeout.reschedule(min(clock() + self._gate.limits.pause_seconds, last))
                    chunks.append(chunk)
        except TimeoutError as error:
            raise self._too_slow() from error
        except ClientDisconnect as error:
            raise CutShortError("The body ended before it was whole.") from error
        return b"".join(chunks)


def content_type(request: Request, accepted: tuple[str, ...]) -> str:
    """The media type of the body, without parameters; raises WrongTypeError when it is not one of `accepted`."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in accepted:
        given = f"not {sent}" if sent else "and none was given"
        raise WrongTypeError(f"Content-Type must be {' or '.join(accepted)}, {given}.")
    return sent


def content_encoding(request: Request, accepted: tuple[str, ...] = ("gzip", "deflate")) -> str:
    """The body's compression, empty for none; raises WrongTypeError for one that is not `accepted`."""
    sent = request.headers.get("content-encoding", "").strip().lower()
    if sent in ("", "identity"):
        return ""
    if sent not in accepted:
        raise WrongTypeError(f"Content-Encoding must be {' or '.join((*accepted, 'none'))}, not {sent}.")
    return sent
