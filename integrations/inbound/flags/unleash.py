"""Read the webhooks of Unleash: an event of its event log, as the webhook integration sends it without a template.

https://docs.getunleash.io/integrate/webhook and https://docs.getunleash.io/concepts/events
"""

from __future__ import annotations

from typing import Any

import msgspec

from detection.types import FlagChange
from integrations.inbound.flags.news import FLAG_LIMIT, OFF, ON, FlagNews, changed_parts, value_text
from integrations.inbound.monitoring.log_fields import decoded_json
from integrations.inbound.reading.records import FieldError, PayloadError
from integrations.inbound.reading.times import parse_time

_TURNED = {"feature-environment-enabled": (OFF, ON), "feature-environment-disabled": (ON, OFF)}
_CHANGED = frozenset(
    (
        "feature-environment-variants-updated",
        "feature-strategy-add",
        "feature-strategy-remove",
        "feature-strategy-update",
        "feature-updated",
        "feature-variants-updated",
        "segment-updated",
    )
)
_WHOLE = {"feature-archived": "archived", "feature-deleted": "deleted", "feature-revived": "revived"}
_BOOKKEEPING = frozenset(("createdAt", "id", "lastSeenAt", "sortOrder", "title"))


class _Event(msgspec.Struct):
    type: str
    created_at: str | int | float | None = msgspec.field(name="createdAt", default=None)
    id: int | str | None = None
    created_by: str | None = msgspec.field(name="createdBy", default=None)
    feature_name: str | None = msgspec.field(name="featureName", default=None)
    environment: str | None = None
    data: Any = None
    before: Any = msgspec.field(name="preData", default=None)


def read_unleash(body: bytes, *, now: float) -> FlagNews:
    """Read one event. Raises PayloadError with the invalid field."""
    event = decoded_json(body, _Event)
    if event.type not in _TURNED and event.type not in _CHANGED and event.type not in _WHOLE:
        return FlagNews(ignored=f"the event {event.type[:100]!r} changes nothing that runs")
    name = event.feature_name or _name_in(event.data) or _name_in(event.before)
    if not name:
        raise PayloadError("is missing", "featureName")
    try:
        changed_at = now if event.created_at is None else parse_time(event.created_at, now=now, field="createdAt")
    except FieldError as error:
        raise PayloadError(error.message, error.field) from error
    before, after = _values(event)
    change = FlagChange(
        change_id=f"unleash:{event.id if event.id is not None else changed_at}:{event.type}:{name}"[:200],
        flag=name[:FLAG_LIMIT],
        service=None,
        environment=(event.environment or "")[:200],
        before=before,
        after=after,
        changed_at=changed_at,
        changed_by=event.created_by[:200] if event.created_by else None,
        source="unleash",
    )
    return FlagNews([change])


def _values(event: _Event) -> tuple[str | None, str]:
    if event.type in _TURNED:
        return _TURNED[event.type]
    if event.type in _WHOLE:
        return None, _WHOLE[event.type]
    old, new = changed_parts(_object(event.before), _object(event.data))
    return (value_text(old) if old else None), value_text(new)


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, list):
        return {"variants": value}
    if not isinstance(value, dict):
        return {}
    return {name: one for name, one in value.items() if name not in _BOOKKEEPING}


def _name_in(value: object) -> str:
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) else ""
