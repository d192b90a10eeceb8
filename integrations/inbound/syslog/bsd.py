"""Read the header of a BSD syslog message (RFC 3164), as servers, libraries and network devices write it.

Every part may be missing: counter, time, host, tag. What stands there is known by its own form, never by its place
alone, so that no counter, level or word of the message becomes a service.
"""

from __future__ import annotations

import re

from detection.types import JsonValue
from integrations.inbound.monitoring.log_fields import clipped
from integrations.inbound.syslog.header import Said
from integrations.inbound.syslog.names import (
    MNEMONIC,
    container_of_tag,
    is_level,
    service_of_message,
    service_of_tag,
)
from integrations.inbound.syslog.times import TIME, time_said

_COUNTER = r"(?:(?P<{name}>\d+):\s+)?"
_ORIGIN = r"(?:(?!\d+:)(?P<origin>[^\s:%<{\[][^\s\[\]]{0,254}?)(?:\ \w+(?:/\w+)+)?\s?:\s*(?:\*\w+:\s+)?)?"
_TIMED = re.compile(
    rf"[\s:]*{_COUNTER.format(name='counter')}{_ORIGIN}{_COUNTER.format(name='second')}[*.!]?{TIME}\s*(?:(?P<colon>:)\s*)?",
    re.X,
)
_UNTIMED_DEVICE = re.compile(rf"[\s:]*{_COUNTER.format(name='counter')}{_ORIGIN}(?={MNEMONIC.pattern})", re.X)
_HOST = re.compile(
    r"""(?P<host>[\w:][\w.:%/@-]*|\[[0-9a-fA-F:.]+\]|\("[^"\s]+"\)|[\w-]+,[0-9a-f]{6,12},v[\w.+]+(?=:)):?(?:\s+|$)"""
)
_HOST_BEFORE_MNEMONIC = re.compile(rf"(?P<host>[\w.:-]+?)\s?:\s+(?={MNEMONIC.pattern})")
_FORWARDED = re.compile(r"Message forwarded from (?P<host>[\w.-]+): ")
_UNIFI = re.compile(r"(?:(?P<host>[\w.-]+) )?[0-9a-f]{12},[\w.+-]+: (?=[\w./-]+(?:\[\w+\])?:)")
"""Ubiquiti's devices: the name, then the address and the model with its firmware, then a tag."""

_REPEATED = re.compile(r"(?:last )?message repeated \d+ times?")
_LEVEL_OR_NUMBER = re.compile(
    r"(?:(?:\w+\.)?(?:emerg|alert|crit|err|error|warning|warn|notice|info|debug)|\d{4,10}) +(?=[\w./-]+(?:\[|:))"
)
_TAG = re.compile(
    r"(?P<tag>[\w./@+$~-][\w./@+$~%-]{0,254}(?:\([^)\s]*\))?|\([\w./@-]+\))"
    r"(?:\[(?P<process>[^\]\s]{0,64})\](?:\s?:)?(?=\s|$)|\]?\s?:(?=\s|$|\w+=\")|(?=\t))\s?"
)
_TAG_WITH_PROCESS = re.compile(
    r"(?P<tag>[A-Z][\w.-]*(?: [A-Z][\w.-]*){1,3}|[\w./@+$~-][\w./@+$~%:,-]{0,254})"
    r"(?:\[[^\]]{1,64}\])?\[(?P<process>\d{1,10})\]\s?:(?=\s|$)\s?"
)
"""A name that only the process behind it shows to be one: `Media Server[7]:`, `vat::worker[7]:`, `fpm[pool w][7]:`."""


def read_bsd(text: str, *, now: float, has_priority: bool) -> Said | None:
    """Read a message after its priority. Return None if it is only text: no priority, and no header with a service."""
    found = _TIMED.match(text)
    if found is None:
        return _without_time(text, has_priority)
    attributes = _device(found)
    rest = text[found.end() :]
    said = _tagged(rest, attributes) if found["colon"] and not _HOST_BEFORE_MNEMONIC.match(rest) else None
    said = said or _after_time(rest, attributes, now)
    if said.service is None and not has_priority:
        return None
    times = found.groupdict()
    return Said(said.message, said.service, time_said(times, now=now) or said.happened_at, said.attributes)


