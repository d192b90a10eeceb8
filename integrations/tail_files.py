"""The files behind a log file's name: itself, and what rotation made of its earlier selves."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

_SAMPLE = 256
_LOOK_BACK = 65_536
_BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)


def opened(path: Path) -> BinaryIO | None:
    """The file for reading, decompressed if rotation compressed it; None where it is gone or may not be read."""
    try:
        if path.suffix == ".gz":
            return cast(BinaryIO, gzip.open(path, "rb"))
        return path.open("rb", buffering=0)
    except OSError:
        return None


def inode_of(file: BinaryIO) -> int:
    """Which file it is, whatever its name is by now."""
    return os.fstat(file.fileno()).st_ino


def inode_at(path: Path) -> int | None:
    """Which file has this name now; None while none has."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def size_of(file: BinaryIO) -> int:
    """How many bytes it has on disk."""
    return os.fstat(file.fileno()).st_size


def written_at(file: BinaryIO) -> float:
    """When it was last written to, in seconds since 1970."""
    return os.fstat(file.fileno()).st_mtime


def holds_something(path: Path) -> bool:
    """Whether there is a file of this name that is not empty."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def fingerprint(file: BinaryIO, offset: int) -> str:
    """What a file that has been read up to `offset` looks like: its beginning, and what stands just before there.

    Empty where the file is shorter, or broken. All files look alike at offset 0.
    """
    length = min(offset, _SAMPLE)
    try:
        file.seek(0)
        beginning = file.read(length)
        file.seek(offset - length)
        end = file.read(length)
    except _BROKEN_GZIP:
        return ""
    if len(beginning) < length or len(end) < length:
        return ""
    return hashlib.blake2b(beginning + end, digest_size=16).hexdigest()


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """The bytes from `offset` on, fewer than `length` only at the end."""
    try:
        file.seek(offset)
        return file.read(length)
    except _BROKEN_GZIP:
        return b""


def end_of_last_line(file: BinaryIO) -> int:
    """Where the line begins that is being written now."""
    size = file.seek(0, io.SEEK_END)
    start = max(0, size - _LOOK_BACK)
    newline = read_at(file, start, size - start).rfind(b"\n")
    return start + newline + 1 if newline >= 0 or start == 0 else size


def rotated(path: Path) -> Sequence[Path]:
    """Earlier selves of a file by the names that logrotate gives (app.log.1, app.log-20260207.gz), oldest first.

    What is compressed keeps its name until that is done: before, the compressed one is only a part of it.
    """
    pattern = re.compile(re.escape(path.name) + r"[.-]\d[\d.T_-]*?(?:\.gz)?")
    named: list[Path] = []
    with suppress(OSError):
        named = [entry for entry in path.parent.iterdir() if pattern.fullmatch(entry.name)]
    found: list[tuple[int, Path]] = []
    for entry in named:
        if entry.suffix == ".gz" and entry.with_suffix("") in named:
            continue
        with suppress(OSError):
            found.append((entry.stat().st_mtime_ns, entry))
    return [entry for _, entry in sorted(found)]


def successors(path: Path, file: BinaryIO) -> Sequence[Path]:
    """What was written after `file`, oldest first: rotated files that came later, and at last what `path` names."""
    status = os.fstat(file.fileno())
    later: list[Path] = []
    for candidate in rotated(path):
        with suppress(OSError):
            found = candidate.stat()
            if found.st_mtime_ns > status.st_mtime_ns and found.st_ino != status.st_ino:
                later.append(candidate)
    return [*later, path]
