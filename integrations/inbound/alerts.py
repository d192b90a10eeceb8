"""What other monitors' alerts have in common, whoever sends them: each becomes one log record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detection.types import JsonValue, LogRecord
from integrations.inbound.log_values import NAME_LIMIT, UNKNOWN_SERVICE, clipped, severity

FIRING = "firing"
RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One change of an alert. `key` tells this firing of it from others; `level` is the sender's word for how bad."""

    source: str
    name: str
    status: str
    key: str
    happened_at: float
    service: str | None = None
    summary: str = ""
    level: str | None = None
    details: Mapping[str, JsonValue] = field(default_factory=dict)


def to_record(alert: Alert) -> LogRecord:
    """The alert as a log record: an error while it fires, unless its sender says how bad it is, and a note once over.

    The attributes `alert`, `status` and `source` say what it is; the id is the same however often it is sent.
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
