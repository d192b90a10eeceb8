"""Read LaunchDarkly's webhooks, whose body is an entry of its audit log.

https://launchdarkly.com/docs/api/webhooks. A flag is named by the resource "proj/KEY:env/KEY:flag/KEY".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from detection.types import FlagChange
from integrations.inbound.flags.news import FLAG_LIMIT, OFF, ON, FlagNews, changed_parts, text_of, value_text
from integrations.inbound.monitoring.log_fields import decoded_json
from integrations.inbound.reading.records import FieldError, PayloadError
from integrations.inbound.reading.times import parse_time

_RESOURCE = re.compile(r"proj/[^:;]*(?::env/(?P<environment>[^:;]*))?:flag/(?P<flag>[^:;]+)")
_SAYS_NOTHING = frozenset(
    (
        "updateName",
        "updateDescription",
        "updateTags",
        "updateMaintainer",
        "updateFlagCustomProperties",
        "updateTemporary",
    )
)
_BOOKKEEPING = frozenset(("lastModified", "version", "salt", "sel", "debugEventsUntilDate", "trackEvents"))


class _Access(msgspec.Struct):
    action: str = ""
    resource: str = ""


class _Entry(msgspec.Struct):
    id: str = msgspec.field(name="_id")
    date: int | float | str
    kind: str = ""
    accesses: list[_Access] = []
    title_verb: str | None = msgspec.field(name="titleVerb", default=None)
    description: str | None = None
    member: dict[str, Any] | None = None
    token: dict[str, Any] | None = None
    previous: Any = msgspec.field(name="previousVersion", default=None)
    current: Any = msgspec.field(name="currentVersion", default=None)


def read_launchdarkly(body: bytes, *, now: float) -> FlagNews:
    """Read one entry. Raises PayloadError with the invalid field."""
    entry = decoded_json(body, _Entry)
    if entry.kind != "flag":
        return FlagNews(ignored=f"it is about a {entry.kind[:50] or 'resource of no kind'}, not about a flag")
    actions = {access.action for access in entry.accesses}
    if actions and actions <= _SAYS_NOTHING:
        return FlagNews(ignored="names, descriptions and tags change nothing that runs")
    try:
        changed_at = parse_time(entry.date, now=now, field="date")
    except FieldError as error:
        raise PayloadError(error.message, error.field) from error
    changes = [_change(entry, flag, environment, changed_at) for flag, environment in sorted(_named(entry.accesses))]
    return FlagNews(changes) if changes else FlagNews(ignored="none of its accesses names a flag")


def _named(accesses: Sequence[_Access]) -> set[tuple[str, str]]:
    found = (_RESOURCE.match(access.resource) for access in accesses if access.action not in _SAYS_NOTHING)
    return {(match["flag"][:FLAG_LIMIT], match["environment"] or "") for match in found if match}


def _change(entry: _Entry, flag: str, environment: str, changed_at: float) -> FlagChange:
    before, after = _values(entry, environment)
    return FlagChange(
        change_id=f"launchdarkly:{entry.id}:{flag}:{environment}"[:200],
        flag=flag,
        service=None,
        environment=environment[:200],
        before=before,
        after=after,
        changed_at=changed_at,
        changed_by=_who(entry),
        source="launchdarkly",
    )


def _values(entry: _Entry, environment: str) -> tuple[str | None, str]:
    """Return what the flag was and is: on or off, else the parts of its targeting that differ, else in words."""
    previous, current = (_in_environment(version, environment) for version in (entry.previous, entry.current))
    if previous is not None and current is not None:
        if previous.get("on") != current.get("on") and isinstance(current.get("on"), bool):
            return (ON, OFF) if previous.get("on") else (OFF, ON)
        old, new = changed_parts(_targeting(previous), _targeting(current))
        if old or new:
            return value_text(old), value_text(new)
    verb = (entry.title_verb or "").lower()
    if "turned on" in verb or "turned off" in verb:
        return (OFF, ON) if "turned on" in verb else (ON, OFF)
    said = " ".join(text for text in (entry.title_verb, entry.description) if text)
    return None, value_text(said or ", ".join(sorted({access.action for access in entry.accesses})))


def _in_environment(version: object, environment: str) -> Mapping[str, Any] | None:
    """Return the part of a version of the flag that is about the environment; None if there is none."""
    if not isinstance(version, Mapping):
        return None
    environments = version.get("environments")
    found = environments.get(environment) if isinstance(environments, Mapping) else version
    return found if isinstance(found, Mapping) else None


def _targeting(version: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in version.items() if name not in _BOOKKEEPING and not name.startswith("_")}


def _who(entry: _Entry) -> str | None:
    member = entry.member or {}
    name = f"{text_of(member.get('firstName'))} {text_of(member.get('lastName'))}".strip()
    return name or text_of(member.get("email")) or text_of((entry.token or {}).get("name")) or None
