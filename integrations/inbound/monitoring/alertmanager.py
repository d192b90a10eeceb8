"""Read Prometheus Alertmanager's webhook, version 4.

The shape: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from integrations.inbound.monitoring.alerts import FIRING, RESOLVED, Alert, parse_number
from integrations.inbound.monitoring.log_fields import bounded_attributes, decoded_json, short_text
from integrations.inbound.reading.batches import Text, read_each
from integrations.inbound.reading.records import FieldError, Parsed
from integrations.inbound.reading.times import parse_time

_ZERO_YEAR = "0001-"
_SERVICE_LABELS = ("service", "service_name", "app", "job")
_VALUE = "value"
_SUMMARIES = ("summary", "description", "message", "title")


class _Notification(msgspec.Struct):
    alerts: list[msgspec.Raw]
    receiver: str = ""
    externalURL: str = ""
    groupKey: str = ""


class _Alert(msgspec.Struct):
    status: str
    labels: dict[str, str]
    startsAt: str
    annotations: dict[str, str] = {}
    endsAt: str = ""
    generatorURL: str = ""
    fingerprint: str = ""
    values: dict[str, float] | None = None


_ALERT = msgspec.json.Decoder(_Alert)


def read_alertmanager(text: bytes, *, now: float) -> Parsed[Alert]:
    """Read the alerts of a notification. Repeated notifications of a group give the same keys.

    Raises PayloadError if the body is not a notification.
    """
    notification = decoded_json(text, _Notification)

    def read(raw: Text) -> Alert:
        return _to_alert(_ALERT.decode(raw), notification, now)

    return read_each(notification.alerts, read, prefix="alerts")


def _to_alert(raw: _Alert, notification: _Notification, now: float) -> Alert:
    if raw.status not in (FIRING, RESOLVED):
        raise FieldError("status", f"must be {FIRING} or {RESOLVED}")
    name = raw.labels.get("alertname")
    if not name:
        raise FieldError("labels.alertname", "is missing")
    started_at = parse_time(raw.startsAt, now=now, field="startsAt")
    labels: dict[str, Any] = dict(raw.labels)
    return Alert(
        source="alertmanager",
        name=name,
        status=raw.status,
        key=f"{raw.fingerprint or sorted(raw.labels.items())}:{raw.startsAt}",
        happened_at=_ended_at(raw, now) if raw.status == RESOLVED else started_at,
        service=short_text(labels, *_SERVICE_LABELS),
        summary=str(next((raw.annotations[key] for key in _SUMMARIES if raw.annotations.get(key)), "")),
        level=raw.labels.get("severity"),
        details={
            "labels": bounded_attributes(labels),
            "annotations": bounded_attributes(dict(raw.annotations)),
            "url": raw.generatorURL or notification.externalURL,
            "receiver": notification.receiver,
        },
        identity=raw.fingerprint or repr(sorted(raw.labels.items())),
        values=_values(raw),
        together=notification.groupKey or None,
    )


def _values(raw: _Alert) -> dict[str, float]:
    """Return the number in the annotation or label `value`, and Grafana's own values by their names."""
    found = {name: value for name, value in (raw.values or {}).items() if math.isfinite(value)}
    value = (
        parse_number(raw.annotations.get(_VALUE)) if _VALUE in raw.annotations else parse_number(raw.labels.get(_VALUE))
    )
    return found if value is None else {**found, _VALUE: value}


def _ended_at(raw: _Alert, now: float) -> float:
    """Return the end time, or `now` if it is missing or Go's zero time."""
    if not raw.endsAt or raw.endsAt.startswith(_ZERO_YEAR):
        return now
    return parse_time(raw.endsAt, now=now, field="endsAt")
