"""What the doors of monitoring systems share: they all bring log records, and answer alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi.responses import JSONResponse

from bot.errors import error_body
from bot.receiving import Payload, Receipt
from detection.types import LogRecord
from integrations.inbound.body import decoded
from integrations.inbound.compression import ENCODINGS
from storage.telemetry.protocol import Appended, TelemetryStore

ANY_ENCODING = ("gzip", "deflate", *ENCODINGS)


def append_logs(store: TelemetryStore, records: Sequence[LogRecord]) -> Appended:
    """What a door of log records does with them."""
    return store.append_logs(records)


def plain(payload: Payload) -> bytes:
    """The body, decompressed. Raises PayloadError."""
    return decoded(payload.body, payload.content_encoding, payload.max_decoded_bytes)


def report(receipt: Receipt) -> dict[str, Any]:
    """How many records were stored, and which were refused and why."""
    told: dict[str, Any] = {"accepted": receipt.accepted, "duplicates": receipt.duplicates}
    if receipt.rejections:
        told["rejected"] = [asdict(rejection) for rejection in receipt.rejections]
    return told


def answer(receipt: Receipt, status: int = 200) -> JSONResponse:
    """The status its sender waits for, or 422 where something was refused; what is good is stored either way.

    None of these senders sends a body again for a 422, so that it is safe to be exact.
    """
    if not receipt.rejections:
        return JSONResponse(report(receipt), status)
    first = receipt.rejections[0]
    stored = receipt.accepted + receipt.duplicates
    message = f"{first.field}: {first.message}" if first.field else first.message
    if stored:
        message = f"{stored} records were stored, {len(receipt.rejections)} were not; the first of those: {message}"
    return JSONResponse({**error_body(message, first.field or None), **report(receipt)}, 422)
