"""Alerts of other monitoring systems, independent of the sender.

Each alert becomes a log record, an alert change (firing or not), and, if it has numbers, points of a metric.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from detection.types import AlertChange, JsonValue, LogRecord, MetricPoint
from integrations.inbound.lines.levels import severity
from integrations.inbound.monitoring.log_fields import NAME_LIMIT, UNKNOWN_SERVICE, clipped
from integrations.inbound.reading.digests import digest

FIRING = "firing"
RESOLVED = "resolved"
LONGEST_SILENCE_SECONDS = 7 * 86_400.0
"""An alert without any message for this long counts as resolved."""

_PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Alert:
    """One change of an alert. `key` identifies this firing of it; `level` is the sender's severity word.

    `identity` is the same for every firing; it is None if the sender does not know whether the alert fires.
    `together` is the sender's group of alerts, if any. `application` is the API key that it came with.
    """

    source: str
    name: str
    status: str
    key: str
    happened_at: float
    service: str | None = None
    summary: str = ""
    level: str | None = None
    details: Mapping[str, JsonValue] = field(default_factory=dict)
    identity: str | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    quiet_after_seconds: float = LONGEST_SILENCE_SECONDS
    together: str | None = None
    application: str = ""


def to_record(alert: Alert) -> LogRecord:
    """Convert the alert to a log record: the sender's severity (default ERROR) while it fires, INFO once resolved.

    The attributes `alert`, `status` and `source` describe it. A repeated delivery gives the same id.
    """
    is_firing = alert.status == FIRING
    words = f"{alert.name} is {alert.status}"
    return LogRecord(
        record_id=f"{alert.source}:{alert.key}:{alert.status}",
        service=clipped(alert.service or UNKNOWN_SERVICE, NAME_LIMIT),
        version=None,
        happened_at=alert.happened_at,
        severity=severity(alert.level, "ERROR") if is_firing else "INFO",
        body=clipped(f"{words}: {alert.summary}" if alert.summary else words),
        attributes={
            "alert": clipped(alert.name, NAME_LIMIT),
            "status": alert.status,
            "source": alert.source,
            **{name: value for name, value in alert.details.items() if value not in (None, "", {}, [])},
        },
    )


def to_change(alert: Alert) -> AlertChange | None:
    """Convert the alert to a change of its firing state. Return None if the sender does not know the state."""
    if alert.identity is None:
        return None
    url = alert.details.get("url")
    return AlertChange(
        identity=alert.identity,
        source=alert.source,
        name=clipped(alert.name, NAME_LIMIT),
        service=clipped(alert.service, NAME_LIMIT) if alert.service else None,
        severity=alert.level,
        is_firing=alert.status == FIRING,
        happened_at=alert.happened_at,
        summary=clipped(alert.summary),
        url=url if isinstance(url, str) else "",
        values=alert.values,
        quiet_after_seconds=alert.quiet_after_seconds,
        together=alert.together,
        application=alert.application,
    )


def to_points(alert: Alert, *, now: float) -> list[MetricPoint]:
    """Convert the alert's numbers to points of a metric of its name. A repeated delivery gives the same ids."""
    name, service = clipped(alert.name, NAME_LIMIT), clipped(alert.service or UNKNOWN_SERVICE, NAME_LIMIT)
    application = [alert.application] if alert.application else []
    return [
        MetricPoint(
            point_id=digest("alert", *application, alert.source, alert.key, alert.status, value_name, value),
            name=name,
            service=service,
            happened_at=now if alert.status == FIRING else alert.happened_at,
            value=value,
            attributes={} if value_name == "value" else {"value": value_name},
        )
        for value_name, value in sorted(alert.values.items())
    ]


def parse_number(text: str | None) -> float | None:
    """Parse a number from a template: "93.4", "9.34e+01", "93.4 %" (becomes a fraction). None for other text."""
    if not text:
        return None
    plain = text.strip()
    share = plain.endswith(_PERCENT)
    try:
        found = float(plain.removesuffix(_PERCENT))
    except ValueError:
        return None
    if not math.isfinite(found):
        return None
    return found / 100 if share else found


def is_number(value: object) -> bool:
    """Whether a value of JSON is a finite number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def text_of(value: object) -> str:
    """Return a field that should be a text: a number as it is written, and nothing for null and other types."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
