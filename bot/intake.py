"""How a body gets in: bounded, counted, and only as many at once as the memory allows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.requests import ClientDisconnect

from bot.errors import BusyError, CutShortError, TooLargeError, WrongTypeError

MEGABYTE = 1_000_000
BUSY_RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one body, and all bodies in flight together, may take."""

    body_bytes: int = 10 * MEGABYTE
    decoded_bytes: int = 64 * MEGABYTE
    requests_in_flight: int = 64
    bytes_in_flight: int = 64 * MEGABYTE


def _size(count: int) -> str:
    return f"{count / MEGABYTE:g} MB"


class Gate:
    """Counts what is in flight; it lives on the event loop, so plain integers do."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._requests = 0
        self._bytes = 0

    @contextmanager
    def admit(self) -> Iterator[Visit]:
        """Let one request in while the block lasts; raises BusyError when the house is full."""
        if self._requests >= self.limits.requests_in_flight:
            raise BusyError(
                f"{self._requests} requests are being stored already; try again in {BUSY_RETRY_SECONDS} second.",
                retry_after_seconds=BUSY_RETRY_SECONDS,
            )
        visit = Visit(self)
        self._requests += 1
        try:
            yield visit
        finally:
            self._requests -= 1
            self._bytes -= visit.size

    def carry(self, count: int) -> None:
        """Take note of bytes read; raises BusyError when all bodies together are too much."""
        if self._bytes + count > self.limits.bytes_in_flight:
            raise BusyError(
                f"{_size(self._bytes)} are being stored already; try again in {BUSY_RETRY_SECONDS} second.",
                retry_after_seconds=BUSY_RETRY_SECONDS,
            )
        self._bytes += count


class Visit:
    """One request inside the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.size = 0

    def carry(self, count: int) -> None:
        """Take note of bytes of this request that are in memory now; raises BusyError when it is too much."""
        self._gate.carry(count)
        self.size += count

    async def read_body(self, request: Request) -> bytes:
        """The raw body, still compressed; stops reading at the limit and raises TooLargeError.

        CutShortError where the sender goes away before the end.
        """
        limit = self._gate.limits.body_bytes
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise TooLargeError(f"The body is {_size(int(declared))}; this door takes {_size(limit)} at once.")
        chunks: list[bytes] = []
        try:
            async for chunk in request.stream():
                if self.size + len(chunk) > limit:
                    raise TooLargeError(
                        f"The body is longer than {_size(limit)}, which is all this door takes at once."
                    )
                self.carry(len(chunk))
                chunks.append(chunk)
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
