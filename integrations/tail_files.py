"""File access for the tail: the log file itself, and the rotated files that it was before."""

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


def open_for_reading(path: Path) -> BinaryIO | None:
    """Open the file for reading and decompress it if it ends with .gz. Return None if it is gone or not readable."""
    try:
        if path.suffix == ".gz":
            return cast(BinaryIO, gzip.open(path, "rb"))
        return path.open("rb", buffering=0)
    except OSError:
        return None


def inode_of(file: BinaryIO) -> int:
    """Return the inode, which identifies the file even after a rename."""
    return os.fstat(file.fileno()).st_ino


def inode_at_path(path: Path) -> int | None:
    """Return the inode of the file with this name, or None if there is no such file."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def size_of(file: BinaryIO) -> int:
    """Return the file's size on disk in bytes."""
    return os.fstat(file.fileno()).st_size


def modified_at(file: BinaryIO) -> float:
    """Return the time of the last write, in seconds since 1970."""
    return os.fstat(file.fileno()).st_mtime


def end_of(path: Path, size: int = 8192) -> tuple[list[str], float] | None:
    """Return the last lines of a file, and when it was last written; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            written_at = modified_at(file)
            file.seek(max(0, size_of(file) - size))
            return file.read(size).decode("utf-8", "replace").splitlines(), written_at
    except OSError:
        return None


def is_non_empty_file(path: Path) -> bool:
    """Whether a file with this name exists and is not empty."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def fingerprint(file: BinaryIO, offset: int) -> str:
    """Return a hash of the file's first bytes and of the bytes just before `offset`.

    Return an empty string if the file is shorter than `offset` or is broken gzip. At offset 0 all files have the same
    fingerprint.
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
    """Return `length` bytes from `offset` on; fewer only at the end of the file, none if the gzip data is broken."""
    try:
        file.seek(offset)
        return file.read(length)
    except _BROKEN_GZIP:
        return b""


def end_of_last_line(file: BinaryIO) -> int:
    """Return the offset where the last, possibly unfinished line begins."""
    size = file.seek(0, io.SEEK_END)
    start = max(0, size - _LOOK_BACK)
    newline = read_at(file, start, size - start).rfind(b"\n")
    return start + newline + 1 if newline >= 0 or start == 0 else size


def rotated_files(path: Path) -> Sequence[Path]:
    """Return the rotated files of a log file, oldest first.

    They are found by the names that logrotate gives: app.log.1, app.log-20260207.gz. A .gz file is left out while its
    uncompressed original still exists, because it is not complete yet.
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
    """Return the files written after `file`, oldest first: the later rotated files, and last the file at `path`."""
    status = os.fstat(file.fileno())
    later: list[Path] = []
    for candidate in rotated_files(path):
        with suppress(OSError):
            found = candidate.stat()
            if found.st_mtime_ns > status.st_mtime_ns and found.st_ino != status.st_ino:
                later.append(candidate)
    return [*later, path]
