"""Limit request bodies: their size, their duration, and how many are in memory at once.

A sender with a valid key in the headers is recognised. Senders whose key or signature comes in the body are "strangers"
until the body has been read and checked. They share a small part of the memory, so that they cannot block the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.requests import ClientDisconnect

from bot.errors import BusyError, CutShortError, TooLargeError, TooSlowError, WrongTypeError

_FORM = "application/x-www-form-urlencoded"
_FORM_HINT = " With curl add -H 'Content-Type: application/json'; in Datadog's webhook untick Encode as form."

MEGABYTE = 1_000_000
BUSY_RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one body and of all bodies in flight; those of strangers count towards the totals too.

    A request counts towards `requests_in_flight` once its body is complete. pause_seconds: the longest pause within a
    body. reading_seconds: the longest time for the whole body.
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
    """Return a size, in exact bytes where it would round to the limit that it exceeds."""
    return _size(count) if _size(count) != _size(limit) else f"{count:,} bytes"


def _busy_error(what: str) -> BusyError:
    again = f"try again in {BUSY_RETRY_SECONDS} second."
    return BusyError(f"{what}; {again}", retry_after_seconds=BUSY_RETRY_SECONDS)


class Gate:
    """Counts the requests and bytes in flight. It is used on the event loop only, so plain integers are enough."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._requests = 0
        self._bytes = 0
        self._strangers = 0
        self._stranger_bytes = 0

    @contextmanager
    def visit(self, *, is_recognised: bool) -> Iterator[Visit]:
        """Admit one request for the duration of the block. Raises BusyError if there are too many strangers."""
        visit = Visit(self, is_recognised=is_recognised)
        if not is_recognised:
            self._admit_stranger()
        try:
            yield visit
        finally:
            self._leave(visit)

    def _admit_stranger(self) -> None:
        if self._strangers >= self.limits.strangers:
            raise _busy_error(f"{self._strangers} senders whose key is not known yet are sending already")
        self._strangers += 1

    def store(self, visit: Visit) -> None:
        """Count a request as being stored. Raises BusyError if too many are."""
        if self._requests >= self.limits.requests_in_flight:
            raise _busy_error(f"{self._requests} requests are being stored already")
        self._recognise(visit)
        self._requests += 1
        visit.is_stored = True

    def count_bytes(self, visit: Visit, count: int) -> None:
        """Count bytes that were read. Raises BusyError if all bodies together exceed the limit."""
        if self._bytes + count > self.limits.bytes_in_flight:
            raise _busy_error(f"{_size(self._bytes)} are being stored already")
        if not visit.is_recognised:
            if self._stranger_bytes + count > self.limits.stranger_bytes:
                raise _busy_error(
                    f"{_size(self._stranger_bytes)} of senders whose key is not known yet are here already"
                )
            self._stranger_bytes += count
        self._bytes += count
        visit.size += count

    def _recognise(self, visit: Visit) -> None:
        """Stop counting a request as a stranger's."""
        if not visit.is_recognised:
            self._strangers -= 1
            self._stranger_bytes -= visit.size
            visit.is_recognised = True

    def _leave(self, visit: Visit) -> None:
        self._recognise(visit)
        self._requests -= visit.is_stored
        self._bytes -= visit.size


class Visit:
    """One admitted request."""

    def __init__(self, gate: Gate, *, is_recognised: bool) -> None:
        self._gate = gate
        self.is_recognised = is_recognised
        self.is_stored = False
        self.size = 0

    def store(self) -> None:
        """Count this request as being stored: its body is complete, its sender recognised. Raises BusyError."""
        self._gate.store(self)

    def count_bytes(self, count: int) -> None:
        """Count bytes of this request that are in memory now. Raises BusyError if the limit is exceeded."""
        self._gate.count_bytes(self, count)

    async def read_message(self, message: Awaitable[bytes]) -> bytes:
        """Wait for a body that arrives in one piece. Raises TooSlowError."""
        try:
            async with asyncio.timeout(self._gate.limits.pause_seconds):
                return await message
        except TimeoutError as error:
            raise self._too_slow() from error

    def _too_slow(self) -> TooSlowError:
        limits = self._gate.limits
        return TooSlowError(
            f"The body did not come in time: it may pause for {limits.pause_seconds:g} seconds, and take "
            f"{limits.reading_seconds:g} in all."
        )

    async def read_body(self, request: Request) -> bytes:
        """Read the raw body, still compressed.

        Stops at the size limit and raises TooLargeError. Raises CutShortError if the sender disconnects before the end,
        TooSlowError if the body pauses or lasts too long.
        """
        limit = self._gate.limits.body_bytes
        length = request.headers.get("content-length", "")
        declared = int(length) if length.isdecimal() and len(length) < 20 else None
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
                    self.count_bytes(len(chunk))
                    if self.size != declared:
                        timeout.reschedule(min(clock() + self._gate.limits.pause_seconds, last))
                    chunks.append(chunk)
        except TimeoutError as error:
            raise self._too_slow() from error
        except ClientDisconnect as error:
            raise CutShortError("The body ended before it was whole.") from error
        return b"".join(chunks)


def content_type(request: Request, accepted: tuple[str, ...]) -> str:
    """Return the media type of the body without parameters. Raises WrongTypeError if it is not one of `accepted`."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in accepted:
        given = f"not {sent}" if sent else "and none was given"
        hint = _FORM_HINT if sent == _FORM and "application/json" in accepted else ""
        raise WrongTypeError(f"Content-Type must be {' or '.join(accepted)}, {given}.{hint}")
    return sent


def content_encoding(request: Request, accepted: tuple[str, ...] = ("gzip", "deflate")) -> str:
    """Return the compression of the body, empty for none. Raises WrongTypeError if it is not one of `accepted`."""
    sent = request.headers.get("content-encoding", "").strip().lower()
    if sent in ("", "identity"):
        return ""
    if sent not in accepted:
        raise WrongTypeError(f"Content-Encoding must be {' or '.join((*accepted, 'none'))}, not {sent}.")
    return sent
