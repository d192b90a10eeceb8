"""Compression formats other than gzip that log senders use: Brotli (Sentry), Zstandard (Datadog), raw Snappy (Loki)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cramjam

from integrations.inbound.reading.records import PayloadError, PayloadTooLargeError

_LEAST_ROOM = 65_536
_ROOM_IS_SHORT = "failed to write whole buffer"

_DECOMPRESSORS: Mapping[str, Callable[[bytes, bytearray], Any]] = {
    "br": cramjam.brotli.decompress_into,
    "zstd": cramjam.zstd.decompress_into,
    "zstd1": cramjam.zstd.decompress_into,
}
ENCODINGS = tuple(_DECOMPRESSORS)
"""Content encodings that `decompress_body` supports."""


def decompress_body(body: bytes, encoding: str, max_decoded_bytes: int) -> bytes:
    """Decompress one of ENCODINGS into a bounded buffer, so that a decompression bomb costs no more than the limit.

    Raises PayloadError, or PayloadTooLargeError if the content is longer than the limit.
    """
    decompress = _DECOMPRESSORS[encoding]
    room = min(max_decoded_bytes, max(_LEAST_ROOM, 8 * len(body)))
    while True:
        buffer = bytearray(room)
        try:
            length = decompress(body, buffer)
        except cramjam.DecompressionError as error:
            if _ROOM_IS_SHORT not in str(error):
                raise PayloadError("its compression is broken or cut short") from error
            if room >= max_decoded_bytes:
                raise _too_large(max_decoded_bytes) from error
            room = min(max_decoded_bytes, 4 * room)
        else:
            return bytes(memoryview(buffer)[:length])


def decompress_snappy(body: bytes, max_decoded_bytes: int) -> bytes:
    """Decompress Snappy's block format, which starts with its length. Raises PayloadError, PayloadTooLargeError."""
    try:
        if cramjam.snappy.decompress_raw_len(body) > max_decoded_bytes:
            raise _too_large(max_decoded_bytes)
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise PayloadError("it is not Snappy's block format") from error


def _too_large(limit: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(f"it is larger than {limit:,} bytes once decompressed; send smaller batches")
