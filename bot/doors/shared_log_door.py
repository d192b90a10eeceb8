"""What the doors of monitoring systems share: they all bring log records, and answer alike."""

from __future__ import annotations

from collections.abc import Sequence
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

GIVEN_UP = 400
"""Datadog's agent gives a body up for this one (and 401, 403 and 413), Fluent Bit's output for Loki for this alone.

For any other they send it again, the agent without end: nothing behind it would arrive."""


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


def answer(receipt: Receipt, status: int = 200, refused: int = 422) -> JSONResponse:
    """The status its sender waits for, or `refused` where something was; what is good is stored either way.

    `refused` must be one for which the door's senders give a body up: what is refused now would be so again. For 422
    Alertmanager does, and Sentry's SDKs; others only for GIVEN_UP.
    """
    if not receipt.rejections:
        return JSONResponse(report(receipt), status)
    first = receipt.rejections[0]
    stored = receipt.accepted + receipt.duplicates
    message = f"{first.field}: {first.message}" if first.field else first.message
    if stored:
        kept = f"{counted(stored, 'record')} {'was' if stored == 1 else 'were'} stored"
        message = f"{kept}, {len(receipt.rejections)} refused; the first of those: {message}"
    return JSONResponse({**error_body(message, first.field or None), **report(receipt)}, refused)


def given_up(error: MalformedError | WrongTypeError) -> JSONResponse:
    """The refusal of a whole body, for senders that give one up for GIVEN_UP alone."""
    return JSONResponse(error_body(error.message, error.field), GIVEN_UP)
