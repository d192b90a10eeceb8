"""Read CloudWatch Logs from a subscription: through a Lambda, Kinesis or Firehose.

The data message: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
Firehose: https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import repeat

import msgspec

from detection.types import LogRecord
from integrations.inbound.lines.traces import join_traces
from integrations.inbound.lines.understanding import understand
from integrations.inbound.monitoring.documents import TRACES
from integrations.inbound.monitoring.log_fields import (
    NAME_LIMIT,
    UNKNOWN_SERVICE,
    Identities,
    Shape,
    bounded_attributes,
    clipped,
    decoded_json,
    short_text,
)
from integrations.inbound.monitoring.plain_line import line_record
from integrations.inbound.reading.batches import UNREADABLE, Text, describe_error, read_each
from integrations.inbound.reading.body import GZIP_MAGIC, decoded, without_nul
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection
from integrations.inbound.reading.times import parse_time
from integrations.inbound.sources.log_groups import service_of_group
from integrations.inbound.sources.names import service_in_line

_CONTROL = "CONTROL_MESSAGE"


class _LogEvent(msgspec.Struct):
    message: str
    id: str | None = None
    timestamp: int | None = None


class _DataMessage(msgspec.Struct):
    messageType: str
    logGroup: str | None = None
    logStream: str | None = None
    owner: str | None = None
    logEvents: list[msgspec.Raw] = []


class _Data(msgspec.Struct):
    data: str


class _KinesisRecord(msgspec.Struct):
    kinesis: _Data


class _Subscription(msgspec.Struct):
    awslogs: _Data | None = None
    Records: list[msgspec.Raw] | None = None


class _Firehose(msgspec.Struct):
    requestId: str
    timestamp: int
    records: list[msgspec.Raw]


_DATA = msgspec.json.Decoder(_Data)
_KINESIS = msgspec.json.Decoder(_KinesisRecord)
_EVENT = msgspec.json.Decoder(_LogEvent)
_MESSAGE = msgspec.json.Decoder(_DataMessage)


@dataclass(slots=True)
class _ByteBudget:
    """The remaining number of bytes that all compressed parts of one body together may expand to."""

    left: int

    def unpacked(self, data: str, path: str) -> bytes:
        """Decode base64 and gzip. Raises FieldError, or PayloadTooLargeError if the limit is exceeded."""
        try:
            raw = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise FieldError(path, "is not base64") from error
        if not raw.startswith(GZIP_MAGIC):
            return raw
        try:
            text = decoded(raw, "gzip", self.left)
        except PayloadError as error:
            if error.__class__ is not PayloadError:
                raise
            raise FieldError(path, "its compression is broken or cut short") from error
        self.left -= len(text)
        return text


@dataclass(frozen=True, slots=True)
class Delivery:
    """A Firehose request: its id, which the response repeats, and its records."""

    request_id: str
    parsed: Parsed[LogRecord]


def read_subscription(text: bytes, *, now: float, max_decoded_bytes: int) -> Parsed[LogRecord]:
    """Read the event of a Lambda: {"awslogs": {"data": …}} or Kinesis's {"Records": …}. Raises PayloadError."""
    body = decoded_json(text, _Subscription)
    budget = _ByteBudget(max_decoded_bytes)
    parsed: Parsed[LogRecord] = Parsed()
    if body.awslogs is not None:
        with _reject_part(parsed):
            _read_message(budget.unpacked(body.awslogs.data, "awslogs.data"), "awslogs.data", parsed, now)
    elif body.Records is not None:
        for index, raw in enumerate(body.Records):
            path = f"Records[{index}]"
            with _reject_part(parsed):
                data = _decode_part(_KINESIS, raw, path).kinesis.data
                path = f"{path}.kinesis.data"
                _read_message(budget.unpacked(data, path), path, parsed, now)
    else:
        raise PayloadError("is missing (or Records)", "awslogs")
    return parsed


