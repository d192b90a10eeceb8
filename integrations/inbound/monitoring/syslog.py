"""Read one syslog message: RFC 5424, or the older BSD form of RFC 3164 as far as it can be recognised.

https://www.rfc-editor.org/rfc/rfc5424#section-6
"""

from __future__ import annotations

import re

from detection.types import JsonValue, LogRecord
from integrations.inbound.lines.levels import of_syslog
from integrations.inbound.lines.understanding import Told, Understood, understand
from integrations.inbound.monitoring.log_fields import NAME_LIMIT, UNKNOWN_SERVICE, bounded_attributes, clipped
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time

HIGHEST_PRIORITY = 191

_PRIORITY = re.compile(r"<(\d{1,3})>")
_HEADER = re.compile(
    r"1 (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) (?P<process>\S+) (?P<kind>\S+) "
    r"(?P<data>-|(?:\[(?:[^\]\\]|\\.)*\])+)(?: (?P<message>.*))?",
    re.S,
)
_ELEMENT = re.compile(r"\[([^\s\]=\"]+)((?:[^\]\\]|\\.)*)\]")
_PARAMETER = re.compile(r' ([^\s=\]"]+)="((?:[^"\\\]]|\\.)*)"')
_ESCAPED = re.compile(r'\\(["\\\]])')
_BSD = re.compile(
    r"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?P<host>\S+) )?"
    r"(?P<app>[\w./-]{1,100})(?:\[(?P<process>\d+)\])?: (?P<message>.*)",
    re.S,
)
_BYTE_ORDER_MARK = "\ufeff"


def read_syslog(data: bytes, record_id: str, *, now: float) -> LogRecord:
    """Convert the message to a log record. Without a valid priority the whole text is kept, with the level it names.

    A BSD message gets its time of arrival, because its own time has no year and no zone. Raises FieldError if the
    message is empty or its RFC 5424 time is not plausible.
    """
    text = data.decode("utf-8", "replace").strip("\r\n\x00 ")
    if not text:
        raise FieldError("", "is empty")
    found = _PRIORITY.match(text)
    priority = int(found.group(1)) if found else None
    if found is None or priority is None or priority > HIGHEST_PRIORITY:
        said = understand(text)
        fields = bounded_attributes(said.fields)
        return LogRecord(record_id, UNKNOWN_SERVICE, None, now, said.severity, clipped(said.body), attributes=fields)
    rest = text[found.end() :]
    header = _HEADER.fullmatch(rest)
    if header is not None:
        return _rfc5424_record(header, priority, record_id, now)
    return _bsd_record(rest, priority, record_id, now)


def _rfc5424_record(header: re.Match[str], priority: int, record_id: str, now: float) -> LogRecord:
    timestamp = header["time"]
    message = (header["message"] or "").removeprefix(_BYTE_ORDER_MARK)
    data = _structured(header["data"])
    names = {"host": header["host"], "process": header["process"], "message_id": header["kind"]}
    attributes: dict[str, JsonValue] = {name: clipped(value, 255) for name, value in names.items() if value != "-"}
    if data:
        attributes["structured_data"] = data
    said = understand(message, _told(priority))
    return LogRecord(
        record_id=record_id,
        service=UNKNOWN_SERVICE if header["app"] == "-" else clipped(header["app"], NAME_LIMIT),
        version=None,
        happened_at=now if timestamp == "-" else parse_time(timestamp, now=now, field="TIMESTAMP"),
        severity=said.severity,
        body=clipped(said.body),
        attributes=_beside(said, {"facility": priority // 8, **attributes}),
    )


def _told(priority: int) -> Told:
    """Return the severity of a priority. Container runtimes set it by the stream alone: err for the error stream."""
    return Told(of_syslog(priority % 8), by_stream=True)


def _beside(said: Understood, attributes: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return bounded_attributes(said.beside(attributes)) if said.fields else attributes


def _structured(written: str) -> dict[str, JsonValue]:
    """Parse structured data such as [id name="value" …][…] to {"id": {"name": "value"}}."""
    found: dict[str, JsonValue] = {}
    for element in _ELEMENT.finditer(written):
        pairs = _PARAMETER.findall(element.group(2))
        found[clipped(element.group(1), NAME_LIMIT)] = {
            clipped(name, NAME_LIMIT): clipped(_ESCAPED.sub(r"\1", value)) for name, value in pairs
        }
    return found


def _bsd_record(rest: str, priority: int, record_id: str, now: float) -> LogRecord:
    found = _BSD.fullmatch(rest)
    parts = found.groupdict() if found else {}
    attributes = {name: parts[name] for name in ("host", "process") if parts.get(name)}
    said = understand(parts.get("message") or rest, _told(priority))
    return LogRecord(
        record_id=record_id,
        service=clipped(parts.get("app") or UNKNOWN_SERVICE, NAME_LIMIT),
        version=None,
        happened_at=now,
        severity=said.severity,
        body=clipped(said.body),
        attributes=_beside(said, {"facility": priority // 8, **attributes}),
    )
