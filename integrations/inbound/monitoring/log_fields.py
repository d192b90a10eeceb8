"""What log shippers have in common: words for severity, names for fields, ids for records that come without one."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from detection.types import JsonValue
from integrations.inbound.reading.batches import whole
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.records import FieldError, PayloadError
from integrations.inbound.reading.times import moment

Shape = TypeVar("Shape")

TEXT_LIMIT = 8_000
NAME_LIMIT = 200
ATTRIBUTES_KEPT = 128
UNKNOWN_SERVICE = "unknown_service"
_DEEPEST = 8

_SEVERITIES: Mapping[str, str] = {
    "trace": "TRACE",
    "verbose": "TRACE",
    "debug": "DEBUG",
    "info": "INFO",
    "information": "INFO",
    "informational": "INFO",
    "notice": "INFO",
    "ok": "INFO",
    "success": "INFO",
    "log": "INFO",
    "warn": "WARN",
    "warning": "WARN",
    "err": "ERROR",
    "error": "ERROR",
    "severe": "ERROR",
    "crit": "FATAL",
    "critical": "FATAL",
    "alert": "FATAL",
    "emerg": "FATAL",
    "emergency": "FATAL",
    "panic": "FATAL",
    "fatal": "FATAL",
}
_SEVERITY_WITHIN = re.compile(r"\b(trace|debug|info|notice|warn|warning|error|severe|critical|panic|fatal)\b", re.I)
_LOOKED_THROUGH = 200


def severity(word: object, default: str = "INFO") -> str:
    """OpenTelemetry's word for a sender's: "warning" is WARN, "emerg" is FATAL; `default` for words unknown."""
    return _SEVERITIES.get(str(word).strip().lower(), default) if word is not None else default


def severity_within(line: str, default: str = "INFO") -> str:
    """The level that a plain line names near its beginning."""
    found = _SEVERITY_WITHIN.search(line, 0, _LOOKED_THROUGH)
    return severity(found.group(1)) if found else default


def clipped(value: object, limit: int = TEXT_LIMIT) -> str:
    """Text that a relational store keeps: bounded, without NUL; what is not text is written as JSON."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[:limit].replace("\x00", "\ufffd")


def field(found: Mapping[str, object], *names: str) -> object:
    """The first of these fields that is there and not empty; "log.level" may be one name or lie nested."""
    for name in names:
        value = found.get(name)
        if value is None and "." in name:
            value = _nested(found, name)
        if value not in (None, ""):
            return value
    return None


def _nested(found: Mapping[str, object], name: str) -> object:
    value: object = found
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return None if isinstance(value, Mapping) else value


def name_of(found: Mapping[str, object], *names: str) -> str | None:
    """The first of these fields as a short text."""
    value = field(found, *names)
    return None if value is None else clipped(value, NAME_LIMIT)


def time_of(found: Mapping[str, object], *names: str, now: float) -> float | None:
    """The first of these fields as seconds UTC, None where all are missing. Raises FieldError for what is no time."""
    for name in names:
        value = field(found, name)
        if value is not None:
            return moment(value, now=now, field=name)
    return None


def kept(found: Mapping[str, object], *, without: Iterable[str] = ()) -> dict[str, JsonValue]:
    """The rest of a record's fields as attributes: ATTRIBUTES_KEPT at most, texts bounded, nothing nested absurdly."""
    left_out = set(without)
    names = [name for name in found if name not in left_out][:ATTRIBUTES_KEPT]
    return {clipped(name, NAME_LIMIT): _bounded(found[name], 0) for name in names}


def _bounded(value: object, depth: int) -> JsonValue:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return clipped(value)
    if depth >= _DEEPEST:
        return None
    if isinstance(value, list):
        return [_bounded(item, depth + 1) for item in value[:ATTRIBUTES_KEPT]]
    if isinstance(value, Mapping):
        pairs = list(value.items())[:ATTRIBUTES_KEPT]
        return {clipped(str(name), NAME_LIMIT): _bounded(item, depth + 1) for name, item in pairs}
    return clipped(str(value))


class Identities:
    """Gives ids to the records of one delivery whose sender gives none: a digest of source, time and content.

    The same delivery again has the same ids again, and two equal lines of one delivery stay two. A record without a
    time of its own happened when it arrived, so that it is new each time: losing one would be worse than seeing one
    twice.
    """

    def __init__(self, door: str) -> None:
        self._door = door
        self._seen: Counter[str] = Counter()

    def of(self, happened_at: float, *content: str) -> str:
        """The id of one record; `content` is all that tells it from others."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (repr(happened_at), *content):
            encoded = part.encode("utf-8", "replace")
            digest.update(len(encoded).to_bytes(8) + encoded)
        name = f"{self._door}:{digest.hexdigest()}"
        self._seen[name] += 1
        return f"{name}-{self._seen[name]}" if self._seen[name] > 1 else name


def decoded_json(text: bytes, shape: type[Shape]) -> Shape:
    """JSON of a given shape. Raises PayloadError that names the field at fault."""
    if not text.strip():
        raise PayloadError("it is empty")
    return whole(msgspec.json.Decoder(shape), without_nul(text))


def mapping(value: object, path: str = "") -> Mapping[str, object]:
    """The value where it is a JSON object. Raises FieldError."""
    if not isinstance(value, dict):
        raise FieldError(path, "must be an object")
    return value
