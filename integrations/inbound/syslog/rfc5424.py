"""Read the header and the structured data of RFC 5424: https://www.rfc-editor.org/rfc/rfc5424#section-6.

Heroku leaves the structured data out, and some devices do not escape it: what can be read is read, the rest is message.
"""

from __future__ import annotations

import re

from detection.types import JsonValue
from integrations.inbound.monitoring.log_fields import NAME_LIMIT, clipped
from integrations.inbound.syslog.header import Said
from integrations.inbound.syslog.names import container_of_tag, is_level, service_of_message, service_of_tag
from integrations.inbound.syslog.times import plausible

BYTE_ORDER_MARK = "\ufeff"

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ELEMENT = rf"\[[^\s\]=\"]+(?:\s+[^\s=\]\"]+={_QUOTED})*\s*\]"
_HEADER = re.compile(
    r"[1-9]\d? +(?P<time>-|\d{4}-\d\d-\d\d[Tt ]\S+) +(?P<host>\S+) +(?P<app>\S+) +(?P<process>\S+) +(?P<kind>\S+)"
    rf"(?: +(?P<data>-(?= |$)|(?:{_ELEMENT})+))?(?: ?(?P<message>.*))?",
    re.S,
)
_ELEMENT_PARTS = re.compile(rf"\[([^\s\]=\"]+)((?:\s+[^\s=\]\"]+={_QUOTED})*)\s*\]")
_PARAMETER = re.compile(rf"\s([^\s=\]\"]+)=({_QUOTED})")
_NO_WORDS = re.compile(r"^(?: (?=\S)|BOM(?=%))")
"""rsyslog keeps the blank after the tag of a BSD message; Cisco writes the byte order mark in letters."""

_ESCAPED = re.compile(r'\\(["\\\]])')
_EPOCH_HEADER = re.compile(r"1 (?P<time>\d{9,10}\.\d+) (?P<host>\S+) (?P<kind>\w+) (?=.*\w)", re.S)


def read_modern(text: str, *, now: float) -> Said | None:
    """Read a message after its priority, or return None if its header is not of RFC 5424.

    A time that cannot be right is kept as the attribute `sent_time`, and the message happened when it arrived.
    """
    found = _HEADER.fullmatch(text)
    if found is None:
        return _with_epoch(text, now)
    message = _NO_WORDS.sub("", (found["message"] or "").removeprefix(BYTE_ORDER_MARK))
    names = {"host": found["host"], "process": found["process"], "message_id": found["kind"]}
    attributes: dict[str, JsonValue] = {name: clipped(value, 255) for name, value in names.items() if value != "-"}
    app = found["app"]
    if app != "-" and found["process"] == "-" and (is_level(app) or not any(map(str.isalpha, app))):
        # A relay took the first word of a message without a tag for the program.
        message, app = f"{app}{':' if is_level(app) else ''} {message}", "-"
    if container := container_of_tag(app):
        attributes["container_id"] = container
    if data := _structured(found["data"] or ""):
        attributes["structured_data"] = data
    happened_at = plausible(found["time"], now=now)
    if happened_at is None and found["time"] != "-":
        attributes["sent_time"] = clipped(found["time"], 100)
    service = service_of_tag(app) if app != "-" else None
    return Said(message, service or service_of_message(message), happened_at, attributes)


def _with_epoch(text: str, now: float) -> Said | None:
    """Read Cisco Meraki's form, `1 1563249630.774247467 HOST flows …`: only the version is of RFC 5424."""
    found = _EPOCH_HEADER.match(text)
    if found is None:
        return None
    seconds = float(found["time"])
    return Said(
        text[found.start("kind") :], found["kind"], seconds if abs(seconds - now) < 86_400 else None,
        {"host": clipped(found["host"], 255)},
    )  # fmt: skip


def _structured(written: str) -> dict[str, JsonValue]:
    """Parse structured data such as [id name="value" …][…] to {"id": {"name": "value"}}."""
    found: dict[str, JsonValue] = {}
    for element in _ELEMENT_PARTS.finditer(written):
        pairs = _PARAMETER.findall(element.group(2))
        found[clipped(element.group(1), NAME_LIMIT)] = {
            clipped(name, NAME_LIMIT): clipped(_ESCAPED.sub(r"\1", value[1:-1])) for name, value in pairs
        }
    return found
