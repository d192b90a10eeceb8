"""Split a TCP stream into syslog messages, framed by an octet count or by a newline.

https://www.rfc-editor.org/rfc/rfc6587#section-3.4
"""

from __future__ import annotations

from asyncio import IncompleteReadError, LimitOverrunError, StreamReader

LONGEST_MESSAGE = 65_536
_MOST_DIGITS = 10
_SKIP_BYTES = 65_536


class FrameTooLongError(Exception):
    """A message was longer than LONGEST_MESSAGE. It was skipped; the next one can be read."""


async def next_frame(reader: StreamReader) -> bytes | None:
    """Return the next message, or None at the end of the stream. The reader's limit must be LONGEST_MESSAGE.

    If the stream ends within a message, its beginning is returned. Raises FrameTooLongError.
    """
    first = await reader.read(1)
    if not first:
        return None
    if not first.isdigit() or first == b"0":
        return first + await _read_line(reader)
    digits = first
    while len(digits) <= _MOST_DIGITS:
        byte = await reader.read(1)
        if byte == b" ":
            return await _read_octets(reader, int(digits))
        digits += byte
        if not byte.isdigit():
            break
    # Not a count, but a line that begins with digits.
    return digits if digits.endswith(b"\n") else digits + await _read_line(reader)


async def _read_octets(reader: StreamReader, length: int) -> bytes:
    if length > LONGEST_MESSAGE:
        left = length
        while left and (skipped := await reader.read(min(left, _SKIP_BYTES))):
            left -= len(skipped)
        raise FrameTooLongError
    try:
        return await reader.readexactly(length)
    except IncompleteReadError as error:
        return error.partial


async def _read_line(reader: StreamReader) -> bytes:
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
