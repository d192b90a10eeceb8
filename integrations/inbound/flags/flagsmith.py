"""Read the webhooks of Flagsmith: FLAG_UPDATED and FLAG_DELETED of an environment.

https://docs.flagsmith.com/administration-and-security/platform-configuration/environment-settings#environment-webhooks
"""

from __future__ import annotations

import msgspec

from detection.types import FlagChange
from integrations.inbound.flags.news import FLAG_LIMIT, OFF, ON, FlagNews, value_text
from integrations.inbound.monitoring.log_fields import decoded_json
from integrations.inbound.reading.digests import digest
from integrations.inbound.reading.records import FieldError, PayloadError
from integrations.inbound.reading.times import parse_time


class _Named(msgspec.Struct):
    name: str


class _State(msgspec.Struct):
    feature: _Named
    environment: _Named | None = None
    enabled: bool | None = None
    value: str | bool | int | float | None = msgspec.field(name="feature_state_value", default=None)
    person: str | None = msgspec.field(name="identity_identifier", default=None)


class _Data(msgspec.Struct):
    new_state: _State | None = None
    previous_state: _State | None = None
    changed_by: str | None = None
    timestamp: str | int | float | None = None


class _Webhook(msgspec.Struct):
    event_type: str


class _FlagWebhook(msgspec.Struct):
    data: _Data


def read_flagsmith(body: bytes, *, now: float) -> FlagNews:
    """Read one webhook. Raises PayloadError with the invalid field."""
    kind = decoded_json(body, _Webhook).event_type
    if kind not in ("FLAG_UPDATED", "FLAG_DELETED"):
        return FlagNews(ignored=f"the event {kind[:100]!r} is no change of a flag in an environment")
    data = decoded_json(body, _FlagWebhook).data
    state = data.new_state or data.previous_state
    if state is None:
        raise PayloadError("is missing", "data.new_state")
    if state.person:
        return FlagNews(ignored="it is set for one person only")
    try:
        changed_at = now if data.timestamp is None else parse_time(data.timestamp, now=now, field="data.timestamp")
    except FieldError as error:
        raise PayloadError(error.message, error.field) from error
    before = _text(data.previous_state) if data.previous_state else None
    after = "deleted" if kind == "FLAG_DELETED" or data.new_state is None else _text(data.new_state)
    if before == after:
        return FlagNews(ignored="its state and value are as before")
    environment = state.environment.name if state.environment else ""
    change = FlagChange(
        change_id=f"flagsmith:{digest(state.feature.name, environment, before, after, changed_at)}",
        flag=state.feature.name[:FLAG_LIMIT],
        service=None,
        environment=environment[:200],
        before=before,
        after=after,
        changed_at=changed_at,
        changed_by=data.changed_by[:200] if data.changed_by else None,
        source="flagsmith",
    )
    return FlagNews([change])


def _text(state: _State) -> str:
    """Return "on" or "off", and the value where there is one."""
    known = {True: ON, False: OFF, None: ""}[state.enabled]
    return ": ".join(part for part in (known, "" if state.value in (None, "") else value_text(state.value)) if part)
