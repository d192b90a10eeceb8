"""The text of one file of an export, however it was written; what is wrong with it is told with how to mend it."""

from __future__ import annotations

import re
from pathlib import Path

from bot.investigate.reading.problems import Problems

LARGEST_BYTES = 200_000_000
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_FIRST_BYTES = 4096
_SAMPLE = 100_000
"""Characters in which a time without a zone is looked for: times of one file are written alike."""
_ZONELESS = re.compile(
    r'(?:^|"(?:timestamp|time|at|start|start_time|fired_at|started_at|opened_at|deployed_at|changed_at)"\s*:\s*")'
    r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?[",]',
    re.MULTILINE,
)
"""A time without a zone, as a field of JSON or as the first column of CSV."""


def text_of(path: Path, problems: Problems) -> str:
    """Return the text of a file; "" if it cannot be read, which is told."""
    try:
        if not path.is_file():
            problems.add(path.name, "", "is no file" if path.exists() else "is a link that leads nowhere")
            return ""
        if path.stat().st_size > LARGEST_BYTES:
            problems.add(path.name, "", f"is larger than {LARGEST_BYTES // 1_000_000} MB and was left out")
            return ""
        content = path.read_bytes()
    except OSError as error:
        problems.add(path.name, "", f"cannot be read: {error.strerror}")
        return ""
    if (wrong := _no_text(content)) is not None:
        problems.add(path.name, "", f"{wrong} and was left out")
        return ""
    text = _decoded(path, content, problems)
    if (zoneless := _ZONELESS.search(text[:_SAMPLE])) is not None:
        line = text.count("\n", 0, zoneless.start()) + 1
        problems.add(path.name, f"line {line}", "has a time without a zone; such times are read as UTC")
    return text


def _no_text(content: bytes) -> str | None:
    if content.startswith(_GZIP):
        return "is compressed (unpack it with gunzip)"
    if content.startswith(_UTF16):
        return "is UTF-16 (save it as UTF-8)"
    if content[:_FIRST_BYTES].count(0) > 1:
        return "holds no text"
    return None


def _decoded(path: Path, content: bytes, problems: Problems) -> str:
    """Return the text; where it is not UTF-8, with a mark in place of what cannot be read."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.add(
            path.name,
            f"line {line}",
            "is not UTF-8; what cannot be read is shown as \N{REPLACEMENT CHARACTER}. Save the file as UTF-8",
        )
        return content.decode("utf-8-sig", "replace")
