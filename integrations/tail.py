"""Follows a log file through rotation, truncation and restarts, and misses no line.

A position is known by what it has read, not only by a name or a number: the inode, the offset, and a fingerprint of the
bytes before it. When the name is given to a new file, the old one is read to its end first. When the file is cut to
nothing (copytruncate), the copy is found by the fingerprint, and read from the same offset.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

from integrations.tail_files import (
    end_of_last_line,
    fingerprint,
    holds_something,
    inode_at,
    inode_of,
    opened,
    read_at,
    rotated,
    size_of,
    successors,
    written_at,
)

log = structlog.get_logger()

LONGEST_LINE = 262_144
"""A longer line is taken in pieces of this length."""

LINGER_SECONDS = 2.0
"""How long a file that lost its name must be quiet before it counts as ended: one of its writers may lag behind."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its newline; the same line of the same file has the same id each time it is read."""

    line_id: str
    text: str


class Position(msgspec.Struct, frozen=True):
    """How far a file has been read. `generation` counts the files that have had the name."""

    inode: int
    offset: int
    fingerprint: str
    generation: int


class Tail:
    """One followed file. `read`, store what it gave, `commit`, and again; not for several threads.

    `host` tells equal paths on different machines apart. Without a kept state it begins at the file's end, or at its
    beginning with `from_start`.
    """

    def __init__(
        self,
        path: Path,
        state_file: Path,
        *,
        host: str,
        from_start: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path.absolute()
        self._state_file = state_file
        self._host = host
        self._from_start = from_start
        self._clock = clock
        self._position = _load(state_file)
        self._file: BinaryIO | None = None
        self._is_finished = False

    def read(self) -> Sequence[Line]:
        """The next lines, LONGEST_LINE bytes of them at most; none where there is nothing new now."""
        if self._file is not None and not self._is_intact(self._file):
            self.close()
        if self._file is None and not self._open():
            return []
        lines = self._take(to_the_end=False)
        if lines or not self._has_ended():
            return lines
        return self._take(to_the_end=True) or self._advance()

    def commit(self) -> None:
        """Keep the position: what was read up to here is not read again after a restart. Atomic, and on disk."""
        if self._position is None:
            return
        draft = self._state_file.with_suffix(".draft")
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(self._position))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._state_file)

    def close(self) -> None:
        """Let go of the file; the position stays."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _is_intact(self, file: BinaryIO) -> bool:
        """Whether the file is still the one that was read so far: it may have been cut, and grown again since."""
        assert self._position is not None
        if self._is_finished:
            return True
        offset = self._position.offset
        return size_of(file) >= offset and fingerprint(file, offset) == self._position.fingerprint

    def _open(self) -> bool:
        """Find the file to go on with; False while there is none."""
        if self._position is None:
            return self._begin()
        before = rotated(self.path)
        if self._find_again(self._position) or self._find_copy(self._position):
            return True
        # Where rotation is at work just now, what was looked for may have a name by now that was not looked at.
        return rotated(self.path) == before and self._start_over(self._position)

    def _begin(self) -> bool:
        file = opened(self.path)
        if file is None:
            # What appears under this name later is new as a whole.
            self._from_start = True
            return False
        offset = 0 if self._from_start else end_of_last_line(file)
        self._use(file, Position(inode_of(file), offset, fingerprint(file, offset), 0))
        # From here on nothing is missed, even if Argux is stopped before the first line comes.
        self.commit()
        return True

    def _find_again(self, position: Position) -> bool:
        """The same file, under its own name or under the one that rotation gave it."""
        for path in (self.path, *rotated(self.path)):
            file = opened(path)
            if file is None:
                continue
            if inode_of(file) == position.inode and fingerprint(file, position.offset) == position.fingerprint:
                self._use(file, position, is_finished=path.suffix == ".gz")
                return True
            file.close()
        return False

    def _find_copy(self, position: Position) -> bool:
        """A copy, made before the file was cut or compressed: the rest that was not read yet is there."""
        if position.offset == 0:
            return False
        for path in reversed(rotated(self.path)):
            file = opened(path)
            if file is None:
                continue
            if fingerprint(file, position.offset) == position.fingerprint:
                self._use(file, position, is_finished=True)
                return True
            file.close()
        return False

    def _start_over(self, position: Position) -> bool:
        """Nothing is left of what was being read: begin with what has the name now."""
        file = opened(self.path)
        if file is None:
            return False
        log.warning("tail_started_over", path=str(self.path), read_before=position.offset)
        self._use(file, Position(inode_of(file), 0, fingerprint(file, 0), position.generation + 1))
        return True

    def _use(self, file: BinaryIO, position: Position, *, is_finished: bool = False) -> None:
        """Go on with this file; one that `is_finished` will not be written to any more."""
        self._file = file
        self._position = position
        self._is_finished = is_finished

    def _take(self, *, to_the_end: bool) -> Sequence[Line]:
        """Whole lines from the position on, but blank ones; `to_the_end` takes a last one without a newline too."""
        assert self._file is not None
        assert self._position is not None
        while True:
            start = self._position.offset
            data = read_at(self._file, start, LONGEST_LINE)
            length = data.rfind(b"\n") + 1
            if to_the_end or (not length and len(data) == LONGEST_LINE):
                length = len(data)
            if not length:
                return []
            end = start + length
            seen = fingerprint(self._file, end)
            if not seen:
                # It was cut while it was being read: from the old position on it is found again in the copy.
                return []
            self._position = msgspec.structs.replace(self._position, offset=end, fingerprint=seen)
            lines = self._lines(data[:length], start)
            if lines:
                return lines

    def _lines(self, data: bytes, offset: int) -> Sequence[Line]:
        lines: list[Line] = []
        for piece in data.split(b"\n"):
            text = piece.rstrip(b"\r")
            if text.strip():
                lines.append(Line(self._line_id(offset, text), text.decode("utf-8", "replace")))
            offset += len(piece) + 1
        return lines

    def _line_id(self, offset: int, text: bytes) -> str:
        assert self._position is not None
        place = f"{self._host}\0{self.path}\0{self._position.generation}\0{offset}\0"
        return hashlib.blake2b(place.encode("utf-8", "surrogateescape") + text, digest_size=16).hexdigest()

    def _has_ended(self) -> bool:
        """Whether nothing more will be written to the file that is being read.

        A file that lost its name goes on being written to until its writer notices, and then writes to the next one.
        """
        assert self._file is not None
        assert self._position is not None
        if self._is_finished:
            return True
        if inode_at(self.path) in (None, self._position.inode):
            return False
        if self._clock() - written_at(self._file) < LINGER_SECONDS:
            return False
        return any(holds_something(path) for path in successors(self.path, self._file))

    def _advance(self) -> Sequence[Line]:
        """Go on with the file that came after."""
        assert self._file is not None
        assert self._position is not None
        generation = self._position.generation + 1
        for path in successors(self.path, self._file):
            file = opened(path)
            if file is not None:
                self.close()
                self._use(
                    file,
                    Position(inode_of(file), 0, fingerprint(file, 0), generation),
                    is_finished=path.suffix == ".gz",
                )
                return self._take(to_the_end=False)
        return []


def _load(state_file: Path) -> Position | None:
    """The position kept there; None where there is none."""
    try:
        return msgspec.json.decode(state_file.read_bytes(), type=Position)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        log.warning("tail_state_unreadable", file=str(state_file), error=str(error))
        return None
