"""Read the webhook of Grafana's older alerting (before version 9), which tells of one rule at a time.

The shape: https://grafana.com/docs/grafana/v7.5/alerting/notifications/#webhook
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.inbound.monitoring.alerts import FIRING, RESOLVED, Alert, is_number, text_of
from integrations.inbound.monitoring.log_fields import bounded_attributes, clipped, short_text
from integrations.inbound.reading.records import FieldError

_STATUSES = {"alerting": FIRING, "no_data": FIRING, "ok": RESOLVED}


def is_legacy(found: Mapping[str, object]) -> bool:
    """Whether a notification without alerts is one of a rule."""
    return "state" in found and ("ruleName" in found or "ruleId" in found)


def read_legacy(found: Mapping[str, object], *, now: float) -> Alert:
    """Read the notification. It names no time, so the alert changed when it arrived. Raises FieldError."""
    state = text_of(found.get("state"))
    if state not in _STATUSES:
        raise FieldError("state", "must be alerting, no_data or ok")
    name = text_of(found.get("ruleName")) or text_of(found.get("title"))
    if not name:
        raise FieldError("ruleName", "is missing")
    tags = found.get("tags")
    labels = tags if isinstance(tags, dict) else {}
    rule = f"{text_of(found.get('orgId'))}:{text_of(found.get('ruleId')) or name}"
    message = text_of(found.get("message"))
    return Alert(
        source="grafana",
        name=clipped(name),
        status=_STATUSES[state],
        key=f"{rule}:{now!r}",
        happened_at=now,
        service=short_text(labels, "service", "service_name", "app", "job"),
        summary="; ".join(part for part in ("no data" if state == "no_data" else "", message) if part),
        level=short_text(labels, "severity"),
        details={"labels": bounded_attributes(labels), "url": text_of(found.get("ruleUrl"))},
        identity=rule,
        values=_values(found.get("evalMatches")),
    )


def _values(matches: object) -> dict[str, float]:
    """Return the numbers of the series that matched, by the series' names. Grafana writes null where there are none."""
    found: dict[str, float] = {}
    for match in matches if isinstance(matches, list) else []:
        value = match.get("value") if isinstance(match, dict) else None
        if isinstance(value, int | float) and is_number(value):
            found[clipped(match.get("metric") or "value", 200)] = float(value)
    return found
