"""A request's body, decompressed within bounds."""

from __future__ import annotations

import re
import zlib

from integrations.inbound.reading.compression import ENCODINGS, expanded
from integrations.inbound.reading.records import PayloadError, PayloadTooLargeError

GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 31
_ZLIB = 15
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def decoded(body: bytes, content_encoding: str, max_decoded_bytes: int) -> bytes:
    """The plain bytes. Gzip is known by its first bytes too, since some senders do not name it.

    Stops as soon as the limit is passed, so that a small bomb costs no memory. Raises PayloadError.
    """
    encoding = content_encoding.strip().lower()
    if encoding in ENCODINGS:
        return expanded(body, encoding, max_decoded_bytes)
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise PayloadError(f"the content encoding {encoding!r} is not known; use gzip or none")
    if body.startswith(GZIP_MAGIC):
        return _inflated(body, _GZIP, max_decoded_bytes)
    if encoding in ("gzip", "x-gzip"):
        raise PayloadError("it is not gzip, though its content encoding says so")
    if encoding == "deflate":
        return _inflated(body, _ZLIB, max_decoded_bytes)
    if len(body) > max_decoded_bytes:
        raise _too_large(max_decoded_bytes)
    return body


def _inflated(body: bytes, window_bits: int, max_decoded_bytes: int) -> bytes:
    """Every member of a gzip stream, one after the other."""
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
    r"""JSON with each \u0000 replaced by U+FFFD: no relational store keeps a NUL within text."""
    if b"\\u0000" not in json_body:
        return json_body
    return _ESCAPED_NUL.sub(rb"\1\\ufffd", json_body)
