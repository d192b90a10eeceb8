"""The level, the message and the rest of a structured log record, by the names that loggers give to its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from integrations.inbound.lines import field_names as names
from integrations.inbound.lines import levels


class Fields(NamedTuple):
    """A structured record in parts. level: one of our severities, None if it names none.

    is_own: the program chose the level, not what carried its message, such as journald or an agent. message: the
    text or other value that its message field has, None without one. rest: all other fields.
    """

    level: str | None
    is_own: bool
    message: object
    rest: Mapping[str, object]


def taken_apart(document: Mapping[str, object]) -> Fields:
    """Return the parts of a structured record."""
    level = _own_level(document)
    is_own = level is not None and not _is_of_the_stream(document)
    if level is None:
        level = _transport_level(document)
    payload = document.get(names.WRAPPERS[1])
    if isinstance(payload, Mapping):
        return Fields(level, is_own, payload, _without(document, names.WRAPPERS[1]))
    if isinstance(document.get("line"), str) and document.get("source") in names.STREAMS:
        return Fields(level, is_own, document["line"], _without(document, "line"))
    for name in names.MESSAGE_KEYS:
        value = _lookup(document, name)
        if isinstance(value, str) and value:
            return Fields(level, is_own, value, _without(document, name))
    for name in names.ANY_MESSAGE_KEYS:
        value = document.get(name)
        if value not in (None, ""):
            return Fields(level, is_own, value, _without(document, name))
    spelt = _spelt_otherwise(document)
    if spelt is None:
        return _wrapped(document, level) or Fields(level, is_own, None, document)
    message = taken_apart(spelt).message
    rest = {name: value for name, value in document.items() if message is None or value is not message}
    return Fields(level, is_own, message, rest)


def _is_of_the_stream(document: Mapping[str, object]) -> bool:
    """Whether the level may only say by which stream a message came, as those of Google Cloud and of Docker do."""
    return (
        names.WRAPPERS[0] in document
        or names.WRAPPERS[1] in document
        or (names.GRAYLOG in document and not names.CONTAINERS.isdisjoint(document))
        or ("log" in document and document.get("stream") in names.STREAMS and names.SAYS.isdisjoint(document))
    )


def _wrapped(document: Mapping[str, object], level: str | None) -> Fields | None:
    """Return the parts where the record stands in a field of its own: `{"data": {"level": "warn", "message": "x"}}`."""
    if level is not None:
        return None
    for name, value in document.items():
        if isinstance(value, Mapping) and ("message" in value or "msg" in value) and _own_level(value) is not None:
            return Fields(None, False, value, {other: document[other] for other in document if other != name})
    return None


def level_of(document: Mapping[str, object]) -> str | None:
    """Return the level by the fields of a record, its own before its transport's, or None."""
    return _own_level(document) or _transport_level(document)


def _transport_level(document: Mapping[str, object]) -> str | None:
    """Return the level by what carried the message: a priority of syslog or journald, a status of an agent."""
    if names.TRANSPORT_NAMES.isdisjoint(document):
        return None
    for name in names.TRANSPORT_WORD_KEYS:
        value = _lookup(document, name)
        if isinstance(value, str) and (found := _of_value(name, value)):
            return found
    for name in names.TRANSPORT_NUMBER_KEYS:
        value = _lookup(document, name)
        if value is not None and (found := _of_number(document, value, levels.of_syslog)):
            return found
    return None


def _own_level(document: Mapping[str, object]) -> str | None:
    """Return the level that a structured record names itself, as one of our severities, or None.

    A field called `error`, an HTTP status or the level of a game is none: it takes a name of a level and a value that
    is one.
    """
    if not names.LEVEL_NAMES.isdisjoint(document):
        for name in names.WORD_KEYS:
            value = _lookup(document, name)
            if value is not None and (found := _of_value(name, value)):
                return found
        for name, numbers in names.NUMBER_KEYS.items():
            value = _lookup(document, name)
            if value is not None and (found := _of_number(document, value, numbers)):
                return found
    if not names.LATE_NAMES.isdisjoint(document) and (found := _late_level(document)):
        return found
    spelt = _spelt_otherwise(document)
    return None if spelt is None else _own_level(spelt)


def _late_level(document: Mapping[str, object]) -> str | None:
    """Return the level by fields that name one only beside certain others."""
    if names.MONGODB_COMPONENT in document and (found := _of_value("s", document.get("s"))):
        return found
    if names.FALCO in document:
        return levels.known(document.get("priority"))
    system = document.get("System")
    if found := _of_windows(system if isinstance(system, Mapping) else document):
        return found
    if names.SERILOG_TIME in document and ("@mt" in document or "@m" in document):
        return "INFO"
    return None


def _of_windows(document: Mapping[str, object]) -> str | None:
    """Return the level of an event of Windows, whose numbers mean something else than a logger's."""
    if not any(name in document for name in names.WINDOWS_CHANNELS):
        return None
    if not any(name in document for name in names.WINDOWS_EVENTS):
        return None
    value = next((document[name] for name in names.WINDOWS_LEVELS if name in document), None)
    return None if value is None else _of_number(document, value, levels.of_windows)


def has_stack(document: Mapping[str, object]) -> bool:
    """Whether a field holds an exception with its stack trace."""
    if names.STACK_NAMES.isdisjoint(document):
        return False
    for name in names.STACK_KEYS:
        value = _lookup(document, name)
        if isinstance(value, str) and value and any(mark in value for mark in names.STACK_MARKS):
            return True
    return False


def _of_value(name: str, value: object) -> str | None:
    if isinstance(value, Mapping):
        parts = (value.get(part) for part in names.NAMES_OF_A_LEVEL)
        return next((found for part in parts if part is not None and (found := _of_value(name, part))), None)
    if not isinstance(value, str) or (
        len(value) == 1 and not (name in names.SINGLE_LETTERS and value in names.LETTERS)
    ):
        return None
    return levels.known(value)


def _of_number(document: Mapping[str, object], value: object, numbers: names.Numbers) -> str | None:
    if isinstance(value, Mapping):
        value = next((value[part] for part in ("no", "level", "value", "code") if part in value), None)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 6:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    if numbers is levels.of_logger and names.GRAYLOG in document:
        numbers = levels.of_syslog
    return numbers(int(value))


def _lookup(document: Mapping[str, object], name: str) -> object:
    """Return a field. "log.level" is looked up flat, then nested."""
    value = document.get(name)
    if value is not None or "." not in name:
        return value
    first, _, others = name.partition(".")
    inner = document.get(first)
    return _lookup(inner, others) if isinstance(inner, Mapping) else None


def _without(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return the other fields: all but one, which is looked up flat, then nested."""
    if name in document:
        return {other: value for other, value in document.items() if other != name}
    first, _, others = name.partition(".")
    inner = document.get(first)
    if not isinstance(inner, Mapping):
        return document
    left = _without(inner, others)
    outer = {other: value for other, value in document.items() if other != first}
    return {**outer, first: left} if left else outer


def _spelt_otherwise(document: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the document with names such as `Message` and `LEVEL` as we know them; None if nothing changes."""
    changed: dict[str, object] = {}
    for name, value in document.items():
        known = names.spelling(name) if len(name) <= names.LONGEST_NAME else None
        if known is not None and known not in document:
            changed[known] = value
    return {**document, **changed} if changed else None


def decoded(text: str) -> Mapping[str, object] | None:
    """Decode a text that may be a JSON object. Return None if it is none."""
    try:
        found = _OBJECT.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return found


_OBJECT = msgspec.json.Decoder(dict[str, object])
