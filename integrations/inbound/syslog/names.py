"""The service that a syslog message comes from: by the program's tag, or by what the device calls its part."""

from __future__ import annotations

import re

from integrations.inbound.monitoring.log_fields import NAME_LIMIT, clipped

MNEMONIC = re.compile(
    r"[%#](?P<facility>[A-Z][A-Z0-9_]*(?:-[A-Z][A-Z0-9_]*)*)(?:-[a-z]+)?"
    r"-(?:(?P<severity>[0-7])-[A-Z0-9_]+|[ACDEINW]-[A-Za-z0-9_]+)(?=[\s:\[]|$)"
)
"""Cisco's name of a message: %FACILITY-SEVERITY-MNEMONIC, on small switches with a letter for the severity. Its
facility is the part of the device."""

_MODULE = re.compile(r"%%\d\d(?P<facility>[A-Z][A-Z0-9_]*)/[0-7]/")
"""Huawei's and H3C's: %%01MODULE/SEVERITY/NAME."""

_EVENT_FORMAT = re.compile(r"(?:CEF|LEEF): ?\d+(?:\.\d+)?\|[^|]*\|(?P<product>[^|]+)\|")
_TOPICS = re.compile(
    r"(?=[a-z0-9,!-]*,(?:info|warning|error|critical|debug)[, ])(?P<topic>[a-z][a-z0-9-]*),[a-z0-9,!-]+ "
)
_CONTEXT = re.compile(r"%\$ \S+ %\$ +")
"""Cisco's NX-OS names the virtual device before the message."""

_ENGINE = re.compile(r"\d+-PPE-\d+")
_OF_CITRIX = re.compile(r"default (?P<facility>[A-Z][A-Z0-9_]+) [A-Z0-9_]+ \d+ ")
"""Citrix ADC names one of its packet engines as the program, and the part of the device in the message."""

_OF_NETAPP = re.compile(r"\[[\w.-]+:(?P<facility>[a-z]\w*)(?:\.\w+)+:[a-z]+\]: ")
_CONTAINER = re.compile(r"[0-9a-f]{12}(?:[0-9a-f]{52})?")
_LEVEL = re.compile(
    r"(?i)(?:trace|debug|info|information|notice|warn|warning|err|error|severe|crit|critical|alert|emerg|emergency"
    r"|panic|fatal|exception|traceback|severity|level|category|message)|[\w.]*(?:Error|Exception)"
)


def service_of_tag(tag: str) -> str | None:
    """Return the service of a tag or APP-NAME, or None if it names a number, a level or one container.

    A path is shortened to the program; `sshd(pam_unix)` is `sshd`; of Docker's tags the container's id is left out,
    because each restart has another one.
    """
    name = tag.partition("(")[0] or tag.strip("()")
    if name.startswith(("/", "./", "../")):
        name = name.rstrip("/").rpartition("/")[2]
    parts = [part for part in name.split("/") if not _CONTAINER.fullmatch(part)]
    name = "/".join(parts).strip("/")
    if not any(character.isalpha() for character in name) or _ENGINE.fullmatch(name):
        return None
    return clipped(name, NAME_LIMIT)


def container_of_tag(tag: str) -> str | None:
    """Return the id of the container that one of Docker's tags names, or None."""
    return next((part for part in tag.split("/") if _CONTAINER.fullmatch(part)), None)


def is_level(word: str) -> bool:
    """Whether a word before a colon is a level or a kind of error (`Error: …`), which names no program."""
    return _LEVEL.fullmatch(word) is not None


def service_of_message(message: str) -> str | None:
    """Return the part of a device that a message without a tag names at its start, or None.

    Cisco's and NetApp's facility, Huawei's module, the product of ArcSight's CEF and IBM's LEEF, and the first of
    MikroTik's topics.
    """
    context = _CONTEXT.match(message)
    found = MNEMONIC.match(message, context.end() if context else 0) or _MODULE.match(message)
    found = found or _OF_NETAPP.match(message) or _OF_CITRIX.match(message)
    if found:
        return found["facility"]
    found = _EVENT_FORMAT.match(message)
    if found:
        return clipped(found["product"].strip(), NAME_LIMIT)
    found = _TOPICS.match(message)
    return clipped(found["topic"], NAME_LIMIT) if found else None
