"""Split a TCP stream into syslog messages: framed by an octet count, by a newline or by a NUL.

https://www.rfc-editor.org/rfc/rfc6587#section-3.4. Python's SysLogHandler ends its messages with a NUL alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST_MESSAGE = 65_536

CONTINUATION_SECONDS = 0.2
"""How long a line waits for lines that go on with it."""

UNFINISHED_SECONDS = 5.0
"""How long the rest of a message may take. Then what has come is a message: its sender ends none, or miscounted."""

_MARK = b"(?:\xef\xbb\xbf)?"
_COUNT = re.compile(rb"([1-9]\d{0,9}) (?=" + _MARK + rb"<\d{1,3}>)")
_PERHAPS_COUNT = re.compile(rb"[1-9]\d{0,9}(?: (?:\xef(?:\xbb\xbf?)?)?(?:<\d{0,3})?)?")
_LATER_COUNT = re.compile(rb"(?<!\d)[1-9]\d{0,4} <\d{1,3}>")
_END_OF_LINE = re.compile(rb"[\n\x00]")
_PRIORITY = re.compile(rb"\s*" + _MARK + rb"<\d{1,3}>")
_GOES_ON = re.compile(
    rb"[ \t]+\S|Caused by: |Suppressed: |\.\.\. \d+ more|Traceback \(most recent call last\):|During handling of the "
    rb"above exception|The above exception was the direct cause|--- End of "
)
_HTTP = re.compile(rb"(?:GET|HEAD|POST|PUT|OPTIONS) \S+ HTTP/1|PRI \* HTTP/2")
_TRACEBACK = b"Traceback"
_ITS_END = re.compile(rb"[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit)\b(?::|\r?$)")


@dataclass(slots=True)
class Framed:
    """The complete messages of one piece of the stream, and how many were too long and skipped."""

    messages: list[bytes] = field(default_factory=list)
    too_long: int = 0


class Frames:
    """The messages of one connection.

    A count is digits and a blank before a priority; other digits begin a line. Newlines between messages are skipped.
    A line that is indented, or goes on with a stack trace, belongs to the line before it; a counted message is whole.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._held: bytes | None = None
        self._searched = 0
        self._bytes_to_skip = 0
        self._skips_line = False
        self._counts = False

    @property
    def patience(self) -> float | None:
        """How many seconds to wait for more before `overdue` must be called. None: as long as it takes."""
        if self._held is not None:
            return CONTINUATION_SECONDS
        return UNFINISHED_SECONDS if self._buffer else None

    def feed(self, data: bytes) -> Framed:
        """Return the messages that these bytes complete."""
        self._buffer += data
        framed = Framed()
        while self._step(framed):
            pass
        return framed

    def overdue(self) -> Framed:
        """Return what waited for too long: the line that is held, else the beginning of a message."""
        framed = Framed()
        if self._held is not None:
            self._release(framed)
        elif self._buffer:
            self._take_rest(framed)
        return framed

    def end(self) -> Framed:
        """Return what is left when the stream ends, with the beginning of an unfinished message."""
        framed = Framed()
        self._take_rest(framed)
        return framed

    def _step(self, framed: Framed) -> bool:
        """Take one message off the buffer. Return False if more bytes are needed."""
        if not self._skip():
            return False
        counted = _COUNT.match(self._buffer)
        if counted is not None:
            return self._take_counted(int(counted[1]), counted.end(), framed)
        if _PERHAPS_COUNT.fullmatch(self._buffer):
            return False
        return self._take_line(framed)

    def _skip(self) -> bool:
        """Remove what belongs to no message. Return False if nothing is left."""
        if self._bytes_to_skip:
            skipped = min(self._bytes_to_skip, len(self._buffer))
            del self._buffer[:skipped]
            self._bytes_to_skip -= skipped
        if self._skips_line:
            found = _END_OF_LINE.search(self._buffer)
            del self._buffer[: found.end() if found else len(self._buffer)]
            self._skips_line = found is None
        blank = len(self._buffer) - len(self._buffer.lstrip(b"\r\n\x00"))
        if blank:
            del self._buffer[:blank]
            self._searched = 0
        return bool(self._buffer)

    def _take_counted(self, length: int, start: int, framed: Framed) -> bool:
        if length > LONGEST_MESSAGE:
            framed.too_long += 1
            self._bytes_to_skip = length
            del self._buffer[:start]
            return True
        if len(self._buffer) < start + length:
            return False
        self._counts = True
        self._release(framed)
        framed.messages.append(bytes(self._buffer[start : start + length]))
        self._cut(start + length)
        return True

    def _take_line(self, framed: Framed) -> bool:
        found = _END_OF_LINE.search(self._buffer, self._searched)
        end = found.start() if found else -1
        if self._counts:
            # Some count characters for bytes, so that a rest of their message stands before the next count.
            later = _LATER_COUNT.search(self._buffer, 0, len(self._buffer) if end < 0 else end)
            end = later.start() if later else end
        if end < 0:
            self._searched = len(self._buffer)
            if len(self._buffer) > LONGEST_MESSAGE:
                self._too_long(framed)
            return False
        line = bytes(self._buffer[:end])
        self._cut(end)
        if len(line) > LONGEST_MESSAGE:
            framed.too_long += 1
        else:
            self._add_line(line, framed)
        return True

    def _too_long(self, framed: Framed) -> None:
        framed.too_long += 1
        self._skips_line = True
        self._cut(len(self._buffer))

    def _add_line(self, line: bytes, framed: Framed) -> None:
        """Hold the line until the next one shows that it is complete, or add it to the one that is held."""
        held = self._held
        if held is not None and len(held) + len(line) < LONGEST_MESSAGE and goes_on(held, line):
            self._held = held + b"\n" + line
            return
        self._release(framed)
        self._held = line

    def _take_rest(self, framed: Framed) -> None:
        """Make a message of what is in the buffer, without the count of an unfinished one."""
        counted = _COUNT.match(self._buffer)
        rest = bytes(self._buffer[counted.end() :] if counted else self._buffer)
        self._cut(len(self._buffer))
        if rest.strip():
            self._add_line(rest, framed)
        self._release(framed)

    def _release(self, framed: Framed) -> None:
        if self._held is not None:
            framed.messages.append(self._held)
            self._held = None

    def _cut(self, end: int) -> None:
        del self._buffer[:end]
        self._searched = 0


def goes_on(before: bytes, line: bytes) -> bool:
    """Whether a line of a stream belongs to the message before it: it has no priority of its own, and is indented or
    goes on with a stack trace.
    """
    if _PRIORITY.match(line):
        return False
    is_trace = _TRACEBACK in before or b"\n" in before
    return _GOES_ON.match(line) is not None or (is_trace and _ITS_END.match(line) is not None)


def other_protocol(beginning: bytes) -> str | None:
    """Say what to do where a connection begins with a protocol that is no syslog, else return None."""
    if beginning.startswith(b"\x16\x03"):
        return (
            "speaks TLS, and this port is plain: turn TLS off there, or put a proxy before it that ends TLS, such as "
            "stunnel or nginx's `stream`"
        )
    if _HTTP.match(beginning):
        return "speaks HTTP: syslog is read here; HTTP has its own port, ARGUX_PORT"
    return None
