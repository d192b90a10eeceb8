"""Syslog messages out of a TCP stream: counted in octets, or ended by a newline.

https://www.rfc-editor.org/rfc/rfc6587#section-3.4
"""

from __future__ import annotations

from asyncio import IncompleteReadError, LimitOverrunError, StreamReader

LONGEST_MESSAGE = 65_536
_MOST_DIGITS = 10
_PIECE = 65_536


class FrameTooLongError(Exception):
    """One message was over LONGEST_MESSAGE; it was skipped, and the next may be read."""


async def next_frame(reader: StreamReader) -> bytes | None:
    """The next message, None at the end of the stream. The reader's own limit must be LONGEST_MESSAGE.

    A stream that ends within a message ends with what there is of it. Raises FrameTooLongError.
    """
    first = await reader.read(1)
    if not first:
        return None
    if not first.isdigit() or first == b"0":
        return first + await _line(reader)
    counted = first
    while len(counted) <= _MOST_DIGITS:
        byte = await reader.read(1)
        if byte == b" ":
            return await _octets(reader, int(counted))
        counted += byte
        if not byte.isdigit():
            break
    # No count after all: a line that happens to begin with a digit.
    return counted if counted.endswith(b"\n") else counted + await _line(reader)


async def _octets(reader: StreamReader, length: int) -> bytes:
    if length > LONGEST_MESSAGE:
        left = length
        while left and (skipped := await reader.read(min(left, _PIECE))):
            left -= len(skipped)
        raise FrameTooLongError
    try:
        return await reader.readexactly(length)
    except IncompleteReadError as error:
        return error.partial


async def _line(reader: StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except IncompleteReadError as error:
        return error.partial
    except LimitOverrunError as error:
        await reader.readexactly(error.consumed)
    while True:
        try:
            await reader.readuntil(b"\n")
        except LimitOverrunError as error:
            await reader.readexactly(error.consumed)
        except IncompleteReadError:
            break
        else:
            break
    raise FrameTooLongError
