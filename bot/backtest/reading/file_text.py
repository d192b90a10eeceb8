"""The text of a file: its compression and encoding found from its first bytes."""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from pathlib import Path

from bot.backtest.reading.left_out import CsvError

STDIN = Path("-")

_NO_TEXT = {
    b"PK\x03\x04": "this is a workbook or a zip archive; save the sheet as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "this is an old Excel workbook; save the sheet as CSV",
    b"PAR1": "this is Parquet; write it as CSV",
    b"SQLite format 3": "this is a SQLite database; write the table as CSV",
    b"\x28\xb5\x2f\xfd": "this is compressed with zstd; unpack it",
    b"%PDF": "this is a PDF; get the table behind it as CSV",
    b"BZh": "this is compressed with bzip2; unpack it",
    b"\xfd7zXZ": "this is compressed with xz; unpack it",
}
_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0e-\x1f]")
_JSON = re.compile(r'\s*(\{\s*["}]|\[\s*[\[{"\d])')
_SAMPLE = 4096
_FEW_ZERO_BYTES = 0.01


def text_of(file: Path) -> str:
    """Return the text of a file, or of the standard input for STDIN.

    It may be compressed with gzip, and in UTF-8, UTF-16, UTF-32 or Windows-1252.

    Raises CsvError for what is no text, and OSError if the file cannot be read.
    """
    content = sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = _unpacked(content)
    for beginning, words in _NO_TEXT.items():
        if content.startswith(beginning):
            raise CsvError(words)
    text = _decoded(content)
    if _JSON.match(text):
        raise CsvError("this is JSON, not CSV; write it with one line a point: timestamp,value")
    if text.lstrip().startswith("<"):
        raise CsvError(
            "this is a web page (HTML or XML), not CSV; was the sign-in page downloaded in place of the data?"
        )
    return text


def _unpacked(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise CsvError("this is compressed with gzip and cut short or broken; get it again") from error


def _decoded(content: bytes) -> str:
    try:
        text = content.decode(_encoding(content))
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if text.count("\0") <= len(text) * _FEW_ZERO_BYTES:
        # What a machine that lost its power leaves within a log.
        text = text.replace("\0", "")
    if _NOT_IN_TEXT.search(text[:_SAMPLE]):
        raise CsvError("this is not a text file; a history is CSV: one line a point, timestamp,value")
    return text


def _encoding(content: bytes) -> str:
    """Return the encoding by the byte order mark, else by where the zero bytes of ASCII characters are."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return encoding
    sample = content[: _SAMPLE // 2 * 2]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > len(sample) // 4 and not even:
        return "utf-16-le"
    if even > len(sample) // 4 and not odd:
        return "utf-16-be"
    return "utf-8"
