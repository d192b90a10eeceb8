"""Read the envelopes of events and log records that Sentry's SDKs send.

The envelope: https://develop.sentry.dev/sdk/foundations/transport/envelopes/
The event: https://develop.sentry.dev/sdk/data-model/event-payloads/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from detection.types import JsonValue, LogRecord
from integrations.inbound.lines.escapes import plain
from integrations.inbound.lines.levels import severity
from integrations.inbound.monitoring.log_fields import (
    NAME_LIMIT,
    Identities,
    bounded_attributes,
    clipped,
    field,
    require_object,
    short_text,
)
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.clocks import SenderClock, clock_of
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection
from integrations.inbound.reading.senders_ids import record_id

_EVENT = "event"
_LOGS = "log"
_RELEASE = re.compile(r"(?P<package>[^@]+)@(?P<version>.+)")
_ATTRIBUTES = ("environment", "server_name", "transaction", "logger", "platform", "tags", "user", "level")
_FRAMES_KEPT = 20


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope that was read. Items other than events and logs (sessions, traces, replays) are ignored."""

    event_id: str | None
    parsed: Parsed[LogRecord]


def read_envelope(text: bytes, *, project: str, now: float) -> Envelope:
    """Read events and logs as log records. `project` names the service if no tag and no release does.

    Times are corrected by the header's `sent_at`, as in Sentry's Relay. Raises PayloadError if the envelope is broken.
    """
    first, _, rest = text.partition(b"\n")
    header = _decode_header(first, "the envelope's header")
    identities, clock = Identities(f"sentry:{project}"), clock_of(header.get("sent_at"), now=now)
    parsed: Parsed[LogRecord] = Parsed()
    for index, (kind, content) in enumerate(_items(rest)):
        try:
            if kind == _EVENT:
                parsed.records.append(_event_record(_decode_item(content), header, project, identities, clock))
            elif kind == _LOGS:
                _read_logs(_decode_item(content), project, index, parsed, identities, clock)
        except FieldError as error:
            path = f"items[{index}].{error.field}" if error.field else f"items[{index}]"
            parsed.rejections.append(Rejection(index, path, error.message))
    return Envelope(short_text(header, "event_id"), parsed)