def read_firehose(text: bytes, *, service: str | None = None, now: float, max_decoded_bytes: int) -> Delivery:
    """Read a delivery stream's request: data messages of CloudWatch Logs, or plain lines.

    `service` is the service of plain lines. Their ids contain the request's id, which a retry repeats.
    """
    body = decoded_json(text, _Firehose)
    budget = _ByteBudget(max_decoded_bytes)
    parsed: Parsed[LogRecord] = Parsed()
    for index, raw in enumerate(body.records):
        path = f"records[{index}]"
        with _reject_part(parsed):
            data = _decode_part(_DATA, raw, path).data
            path = f"{path}.data"
            content = budget.unpacked(data, path)
            if _is_data_message(content):
                _read_message(content, path, parsed, now)
            else:
                name = f"firehose:{clipped(body.requestId, NAME_LIMIT)}:{index}"
                parsed.records += _lines(content, name, service or UNKNOWN_SERVICE, now)
    return Delivery(body.requestId, parsed)


def _is_data_message(content: bytes) -> bool:
    return content.lstrip().startswith(b"{") and b'"messageType"' in content and b'"logEvents"' in content


def _read_message(content: bytes, path: str, parsed: Parsed[LogRecord], now: float) -> None:
    """Add one data message's log events to `parsed`. Raises FieldError."""
    message = _decode_part(_MESSAGE, without_nul(content), path)
    if message.messageType == _CONTROL:
        return

    identities = Identities(f"cloudwatch:{message.logGroup}:{message.logStream}")

    def read(raw: Text) -> LogRecord:
        return _to_record(_EVENT.decode(raw), message, identities, now)

    found = read_each(message.logEvents, read, prefix=f"{path}.logEvents")
    before = len(parsed.records) + len(parsed.rejections)
    parsed.records += join_traces(found.records, repeat(message.logStream, len(found.records))).records
    parsed.rejections += [replace(rejection, index=before + rejection.index) for rejection in found.rejections]


def _decode_part(decoder: msgspec.json.Decoder[Shape], text: Text, path: str) -> Shape:
    """Decode the part at `path`. Raises FieldError with the full path."""
    try:
        return decoder.decode(text)
    except UNREADABLE as error:
        field, said = describe_error(error, text)
        raise FieldError(f"{path}.{field}" if field else path, said) from error


@contextmanager
def _reject_part(parsed: Parsed[LogRecord]) -> Iterator[None]:
    """Reject one unreadable part of a delivery. It counts as one log record, numbered after all before it."""
    try:
        yield
    except FieldError as error:
        parsed.rejections.append(Rejection(len(parsed.records) + len(parsed.rejections), error.field, error.message))


def _to_record(event: _LogEvent, message: _DataMessage, identities: Identities, now: float) -> LogRecord:
    happened_at = now if event.timestamp is None else parse_time(event.timestamp, now=now, field="timestamp")
    understood = understand(event.message.rstrip("\n"))
    return LogRecord(
        record_id=f"cloudwatch:{clipped(event.id, NAME_LIMIT)}"
        if event.id
        else identities.of(happened_at, event.message),
        service=_service(event.message, message),
        version=None,
        happened_at=happened_at,
        severity=understood.severity,
        body=clipped(understood.body),
        trace_id=short_text(understood.document, *TRACES),
        attributes=bounded_attributes(
            understood.beside(
                {
                    "log_group": clipped(message.logGroup or "", 512),
                    "log_stream": clipped(message.logStream or "", 512),
                    "account": clipped(message.owner or "", NAME_LIMIT),
                }
            )
        ),
    )


def _service(text: str, message: _DataMessage) -> str:
    """Return the service that a JSON message names (as Container Insights do), else that of its log group."""
    named = service_in_line(text) or service_of_group(message.logGroup or "", message.logStream or "")
    return clipped(named or UNKNOWN_SERVICE, NAME_LIMIT)


def _lines(content: bytes, name: str, service: str, now: float) -> Sequence[LogRecord]:
    lines = [line for line in content.decode("utf-8", "replace").splitlines() if line.strip()]
    records = [line_record(line, f"{name}:{number}", service, now=now) for number, line in enumerate(lines)]
    return join_traces(records, repeat(name, len(records)), seconds_apart=math.inf).records
