"""One row of a folder's files as triage knows it: an alert, a log pattern, a change, an incident, a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bot.investigate.reading.fields import moment, name, number, required_moment, text
from detection.triage import Firing, LogPattern, OpenIncident, QuietWindow, RecentChange, numbers_named
from detection.types import Floats
from storage.alerts import severity_of_word


def firing_of(
    row: Mapping[str, object],
    patterns: Mapping[str, LogPattern],
    samples: Mapping[tuple[str, str], tuple[Floats, Floats]],
    tell: Callable[[str], None],
) -> Firing:
    """Return an alert of pages.json. Raises FieldError for one without an id, a metric or a time.

    tell: called with what is wrong with a value that an alert can do without.
    """

    def told_number(field: str) -> float | None:
        found = number(row, field)
        if found is None and row.get(field) is not None:
            tell(f"{field} is no number: {str(row[field])[:60]!r}")
        return found

    firing_id, service, metric = name(row, "id", "alert_id"), text(row, "service"), name(row, "metric")
    fired_at = required_moment(row, "fired_at")
    healed = told_number("auto_resolved_after_s")
    signature = text(row, "related_pattern")
    times, values = samples.get((service or "", metric), (np.zeros(0), np.zeros(0)))
    return Firing(
        firing_id=firing_id,
        service=service,
        metric=metric,
        severity=severity_of_word(text(row, "severity")),
        fired_at=fired_at,
        ended_at=None if healed is None else fired_at + healed,
        value=told_number("value"),
        threshold=told_number("threshold"),
        fired_last_hour=int(told_number("fired_count_last_1h") or 1),
        healed_after_seconds=healed,
        deploy_version=text(row, "recent_deploy"),
        times=times,
        values=values,
        fingerprint=f"{service}:{metric}",
    ).with_logs(patterns.get(signature or "", LogPattern(signature)))


def pattern_of(row: Mapping[str, object]) -> tuple[str, LogPattern]:
    """Return a log pattern of patterns.json with its id."""
    change = number(row, "delta_vs_baseline_pct")
    feeling = text(row, "sentiment")
    pattern_id = name(row, "pattern_id")
    return pattern_id, LogPattern(
        pattern_id=pattern_id,
        text=text(row, "signature") or "",
        change=None if change is None else change / 100.0,
        is_bad=None if feeling is None else feeling.lower() == "negative",
        first_seen=moment(row, "first_seen"),
    )


def change_of(row: Mapping[str, object]) -> RecentChange:
    """Return a deploy of deploys.json or a change of flags.json, with the limits that it names."""
    at = required_moment(row, "timestamp", "deployed_at", "changed_at")
    version = text(row, "version", "flag", "commit_sha") or "a change"
    return RecentChange(text(row, "service"), version, at, dict(numbers_named(row)))


def incident_of(row: Mapping[str, object]) -> OpenIncident:
    """Return an incident of incidents_open.json."""
    said = text(row, "severity")
    return OpenIncident(
        incident_id=name(row, "incident_id", "id"),
        service=text(row, "service"),
        metric=text(row, "metric"),
        signature=text(row, "related_pattern"),
        summary=text(row, "summary", "title") or "",
        owner=text(row, "owner"),
        status=text(row, "status") or "open",
        opened_at=required_moment(row, "opened_at"),
        severity=severity_of_word(said) if said else None,
    )


def window_of(row: Mapping[str, object]) -> QuietWindow:
    """Return announced maintenance: of a deploy, a change request or maintenance.json."""
    scope = row.get("scope", row.get("services"))
    services = [str(one) for one in scope] if isinstance(scope, list) else [text(row, "service") or ""]
    signature = text(row, "related_pattern")
    return QuietWindow(
        name=text(row, "version", "incident_id", "id") or "maintenance",
        since=required_moment(row, "window_start"),
        until=required_moment(row, "window_end"),
        services=frozenset(service for service in services if service and service != "*"),
        signatures=frozenset([signature] if signature else []),
    )
