"""Read one syslog message: RFC 5424, or the older BSD form of RFC 3164 as real senders write it.

No message is lost because of its form: what cannot be understood is kept whole, of an unknown service.
"""

from __future__ import annotations

import re

from detection.types import JsonValue, LogRecord
from integrations.inbound.lines.levels import of_syslog
from integrations.inbound.lines.understanding import Told, understand
from integrations.inbound.monitoring.log_fields import UNKNOWN_SERVICE, bounded_attributes, clipped
from integrations.inbound.reading.records import FieldError
from integrations.inbound.sources.names import service_of
from integrations.inbound.syslog.bsd import read_bsd
from integrations.inbound.syslog.header import Said
from integrations.inbound.syslog.names import MNEMONIC
from integrations.inbound.syslog.rfc5424 import BYTE_ORDER_MARK, read_modern

HIGHEST_PRIORITY = 191

_PRIORITY = re.compile(r"<(-?\d{0,6})>")
_WITHIN = re.compile(r"<\d{1,3}>|1 (?:\d{4}-\d\d-\d\dT|\d{9,10}\.)\S+ ")
"""A message within one: with a priority, or of RFC 5424 without it."""

_DEVICE = re.compile(r"\A(?=\w+=)(?:.*?\s)??(?:devname|device_name)=\"?(?P<name>[\w.-]+)")
"""Fortinet's and Sophos' messages are pairs, the device's name among them."""

_COUNT = re.compile(rb"(?P<count>\d{1,5}) (?=<\d{1,3}>)")


def read_syslog(data: bytes, record_id: str, *, now: float, sender: str = "") -> LogRecord:
    """Convert the message to a log record. `sender` is the address it came from, kept where no host is named.

    A time with its zone is the message's own, any other the time of arrival. Without a priority the text's own level
    counts. Raises FieldError if the message is empty.
    """
    count = _COUNT.match(data)
    if count is not None and abs(int(count["count"]) - (len(data) - count.end())) <= 1:
        # Some count the octets of a datagram as well.
        data = data[count.end() :]
    text = data.decode("utf-8", "replace").lstrip(BYTE_ORDER_MARK + "\r\n\x00 ").rstrip("\r\n\x00 \t")
    if not text:
        raise FieldError("", "is empty")
    priority, said = _header(text, now)
    attributes: dict[str, JsonValue] = {} if priority is None else {"facility": priority // 8}
    device = _DEVICE.search(said.message) if "host" not in said.attributes else None
    if device is not None:
        attributes["host"] = clipped(device["name"], 255)
    elif "host" not in said.attributes and sender:
        attributes["sender"] = sender
    understood = understand(said.message, _told(priority, said.message))
    fields = {**attributes, **said.attributes}
    return LogRecord(
        record_id=record_id,
        service=said.service or service_of(understood.document) or UNKNOWN_SERVICE,
        version=None,
        happened_at=now if said.happened_at is None else said.happened_at,
        severity=understood.severity,
        body=clipped(understood.body),
        attributes=bounded_attributes(understood.beside(fields)) if understood.fields else fields,
    )


def _header(text: str, now: float, *, is_within: bool = False) -> tuple[int | None, Said]:
    """Return (priority, what the header says). A relay may have put a header of its own before the sender's.

    A priority that cannot be is no part of the message where a header follows it, else the text is kept whole.
    """
    found = _PRIORITY.match(text)
    priority = int(found[1]) if found and found[1].isdigit() and int(found[1]) <= HIGHEST_PRIORITY else None
    rest = text[found.end() :].lstrip(BYTE_ORDER_MARK + " ") if found else text
    said = read_modern(rest, now=now) or read_bsd(rest, now=now, has_priority=priority is not None)
    if said is None:
        return priority, Said(text)
    if said.service is None and not is_within and _WITHIN.match(said.message):
        inner_priority, inner = _header(said.message, now, is_within=True)
        happened_at = said.happened_at if inner.happened_at is None else inner.happened_at
        attributes = {**said.attributes, **inner.attributes}
        said = Said(inner.message, inner.service, happened_at, attributes)
        priority = priority if inner_priority is None else inner_priority
    return priority, said


def _told(priority: int | None, message: str) -> Told:
    """Return the severity of a priority, or of the name that a network device gives its message.

    Container runtimes set the priority by the stream alone: err for the error stream.
    """
    if priority is not None:
        return Told(of_syslog(priority % 8), by_stream=True)
    named = MNEMONIC.match(message)
    return Told(of_syslog(int(named["severity"]))) if named and named["severity"] else Told()
