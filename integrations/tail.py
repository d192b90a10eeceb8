"""Follow a log file through rotation, truncation and restarts without losing a line.

A position consists of the inode, the offset and a fingerprint of the bytes before the offset. When a new file gets the
file's name, the old file is first read to its end. When the file is truncated (copytruncate), the fingerprint finds the
copy, and reading continues there from the same offset.
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
    inode_at_path,
    inode_of,
    is_non_empty_file,
    modified_at,
    open_for_reading,
    read_at,
    rotated_files,
    size_of,
    successors,
)

log = structlog.get_logger()

LONGEST_LINE = 262_144
"""In bytes. A longer line is split into pieces of this length."""

LINGER_SECONDS = 2.0
"""How long a renamed file must be unchanged before it counts as finished, because a slow writer may still append."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its newline. Reading the same line of the same file again gives the same id."""

    line_id: str
    text: str


class Position(msgspec.Struct, frozen=True):
    """How far a file has been read. `generation` counts the files that have had this name."""

    inode: int
    offset: int
    fingerprint: str
    generation: int


class Tail:
    """One followed file. Call `read`, store the lines, call `commit`, and repeat. Not thread-safe.

    `host` makes line ids differ between equal paths on different machines. Without a saved position, reading starts at
    the end of the file, or at its beginning if `from_start` is set.
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
        """Return the next lines, at most LONGEST_LINE bytes of them; an empty sequence if nothing is new."""
        if self._file is not None and not self._is_intact(self._file):
            self.close()
        if self._file is None and not self._open():
            return []
        lines = self._take(to_the_end=False)
        if lines or not self._has_ended():
            return lines
        return self._take(to_the_end=True) or self._advance()

    def commit(self) -> None:
        """Save the position atomically, with fsync: a restart does not read the same lines again."""
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
        """Close the file and keep the position."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _is_intact(self, file: BinaryIO) -> bool:
        """Whether the file still contains what was read so far. It may have been truncated and have grown again."""
        assert self._position is not None
        if self._is_finished:
            return True
        offset = self._position.offset
        return size_of(file) >= offset and fingerprint(file, offset) == self._position.fingerprint

    def _open(self) -> bool:
        """Open the file to continue with. Return False if there is none now."""
        if self._position is None:
            return self._begin()
        before = rotated_files(self.path)
        if self._find_again(self._position) or self._find_copy(self._position):
            return True
        # If a rotation is running, the file may have got a new name after we looked there. Try again on the next read.
        return rotated_files(self.path) == before and self._start_over(self._position)

    def _begin(self) -> bool:
        file = open_for_reading(self.path)
        if file is None:
            # A file that appears later under this name is completely new.
            self._from_start = True
            return False
        offset = 0 if self._from_start else end_of_last_line(file)
        self._use(file, Position(inode_of(file), offset, fingerprint(file, offset), 0))
        # From here on no line is lost, even if Argux stops before the first line arrives.
        self.commit()
        return True

    def _find_again(self, position: Position) -> bool:
        """Look for the same file under its own name and under the names of rotated files."""
        for path in (self.path, *rotated_files(self.path)):
            file = open_for_reading(path)
            if file is None:
                continue
            if inode_of(file) == position.inode and fingerprint(file, position.offset) == position.fingerprint:
                self._use(file, position, is_finished=path.suffix == ".gz")
                return True
            file.close()
        return False

    def _find_copy(self, position: Position) -> bool:
        """Look for a copy that was made before the file was truncated or compressed. It contains the unread rest."""
        if position.offset == 0:
            return False
        for path in reversed(rotated_files(self.path)):
            file = open_for_reading(path)
            if file is None:
                continue
            if fingerprint(file, position.offset) == position.fingerprint:
                self._use(file, position, is_finished=True)
                return True
            file.close()
        return False

    def _start_over(self, position: Position) -> bool:
        """Start at the beginning of the file that has the name now, because the old file is gone."""
        file = open_for_reading(self.path)
        if file is None:
            return False
        log.warning("tail_started_over", path=str(self.path), read_before=position.offset)
        self._use(file, Position(inode_of(file), 0, fingerprint(file, 0), position.generation + 1))
        return True

    def _use(self, file: BinaryIO, position: Position, *, is_finished: bool = False) -> None:
        """Continue with this file. If `is_finished` is set, nobody writes to it any more."""
        self._file = file
        self._position = position
        self._is_finished = is_finished

    def _take(self, *, to_the_end: bool) -> Sequence[Line]:
        """Return the next complete, non-blank lines. `to_the_end` includes a last line without a newline."""
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
                # The file was truncated during the read. The next read continues in the copy, at the old position.
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
        """Whether nothing more will be written to the current file.

        After a rename, the writer continues to write to the old file until it notices, and then opens the new one.
        """
        assert self._file is not None
        assert self._position is not None
        if self._is_finished:
            return True
        if inode_at_path(self.path) in (None, self._position.inode):
            return False
        if self._clock() - modified_at(self._file) < LINGER_SECONDS:
            return False
        return any(is_non_empty_file(path) for path in successors(self.path, self._file))

    def _advance(self) -> Sequence[Line]:
        """Continue with the next file."""
        assert self._file is not None
        assert self._position is not None
        generation = self._position.generation + 1
        for path in successors(self.path, self._file):
            file = open_for_reading(path)
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
    """Load the saved position. Return None if there is none or if it is unreadable."""
    try:
        return msgspec.json.decode(state_file.read_bytes(), type=Position)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        log.warning("tail_state_unreadable", file=str(state_file), error=str(error))
        return None
