"""Decompress a request's body within a size limit."""

from __future__ import annotations

import re
import zlib

from integrations.inbound.reading.compression import ENCODINGS, decompress_body
from integrations.inbound.reading.records import PayloadError, PayloadTooLargeError

GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 31
_ZLIB = 15
_BARE = -15
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def decoded(body: bytes, content_encoding: str, max_decoded_bytes: int) -> bytes:
    """Return the decompressed body. Gzip is also detected by its first bytes, because some senders do not declare it.

    Stops at the limit, so that a decompression bomb costs no memory. Raises PayloadError or PayloadTooLargeError.
    """
    encoding = content_encoding.strip().lower()
    if encoding in ENCODINGS:
        return decompress_body(body, encoding, max_decoded_bytes)
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise PayloadError(f"the content encoding {encoding!r} is not known; use gzip or none")
    if body.startswith(GZIP_MAGIC):
        return _inflated(body, _GZIP, max_decoded_bytes)
    if encoding in ("gzip", "x-gzip"):
        raise PayloadError("it is not gzip, though its content encoding says so")
    if encoding == "deflate":
        return _inflated(body, _ZLIB if _is_zlib(body) else _BARE, max_decoded_bytes)
    if len(body) > max_decoded_bytes:
        raise _too_large(max_decoded_bytes)
    return body


def _is_zlib(body: bytes) -> bool:
    """Whether `deflate` means zlib's format, as the standard says; some senders leave its header out."""
    return len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _inflated(body: bytes, window_bits: int, max_decoded_bytes: int) -> bytes:
    """Decompress every member of a gzip or zlib stream."""
    parts: list[bytes] = []
    room = max_decoded_bytes
    rest = body
    while rest:
        stream = zlib.decompressobj(window_bits)
        try:
            part = stream.decompress(rest, room + 1)
        except zlib.error as error:
            raise PayloadError("its compression is broken") from error
        if len(part) > room:
            raise _too_large(max_decoded_bytes)
        if not stream.eof:
            raise PayloadError("its compression is cut short")
        parts.append(part)
        room -= len(part)
        rest = stream.unused_data
    return b"".join(parts)


def _too_large(limit: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(f"it is larger than {limit:,} bytes once decompressed; send smaller batches")


def without_nul(json_body: bytes) -> bytes:
    r"""Replace each \u0000 in JSON by U+FFFD, because relational stores cannot hold a NUL in text.

    A byte order mark, which JSON must not have, is left out, and UTF-16 with one is read.
    """
    for mark, encoding in _MARKS:
        if json_body.startswith(mark):
            json_body = json_body.decode(encoding, "replace").encode("utf-8", "replace")
            break
    if b"\\u0000" not in json_body:
        return json_body
    return _ESCAPED_NUL.sub(rb"\1\\ufffd", json_body)
