"""Read Prometheus Alertmanager's webhook, version 4.

The shape: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from integrations.inbound.monitoring.alerts import FIRING, RESOLVED, Alert, is_number, parse_number, text_of
from integrations.inbound.monitoring.grafana_legacy import is_legacy, read_legacy
from integrations.inbound.monitoring.log_fields import bounded_attributes, clipped, decoded_json, short_text
from integrations.inbound.reading.batches import Text, read_each
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError
from integrations.inbound.reading.times import parse_time

_ZERO_YEAR = "0001-"
_SERVICE_LABELS = ("service", "service_name", "app", "job")
_VALUE = "value"
_SUMMARIES = ("summary", "description", "message", "title")


class _Notification(msgspec.Struct):
    """A notification. Grafana, Mimir and relays fill in the same shape; where they have nothing, some write null."""

    alerts: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    status: Any = None
    receiver: Any = None
    externalURL: Any = None
    groupKey: Any = None
    truncatedAlerts: Any = None


class _Alert(msgspec.Struct):
    status: Any = None
    labels: Any = None
    startsAt: Any = None
    annotations: Any = None
    endsAt: Any = None
    generatorURL: Any = None
    fingerprint: Any = None
    values: Any = None


@dataclass(frozen=True, slots=True)
class Notified:
    """A notification that was read. `left_out`: how many more alerts its sender did not send (max_alerts)."""

    parsed: Parsed[Alert]
    left_out: int


_ALERT = msgspec.json.Decoder(_Alert)


def read_alertmanager(text: bytes, *, now: float) -> Parsed[Alert]:
    """Read the alerts of a notification. Repeated notifications of a group give the same keys.

    Raises PayloadError if the body is not a notification.
    """
    return read_notification(text, now=now).parsed


def read_notification(text: bytes, *, now: float) -> Notified:
    """Read a notification and how many alerts it does not hold. Raises PayloadError as `read_alertmanager`."""
    notification = decoded_json(text, _Notification)
    if notification.alerts is msgspec.UNSET:
        return Notified(_without_alerts(decoded_json(text, dict), now), 0)
    left_out = _count(notification.truncatedAlerts)

    def read(raw: Text) -> Alert:
        return _to_alert(_ALERT.decode(raw), notification, left_out, now)

    return Notified(read_each(notification.alerts or [], read, prefix="alerts"), left_out)


def _without_alerts(found: dict[str, object], now: float) -> Parsed[Alert]:
    if not is_legacy(found):
        words = "is missing; this address takes the webhooks of Prometheus Alertmanager and of Grafana"
        raise PayloadError(words, "alerts")
    try:
        return Parsed([read_legacy(found, now=now)])
    except FieldError as error:
        raise PayloadError(error.message, error.field) from error


def left_out_text(count: int) -> str:
    """Say how many alerts are missing, and which setting of the sender leaves them out."""
    alerts = "1 more alert" if count == 1 else f"{count:,} more alerts"
    return f"{alerts} of this group {'was' if count == 1 else 'were'} left out by the sender (max_alerts)"


def _to_alert(raw: _Alert, notification: _Notification, left_out: int, now: float) -> Alert:
    status = raw.status or notification.status
    if status not in (FIRING, RESOLVED):
        raise FieldError("status", f"must be {FIRING} or {RESOLVED}")
    labels, annotations = _labels(raw.labels), _texts(raw.annotations, "annotations")
    name = labels.get("alertname")
    if not name:
        raise FieldError("labels.alertname", "is missing")
    started_at = _started_at(raw, now)
    fingerprint = text_of(raw.fingerprint) or repr(sorted(labels.items()))
    summary = next((annotations[key] for key in _SUMMARIES if annotations.get(key)), "")
    if left_out and status == FIRING:
        summary = f"{left_out_text(left_out)}; {summary}".removesuffix("; ")
    return Alert(
        source="alertmanager",
        name=name,
        status=status,
        key=f"{fingerprint}:{raw.startsAt}",
        happened_at=_ended_at(raw, now) if status == RESOLVED else started_at,
        service=short_text(labels, *_SERVICE_LABELS),
        summary=summary,
        level=labels.get("severity"),
        details={
            "labels": bounded_attributes(labels),
            "annotations": bounded_attributes(annotations),
            "url": text_of(raw.generatorURL) or text_of(notification.externalURL),
            "receiver": text_of(notification.receiver),
            "left_out": left_out or None,
        },
        identity=fingerprint,
        values=_values(raw, annotations, labels),
        together=text_of(notification.groupKey) or None,
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _labels(value: object) -> dict[str, str]:
    """Return the labels, which identify the alert. Raises FieldError if one is no text."""
    labels = _texts(value, "labels")
    if isinstance(value, dict) and not all(isinstance(value[name], str) for name in labels):
        raise FieldError("labels[...]", "must be a text")
    return labels


def _texts(value: object, field: str) -> dict[str, str]:
    """Return an object's texts by name. A null is left out, what is no text is written as JSON. Raises FieldError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FieldError(field, "must be an object")
    return {name: clipped(found) for name, found in value.items() if found is not None}


def _values(raw: _Alert, annotations: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, float]:
    """Return the number in the annotation or label `value`, and Grafana's own values by their names.

    Grafana writes null for all values, or for one of them, where a query gave nothing.
    """
    own = raw.values if isinstance(raw.values, dict) else {}
    found = {name: float(value) for name, value in own.items() if is_number(value)}
    value = parse_number(annotations[_VALUE] if _VALUE in annotations else labels.get(_VALUE))
    return found if value is None else {**found, _VALUE: value}


def _started_at(raw: _Alert, now: float) -> float:
    """Return the start time, or `now` if it is missing or Go's zero time."""
    if not raw.startsAt or str(raw.startsAt).startswith(_ZERO_YEAR):
        return now
    return parse_time(raw.startsAt, now=now, field="startsAt")


def _ended_at(raw: _Alert, now: float) -> float:
    """Return the end time, or `now` if it is missing or Go's zero time."""
    if not raw.endsAt or str(raw.endsAt).startswith(_ZERO_YEAR):
        return now
    return parse_time(raw.endsAt, now=now, field="endsAt")
