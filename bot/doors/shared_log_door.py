"""What the doors of monitoring systems share: storing log records, and their responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fastapi.responses import JSONResponse

from bot.errors import MalformedError, WrongTypeError, error_body
from bot.reception.receive import Payload, Receipt
from detection.types import LogRecord
from integrations.inbound.reading.body import decoded
from integrations.inbound.reading.compression import ENCODINGS
from storage.telemetry.protocol import Appended, TelemetryStore
from workers.words.text import counted

ANY_ENCODING = ("gzip", "deflate", *ENCODINGS)

DISCARD_STATUS = 400
"""The status that makes Datadog's agent and Fluent Bit's Loki output discard a body instead of sending it again.

The agent also discards on 401, 403 and 413; Fluent Bit discards on this one only. On any other status they retry, the
agent without end, so that no later data would arrive."""


def append_logs(store: TelemetryStore, records: Sequence[LogRecord]) -> Appended:
    """Store log records."""
    return store.append_logs(records)


def decoded_body(payload: Payload) -> bytes:
    """Return the decompressed body. Raises PayloadError."""
    return decoded(payload.body, payload.content_encoding, payload.max_decoded_bytes)


def receipt_report(receipt: Receipt) -> dict[str, Any]:
    """Return how many records were stored, and which were rejected and why."""
    counts: dict[str, Any] = {"accepted": receipt.accepted, "duplicates": receipt.duplicates}
    if receipt.rejections:
        counts["rejected"] = [asdict(rejection) for rejection in receipt.rejections]
    return counts


def log_response(
    receipt: Receipt, status: int = 200, refused: int = 422, *, note: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Return the response: `status`, or `refused` if a record was rejected. Valid records are stored either way.

    refused: a status that makes the door's senders discard the body, because a rejected record would be rejected again.
    Alertmanager and Sentry's SDKs discard on 422; others only on DISCARD_STATUS. note: what else to say.
    """
    report = {**receipt_report(receipt), **(note or {})}
    if not receipt.rejections:
        return JSONResponse(report, status)
    first = receipt.rejections[0]
    stored = receipt.accepted + receipt.duplicates
    message = f"{first.field}: {first.message}" if first.field else first.message
    if stored:
        stored_text = f"{counted(stored, 'record')} {'was' if stored == 1 else 'were'} stored"
        message = f"{stored_text}, {len(receipt.rejections)} refused; the first of those: {message}"
    return JSONResponse({**error_body(message, first.field or None), **report}, refused)


def discard_response(error: MalformedError | WrongTypeError) -> JSONResponse:
    """Return the refusal of a whole body, for senders that discard a body only on DISCARD_STATUS."""
    return JSONResponse(error_body(error.message, error.field), DISCARD_STATUS)