def _device(found: re.Match[str]) -> dict[str, JsonValue]:
    """Return what a network device says before the time: its counter of messages and its name."""
    known = {"host": found["origin"], "sequence": found["counter"]}
    return {name: clipped(value, 255) for name, value in known.items() if value}


def _without_time(text: str, has_priority: bool) -> Said | None:
    found = _UNTIMED_DEVICE.match(text)
    if found is not None:
        message = text[found.end() :]
        return Said(message, service_of_message(message), None, _device(found))
    if not has_priority:
        return None
    unifi = _UNIFI.match(text)
    if unifi is not None:
        return _tagged(text[unifi.end() :], {"host": unifi["host"]} if unifi["host"] else {})
    return _tagged(text, {})


def _after_time(rest: str, attributes: dict[str, JsonValue], now: float) -> Said:
    """Read host, tag and message. A word that ends like a tag is one, so that a host may be missing."""
    device = _HOST_BEFORE_MNEMONIC.match(rest)
    if device is not None:
        return _tagged(rest[device.end() :], {"host": device["host"], **attributes})
    if "host" in attributes or _names_program(rest) or MNEMONIC.match(rest) or _REPEATED.match(rest):
        return _tagged(rest, attributes)
    forwarded = _FORWARDED.match(rest)
    host = forwarded or _HOST.match(rest)
    if host is None or is_level(host["host"]):
        return _tagged(rest, attributes)
    attributes["host"] = clipped(host["host"].strip('()"'), 255)
    rest = rest[host.end() :]
    inner = _TIMED.match(rest)
    if inner is not None and (inner["counter"] or MNEMONIC.match(rest, inner.end())):
        # A relay put its own header before the device's.
        said = _tagged(rest[inner.end() :], {**attributes, **_device(inner)})
        return Said(said.message, said.service, time_said(inner.groupdict(), now=now), said.attributes)
    if inner is not None:
        said = _after_time(rest[inner.end() :], {}, now)
        if "process" in said.attributes:
            # A relay, or the program itself, put a second time there; a program's own time is followed by no tag.
            happened_at = said.happened_at or time_said(inner.groupdict(), now=now)
            return Said(said.message, said.service, happened_at, {**attributes, **said.attributes})
    untimed = _UNTIMED_DEVICE.match(rest)
    if untimed is not None and (untimed["counter"] or not untimed["origin"]):
        return _tagged(rest[untimed.end() :], {**attributes, **_device(untimed)})
    before = _LEVEL_OR_NUMBER.match(rest) or _UNIFI.match(rest)
    return _tagged(rest[before.end() :] if before else rest, attributes)


def _names_program(rest: str) -> bool:
    found = _TAG.match(rest)
    return found is not None and any(character.isalpha() for character in found["tag"])


def _tagged(rest: str, attributes: dict[str, JsonValue]) -> Said:
    """Read the tag and the message. Without a tag, the message itself may name a part of a device."""
    found = _TAG.match(rest) or (_TAG_WITH_PROCESS.match(rest) if "host" in attributes else None)
    if found is None or not found["tag"].strip("./@+$~%-()0123456789_") or _is_text(found):
        return Said(rest, service_of_message(rest), None, attributes)
    message = rest[found.end() :]
    if found["process"]:
        attributes = {**attributes, "process": clipped(found["process"], 255)}
    if container := container_of_tag(found["tag"]):
        attributes = {**attributes, "container_id": container}
    return Said(message, service_of_tag(found["tag"]) or service_of_message(message), None, attributes)


def _is_text(found: re.Match[str]) -> bool:
    """Whether what looks like a tag is the message's own first word, such as `Error: disk full` or `CEF: 0|…`."""
    return found["process"] is None and (is_level(found["tag"]) or found["tag"] in ("CEF", "LEEF"))
