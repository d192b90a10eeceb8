"""One row of a folder's files as triage knows it: an alert, a log pattern, a change, an incident, a window, an edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bot.investigate.page_files import RowError, time_of
from detection.triage import Firing, LogPattern, OpenIncident, QuietWindow, RecentChange, numbers_named
from detection.types import EdgeKind, Floats, ServiceEdge, Severity

_WORDS = {
    "sev1": Severity.SEV1,
    "p1": Severity.SEV1,
    "critical": Severity.SEV1,
    "sev2": Severity.SEV2,
    "p2": Severity.SEV2,
    "high": Severity.SEV2,
    "error": Severity.SEV2,
    "sev3": Severity.SEV3,
    "p3": Severity.SEV3,
    "warning": Severity.SEV3,
    "sev4": Severity.SEV4,
    "p4": Severity.SEV4,
    "low": Severity.SEV4,
    "info": None,
}


def firing_of(
    row: Mapping[str, Any],
    patterns: Mapping[str, LogPattern],
    samples: Mapping[tuple[str, str], tuple[Floats, Floats]],
    tell: Callable[[str], None],
) -> Firing:
    """Return an alert of pages.json; raise RowError for one without an id, a metric or a time.

    tell: called with what is wrong with a value that an alert can do without.
    """

    def number(name: str) -> float | None:
        try:
            return _number(row, name)
        except RowError as error:
            tell(str(error))
            return None

    service, metric = _text(row, "service"), _needed(row, "metric")
    fired_at = time_of(_needed(row, "fired_at"), "fired_at")
    healed = number("auto_resolved_after_s")
    signature = _text(row, "related_pattern")
    times, values = samples.get((service or "", metric), (np.zeros(0), np.zeros(0)))
    return Firing(
        firing_id=_needed(row, "id"),
        service=service,
        metric=metric,
        severity=_WORDS.get(str(row.get("severity", "")).strip().lower(), Severity.SEV3),
        fired_at=fired_at,
        ended_at=None if healed is None else fired_at + healed,
        value=number("value"),
        threshold=number("threshold"),
        fired_last_hour=int(number("fired_count_last_1h") or 1),
        healed_after_seconds=healed,
        deploy_version=_text(row, "recent_deploy"),
        times=times,
        values=values,
        fingerprint=f"{service}:{metric}",
    ).with_logs(patterns.get(signature or "", LogPattern(signature)))


def pattern_of(row: Mapping[str, Any]) -> tuple[str, LogPattern]:
    """Return a log pattern of patterns.json with its id."""
    change = _number(row, "delta_vs_baseline_pct")
    feeling = _text(row, "sentiment")
    seen = row.get("first_seen")
    pattern_id = _needed(row, "pattern_id")
    return pattern_id, LogPattern(
        pattern_id=pattern_id,
        text=_text(row, "signature") or "",
        change=None if change is None else change / 100.0,
        is_bad=None if feeling is None else feeling.lower() == "negative",
        first_seen=None if seen is None else time_of(seen, "first_seen"),
    )


def change_of(row: Mapping[str, Any]) -> RecentChange:
    """Return a deploy of deploys.json or a change of flags.json, with the limits that it names."""
    at = next((row[name] for name in ("timestamp", "deployed_at", "changed_at") if row.get(name)), None)
    if at is None:
        raise RowError("has no timestamp")
    version = next((str(row[name]) for name in ("version", "flag", "commit_sha") if row.get(name)), "a change")
    return RecentChange(_text(row, "service"), version, time_of(at, "timestamp"), dict(numbers_named(row)))


def incident_of(row: Mapping[str, Any]) -> OpenIncident:
    """Return an incident of incidents_open.json."""
    return OpenIncident(
        incident_id=_needed(row, "incident_id"),
        service=_text(row, "service"),
        metric=_text(row, "metric"),
        signature=_text(row, "related_pattern"),
        summary=_text(row, "summary") or "",
        owner=_text(row, "owner"),
        status=_text(row, "status") or "open",
        opened_at=time_of(_needed(row, "opened_at"), "opened_at"),
        severity=_WORDS.get(str(row.get("severity", "")).strip().lower()),
    )


def window_of(row: Mapping[str, Any]) -> QuietWindow:
    """Return announced maintenance: of a deploy, a change request or maintenance.json."""
    scope = row.get("scope", row.get("services"))
    services = [str(one) for one in scope] if isinstance(scope, list) else [_text(row, "service") or ""]
    signature = _text(row, "related_pattern")
    return QuietWindow(
        name=str(row.get("version") or row.get("incident_id") or row.get("id") or "maintenance"),
        since=time_of(_needed(row, "window_start"), "window_start"),
        until=time_of(_needed(row, "window_end"), "window_end"),
        services=frozenset(name for name in services if name and name != "*"),
        signatures=frozenset([signature] if signature else []),
    )


def edge_of(row: Mapping[str, Any]) -> ServiceEdge:
    """Return an edge of service_map.json: who calls whom."""
    caller = row.get("from", row.get("caller"))
    callee = row.get("to", row.get("callee"))
    if not isinstance(caller, str) or not isinstance(callee, str):
        raise RowError('has no "from" or no "to"')
    return ServiceEdge(caller, callee, EdgeKind.CALLS, "declared", 0.0)


def _needed(row: Mapping[str, Any], name: str) -> str:
    found = _text(row, name)
    if found is None:
        raise RowError(f'has no "{name}"')
    return found


def _text(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    return str(value) if isinstance(value, str | int | float) and str(value) else None


def _number(row: Mapping[str, Any], name: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise RowError(f"{name} is not a number: {str(value)[:60]!r}")
    return number
