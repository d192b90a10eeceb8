"""Read the JSON of a Statuspage: its feeds `summary.json` and `incidents.json`, and its webhooks.

Feeds: https://metastatuspage.com/api. Webhooks: https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from detection.types import JsonValue, ProviderStatus
from integrations.inbound.monitoring.log_fields import decoded_json
from integrations.inbound.reading.batches import error_location
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection
from integrations.inbound.reading.times import parse_time

MOST_INCIDENTS = 500
_NAME_LIMIT = 200
_ENDED = frozenset(("completed", "postmortem", "resolved"))
_GOOD = frozenset(("operational", "under_maintenance", ""))

_Time = str | int | float | None


class _Component(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    status: str | None = None
    updated_at: _Time = None
    group: bool | None = None


class _Affected(msgspec.Struct):
    name: str | None = None


class _Update(msgspec.Struct):
    affected_components: list[_Affected] | None = None


class _Incident(msgspec.Struct):
    id: str
    name: str = ""
    status: str | None = None
    impact: str | None = None
    created_at: _Time = None
    started_at: _Time = None
    resolved_at: _Time = None
    monitoring_at: _Time = None
    updated_at: _Time = None
    shortlink: str | None = None
    components: list[_Component] | None = None
    incident_updates: list[_Update] | None = None


class _Page(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    url: str | None = None


class _ComponentUpdate(msgspec.Struct):
    old_status: str | None = None
    new_status: str | None = None
    created_at: _Time = None


class _Document(msgspec.Struct):
    page: _Page | None = None
    provider: str | None = None
    hosts: list[str] | None = None
    incidents: list[Any] | None = None
    incident: Any = None
    components: list[_Component] | None = None
    component: _Component | None = None
    component_update: _ComponentUpdate | None = None


def read_statuspage(body: bytes, *, provider: str | None = None, now: float) -> Parsed[ProviderStatus]:
    """Read a feed or a webhook. provider: the name it goes by here; otherwise it is the page's own.

    An incident is told once for each page; a component that does not work without an incident is one too. A body may
    add `provider` and `hosts` (addresses of theirs). Raises PayloadError with the invalid field.
    """
    document = decoded_json(body, _Document)
    page = document.page or _Page()
    name = (provider or document.provider or page.name or _site(page.url) or page.id or "").strip()[:_NAME_LIMIT]
    if not name:
        raise PayloadError("is missing: name the provider, or send the page's own JSON", "provider")
    if document.incidents is None and document.incident is None and not (document.components or document.component):
        raise PayloadError("is missing: send a page's summary.json or incidents.json, or its webhook", "incidents")
    hosts = tuple(host.strip().lower()[:300] for host in (document.hosts or [])[:50] if host.strip())
    parsed: Parsed[ProviderStatus] = Parsed()
    told = [("incident", document.incident)] if document.incident is not None else []
    told += [(f"incidents[{at}]", one) for at, one in enumerate((document.incidents or [])[:MOST_INCIDENTS])]
    for index, (path, one) in enumerate(told):
        try:
            parsed.records.append(_incident(one, name, hosts, now))
        except FieldError as error:
            parsed.rejections.append(Rejection(index, f"{path}.{error.field}".strip("."), error.message))
    named = {part for status in parsed.records if status.ended_at is None for part in status.component.split(", ")}
    components = [*(document.components or []), *([document.component] if document.component else [])]
    for component in components:
        status = _component(component, name, hosts, document.component_update, now)
        if status is not None and component.name not in named:
            parsed.records.append(status)
    return parsed


def _incident(value: Any, provider: str, hosts: tuple[str, ...], now: float) -> ProviderStatus:
    try:
        found = msgspec.convert(value, _Incident)
    except msgspec.ValidationError as error:
        raise FieldError(*error_location(error)) from error
    began = found.started_at if found.started_at is not None else found.created_at
    if began is None:
        raise FieldError("created_at", "is missing")
    began_at = parse_time(began, now=now, field="started_at" if found.started_at is not None else "created_at")
    ended_at: float | None = None
    if found.resolved_at is not None:
        ended_at = parse_time(found.resolved_at, now=now, field="resolved_at")
    elif found.status in _ENDED:
        ended_at = now if found.updated_at is None else parse_time(found.updated_at, now=now, field="updated_at")
    names = [component.name for component in found.components or [] if component.name]
    names += [
        one.name for update in found.incident_updates or [] for one in update.affected_components or [] if one.name
    ]
    details: dict[str, JsonValue] = {"status": found.status or "", "url": (found.shortlink or "")[:500]}
    return ProviderStatus(
        status_id=found.id[:_NAME_LIMIT],
        provider=provider,
        title=found.name[:500],
        component=", ".join(dict.fromkeys(names))[:500],
        impact=(found.impact or "")[:100],
        began_at=began_at,
        ended_at=None if ended_at is None else max(ended_at, began_at),
        hosts=hosts,
        details=details,
    )


def _component(
    found: _Component, provider: str, hosts: tuple[str, ...], update: _ComponentUpdate | None, now: float
) -> ProviderStatus | None:
    """Return the trouble of a component, or its end where a webhook tells of it; None if it works or is a group."""
    status = (update.new_status if update and update.new_status else found.status) or ""
    if found.group or not (found.id or found.name) or (status in _GOOD and update is None):
        return None
    told = update.created_at if update and update.created_at is not None else found.updated_at
    try:
        at = now if told is None else parse_time(told, now=now, field="updated_at")
    except FieldError:
        at = now
    return ProviderStatus(
        status_id=f"component:{found.id or found.name}"[:_NAME_LIMIT],
        provider=provider,
        title=f"{found.name or found.id}: {status.replace('_', ' ')}"[:500],
        component=(found.name or "")[:500],
        impact=status[:100],
        began_at=at,
        ended_at=at if status in _GOOD else None,
        hosts=hosts,
        details={"status": status},
    )


def _site(url: str | None) -> str:
    try:
        return (urlsplit(url or "").hostname or "").removeprefix("status.")
    except ValueError:
        return ""