def _items(rest: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (type, payload) of each item. A payload ends after the header's `length`, else at the end of the line."""
    while rest.strip():
        line, _, rest = rest.lstrip(b"\n").partition(b"\n")
        header = _decode_header(line, "an item's header")
        length = header.get("length")
        if isinstance(length, int):
            if not 0 <= length <= len(rest):
                raise PayloadError("the envelope is cut short")
            content, rest = rest[:length], rest[length:]
        else:
            content, _, rest = rest.partition(b"\n")
        yield str(header.get("type")), content


def _decode_header(line: bytes, what: str) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(without_nul(line), type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"{what} is not a JSON object: {error}") from error


def _decode_item(content: bytes) -> Mapping[str, object]:
    try:
        return require_object(msgspec.json.decode(without_nul(content)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FieldError("", f"is not JSON: {error}") from error


def _event_record(
    event: Mapping[str, object],
    header: Mapping[str, object],
    project: str,
    identities: Identities,
    clock: SenderClock,
) -> LogRecord:
    at = _time(event, clock)
    service, version = service_of(event, project)
    body, details = _body_and_details(event)
    event_id = _event_id(event) or _event_id(header)
    return LogRecord(
        record_id=f"sentry:{event_id}" if event_id else identities.of(_told_time(event, clock), _content(event)),
        service=service,
        version=version,
        happened_at=at,
        severity=severity(event.get("level"), "ERROR" if "exception" in event else "INFO"),
        body=body,
        trace_id=short_text(event, "contexts.trace.trace_id"),
        attributes={**bounded_attributes({name: event[name] for name in _ATTRIBUTES if event.get(name)}), **details},
    )


def _event_id(found: Mapping[str, object]) -> str | None:
    """Return the event's id, which is a UUID with or without hyphens."""
    given = record_id(found.get("event_id"), "event_id")
    return given and given.replace("-", "").lower()


def service_of(event: Mapping[str, object], project: str) -> tuple[str, str | None]:
    """Return (service, version). The service is the tag `service`, else the package of a release, else the project.

    A release is "package@version", such as "shop@v42"; without "@" it is only a version.
    """
    release = short_text(event, "release")
    found = _RELEASE.fullmatch(release) if release else None
    package, version = (found["package"], found["version"]) if found else (None, release)
    tags = event.get("tags")
    tagged = dict(tags) if isinstance(tags, Mapping) else {str(pair[0]): pair[1] for pair in _pairs(tags)}
    return clipped(short_text(tagged, "service") or package or f"sentry-{project}", NAME_LIMIT), version


def _pairs(tags: object) -> list[list[object]]:
    """Return tags in the form that webhooks use: [["service", "shop"]]."""
    return [pair for pair in tags if isinstance(pair, list) and len(pair) == 2] if isinstance(tags, list) else []


def _body_and_details(event: Mapping[str, object]) -> tuple[str, dict[str, JsonValue]]:
    """Return (body, details) of an event: its last exception with its frames, else its message."""
    exception = event.get("exception")
    values = exception.get("values") if isinstance(exception, Mapping) else exception
    raised = [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []
    if not raised:
        said = field(event, "logentry.formatted", "logentry.message", "message.formatted", "message", "title")
        return clipped(said if said is not None else "an event without a message"), {}
    last = raised[-1]
    kind = clipped(last.get("type") or "Exception", NAME_LIMIT)
    words = clipped(f"{kind}: {last['value']}" if last.get("value") else kind)
    return words, {"exception": kind, "frames": _frames(last)}


def _frames(raised: Mapping[str, object]) -> JsonValue:
    """Return the frames as "file:line in function", the innermost call last."""
    stack = raised.get("stacktrace")
    frames = stack.get("frames") if isinstance(stack, Mapping) else None
    if not isinstance(frames, list):
        return []
    told = [frame for frame in frames if isinstance(frame, Mapping)][-_FRAMES_KEPT:]
    return [
        clipped(f"{frame.get('filename') or '?'}:{frame.get('lineno') or '?'} in {frame.get('function') or '?'}", 500)
        for frame in told
    ]


def _read_logs(
    container: Mapping[str, object],
    project: str,
    index: int,
    parsed: Parsed[LogRecord],
    identities: Identities,
    clock: SenderClock,
) -> None:
    items = container.get("items")
    if not isinstance(items, list):
        raise FieldError("items", "must be an array")
    for number, item in enumerate(items):
        try:
            parsed.records.append(_log_record(require_object(item), project, identities, clock))
        except FieldError as error:
            parsed.rejections.append(Rejection(index, f"items[{index}].items[{number}].{error.field}", error.message))


def _log_record(item: Mapping[str, object], project: str, identities: Identities, clock: SenderClock) -> LogRecord:
    given = item.get("attributes")
    found = {
        name: value.get("value") if isinstance(value, Mapping) else value
        for name, value in (given.items() if isinstance(given, Mapping) else ())
    }
    at = _time(item, clock)
    said = item.get("body") or ""
    body = clipped(plain(said) if isinstance(said, str) else said)
    service, version = service_of({"release": found.get("sentry.release"), "tags": found}, project)
    return LogRecord(
        record_id=identities.of(_told_time(item, clock), _content(item)),
        service=service,
        version=version,
        happened_at=at,
        severity=severity(item.get("level")),
        body=body,
        trace_id=short_text(item, "trace_id"),
        attributes=bounded_attributes(found),
    )


def _time(item: Mapping[str, object], clock: SenderClock) -> float:
    """Return when it happened; without a time, when it arrived. Raises FieldError."""
    told = field(item, "timestamp")
    return clock.now if told is None else clock.corrected(told, field="timestamp")


def _told_time(item: Mapping[str, object], clock: SenderClock) -> float:
    """Return what tells deliveries apart: nothing for an item with a time of its own, else when it arrived."""
    return clock.now if field(item, "timestamp") is None else 0.0


def _content(item: Mapping[str, object]) -> str:
    return msgspec.json.encode(item, order="deterministic").decode()
