"""Read Datadog's log intake and the webhook that its monitors call.

Logs: https://docs.datadoghq.com/api/latest/logs/#send-logs
Webhook: https://docs.datadoghq.com/integrations/webhooks/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from detection.types import LogRecord
from integrations.inbound.lines.fields import level_of
from integrations.inbound.lines.traces import join_traces
from integrations.inbound.lines.understanding import Told, Understood, understand, understand_document
from integrations.inbound.monitoring.alerts import FIRING, RESOLVED, Alert
from integrations.inbound.monitoring.log_fields import (
    UNKNOWN_SERVICE,
    Identities,
    bounded_attributes,
    clipped,
    decoded_json,
    field,
    short_text,
    time_of,
    time_said,
)
from integrations.inbound.reading.batches import Text, array_elements, read_each, read_one
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection
from integrations.inbound.sources.names import service_in_line, service_of

_TIMES = ("timestamp", "@timestamp", "date", "published_date")
_SOURCE = ("hostname", "service", "ddsource", "ddtags")
"""The fields that tell the source of a log: the agent puts the container and the file into the tags."""

_VARIABLE = re.compile(r"\$[A-Z][A-Z_]*")
_DIGITS = re.compile(r"[0-9]{1,19}")
_TITLE = re.compile(r"\[(?P<transition>[^\]]*)\]\s*(?P<name>.*)", re.S)
_ITEM = msgspec.json.Decoder(dict[str, object])
_RESOLVED_WORDS = frozenset({"recovered", "resolved", "ok"})


def read_datadog_logs(text: bytes, *, tags: str = "", now: float) -> Parsed[LogRecord]:
    """Read one log or an array of logs. `tags` are those of the request (`?ddtags=`). Raises PayloadError.

    A log without a time gets the time `now`. An empty object, which the agent sends as a probe, contains no log.
    """
    identities = Identities("datadog")

    items: list[Mapping[str, object]] = []

    def read(raw: Text) -> LogRecord:
        item = _ITEM.decode(raw)
        record = _to_record(item, tags, identities, bytes(raw).decode("utf-8", "replace"), now)
        items.append(item)
        return record

    body = without_nul(text).strip()
    if body.startswith(b"{") and body[1:].strip() == b"}":
        return Parsed()
    parsed = read_each(array_elements(body), read) if body.startswith(b"[") else read_one(body, read)
    sources = (tuple(str(item.get(name)) for name in _SOURCE) for item in items)
    parsed.records = join_traces(parsed.records, sources).records
    return parsed


def _to_record(item: Mapping[str, object], tags: str, identities: Identities, written: str, now: float) -> LogRecord:
    """Convert one log. written: all of it as it was sent, because the same line of another source is another record."""
    if "message" not in item:
        raise FieldError("message", "is missing")
    level = level_of(item)
    # The agent takes the status from the stream that a line came by, unless a pipeline set it.
    understood = _understood(item["message"], Told(level, by_stream="status" in item))
    message = clipped(item["message"])
    happened_at = time_said(item, *_TIMES, now=now)
    tagged = _parse_tags(f"{item.get('ddtags') or ''},{tags}")
    service = (
        service_of({**tagged, **item}) or service_in_line(message) or short_text(item, "ddsource") or UNKNOWN_SERVICE
    )
    at = now if happened_at is None else happened_at
    found = understood.beside(item)
    return LogRecord(
        record_id=identities.of(at, written, tags),
        service=service,
        version=tagged.get("version"),
        happened_at=at,
        severity=understood.severity,
        body=clipped(understood.body),
        trace_id=short_text(found, "trace_id", "dd.trace_id"),
        attributes=bounded_attributes(found, without=("message", "service", "status", "ddtags", *_TIMES))
        | {"tags": dict(tagged)},
    )


def _understood(message: object, told: Told) -> Understood:
    if isinstance(message, Mapping):
        return understand_document(message, told)
    return understand(message if isinstance(message, str) else clipped(message), told)


def _parse_tags(tags: str) -> dict[str, Any]:
    """Parse tags such as "env:prod,version:v42". The first of a name counts; a tag without a value is True."""
    found: dict[str, Any] = {}
    for tag in tags.split(","):
        name, separator, value = tag.strip().partition(":")
        if name:
            found.setdefault(clipped(name, 200), clipped(value, 200) if separator else True)
    return found


def read_datadog_alert(text: bytes, *, now: float) -> Parsed[Alert]:
    """Read one change of a monitor, in Datadog's default payload or the fuller one of docs/connecting.md.

    Raises PayloadError.
    """
    sent: dict[str, object] = decoded_json(text, dict)
    # A variable that Datadog does not fill in stays as it is written.
    body = {name: value for name, value in sent.items() if not (isinstance(value, str) and _VARIABLE.fullmatch(value))}
    title = short_text(body, "alert_title", "event_title", "title")
    if title is None:
        raise PayloadError(
            "is missing; leave Datadog's own payload as it is, or take the one of docs/connecting.md", "title"
        )
    found = _TITLE.match(title)
    transition = short_text(body, "alert_transition", "transition") or (found["transition"] if found else "")
    tags = _parse_tags(str(field(body, "tags") or ""))
    try:
        happened_at = time_of(_with_numeric_times(body), "date", "last_updated", now=now)
    except FieldError as error:
        return Parsed(rejections=[Rejection(0, error.field, error.message)])
    name = found["name"] if found and found["name"] else title
    monitor = short_text(body, "alert_id", "aggreg_key") or name
    scope = short_text(body, "alert_scope") or transition.partition(" on ")[2]
    event_key = short_text(body, "id") or f"{scope}:{happened_at or now!r}"
    alert = Alert(
        source="datadog",
        name=name,
        status=FIRING if _RESOLVED_WORDS.isdisjoint(transition.lower().partition(" on ")[0].split()) else RESOLVED,
        key=f"{monitor}:{event_key}",
        happened_at=now if happened_at is None else happened_at,
        service=tags.get("service"),
        summary=clipped(field(body, "alert_status", "body", "event_msg") or ""),
        level="warning" if "warn" in transition.lower() else short_text(body, "alert_type"),
        details={
            "tags": tags,
            "url": short_text(body, "link"),
            "transition": transition,
            "scope": short_text(body, "alert_scope"),
        },
        identity=f"{monitor}:{scope}",
    )
    return Parsed([alert])


def _with_numeric_times(body: Mapping[str, object]) -> dict[str, object]:
    """Convert digit-only texts to integers, because Datadog sends times as text."""
    return {
        name: int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value
        for name, value in body.items()
    }
