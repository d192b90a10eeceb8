"""How bad a record is and what it says: one ladder of evidence, which every door that takes logs climbs.

1. The level that the message itself names, as JSON or in pairs of key=value.
2. The severity that the sender tells, where it says something: not where it may come of a stream or a default.
3. A level at the head of the text.
4. An exception, a stack trace or a panic.
5. Whatever the sender told; INFO if it told nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from integrations.inbound.lines import exceptions, fields, heads, levels, logfmt
from integrations.inbound.lines.escapes import plain

DEFAULT = "INFO"
_LONGEST = 262_144
"""In characters. What comes after that is not kept anyway, and takes time to read."""

_DEEPEST = 3

_BEFORE_JSON = re.compile(
    r"""
    (?:\[(?P<level>[A-Z]{4,8})\]\s+)?
    (?:\[?\d{4}-\d\d-\d\d[T\ ][\d:.,]{5,20}(?:\ ?Z|\ ?[+-]\d\d:?\d\d)?\]?\s+)?
    (?:(?P<request>[0-9a-f]{8}-[0-9a-f-]{27}|undefined)\s+)?
    (?:(?P<word>[A-Z]{4,8})\s+)?
    (?:[\w.-]{1,60}\s*\|\s*)?
    (?:@cee:\s*)?
    (?=\{\s*")
    """,
    re.X,
)
"""What Docker Compose, rsyslog, AWS Lambda and programs themselves write before a line of JSON."""


_NO_FIELDS: Mapping[str, object] = MappingProxyType({})

_CONTAINER_RUNTIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) (stdout|stderr) [FP] ")
"""What containerd and CRI-O write before each line of a container, in the files of Kubernetes."""


class Understood(NamedTuple):
    """What a record says.

    fields: of a message that is a structured record, the fields beside its own message, as they were sent; none if the
    body is the whole record. document: all its fields.
    """

    severity: str
    body: str
    fields: Mapping[str, object] = _NO_FIELDS
    document: Mapping[str, object] = _NO_FIELDS

    def beside(self, envelope: Mapping[str, object]) -> Mapping[str, object]:
        """Return the envelope's fields and those of the message. Of two with one name the envelope's counts."""
        if not self.fields:
            return envelope
        return {**envelope, **{name: value for name, value in self.fields.items() if name not in envelope}}


class Told(NamedTuple):
    """The severity that the sender tells beside the message, as one of ours; None if it tells none.

    by_stream: the sender may mean only that the message came by the error stream. own: the record names it itself.
    """

    severity: str | None = None
    by_stream: bool = False
    own: bool = False

    @property
    def is_specific(self) -> bool:
        """Whether the severity is more than a default: INFO never is, and ERROR is not where it may be a stream's."""
        if self.severity is None:
            return False
        return self.own or not (self.severity == DEFAULT or (self.by_stream and self.severity == "ERROR"))


NOTHING = Told()


def understand(text: str, told: Told = NOTHING) -> Understood:
    """Return what a line says. A JSON object with a message becomes that message, its other fields beside it."""
    return _understand(plain(text[:_LONGEST]), told, 0)


def understand_document(document: Mapping[str, object], told: Told = NOTHING) -> Understood:
    """Return what a structured record says; without a message its body is the whole of it as JSON."""
    return _of_document(document, None, told, 0)


def _understand(text: str, told: Told, depth: int) -> Understood:
    if depth == 0 and (runtime := _CONTAINER_RUNTIME.match(text)) is not None:
        inner = _understand(text[runtime.end() :], told, 1)
        return inner._replace(fields={"stream": runtime[1], **inner.fields})
    structured = _structured(text, told, depth) if "{" in text and depth < _DEEPEST else None
    if structured is not None:
        return structured
    return Understood(_severity_of_text(text, told), text)


def _severity_of_text(text: str, told: Told) -> str:
    if not told.own:
        own = logfmt.level_of(text) if "=" in text else None
        if own is None and "{" in text[:200] and (text.startswith("{") or _BEFORE_JSON.match(text)):
            own = logfmt.level_of_cut_json(text)
        if own is not None:
            return own
    if told.is_specific:
        assert told.severity is not None
        return told.severity
    return (
        heads.level_of(text) or heads.level_in_braces(text) or exceptions.severity_of(text) or told.severity or DEFAULT
    )


def _structured(text: str, told: Told, depth: int) -> Understood | None:
    """Read a line that is a JSON object, perhaps after what a runtime writes before it. None if it is not."""
    stripped = text.strip()
    if not stripped.endswith("}"):
        return None
    found = _BEFORE_JSON.match(stripped)
    if found is None:
        return None
    document = fields.decoded(stripped[found.end() :])
    if document is None:
        return None
    before = levels.known(found["level"] or found["word"])
    if before is not None:
        told = Told(before, by_stream=True)
    understood = _of_document(document, text, told, depth)
    if found["request"] and "requestId" not in understood.fields and understood.fields:
        return understood._replace(fields={**understood.fields, "requestId": found["request"]})
    return understood


def _of_document(document: Mapping[str, object], text: str | None, told: Told, depth: int) -> Understood:
    """Read a structured record. text: as it was written, which is its body if it has no message."""
    parts = fields.taken_apart(document)
    if parts.level is not None:
        told = Told(parts.level, by_stream=not parts.is_own, own=parts.is_own)
    if parts.message is None:
        body = msgspec.json.encode(dict(document)).decode() if text is None else text
        return Understood(_severity_without_words(document, told), body, document=document)
    if isinstance(parts.message, Mapping) and depth < _DEEPEST:
        inner = _of_document(parts.message, None, told, depth + 1)
        return inner._replace(fields={**parts.rest, **inner.fields}, document=document)
    if not isinstance(parts.message, str):
        body = msgspec.json.encode(parts.message).decode()
        return Understood(_severity_without_words(document, told), body, parts.rest, document)
    inner = _understand(plain(parts.message[:_LONGEST]).rstrip("\r\n"), told, depth + 1)
    severity = inner.severity
    if severity == DEFAULT and told.severity is None and fields.has_stack(document):
        severity = "ERROR"
    return Understood(severity, inner.body, {**parts.rest, **inner.fields}, document)


def _severity_without_words(document: Mapping[str, object], told: Told) -> str:
    if not told.is_specific and fields.has_stack(document):
        return "ERROR"
    return told.severity or DEFAULT
