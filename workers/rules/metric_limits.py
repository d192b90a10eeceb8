"""The limits of custom metrics: those that people set, else the built-in limit that the metric's name implies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from detection.metrics.forecasts import MetricLimit
from storage import audit
from storage.metric_limits import add_limit, list_limits, remove_limit
from storage.models import MetricLimit as StoredLimit
from workers.services import Services

HOUR_SECONDS = 3600.0
LONGEST_HORIZON_HOURS = 7 * 24.0


@dataclass(frozen=True, slots=True)
class BuiltInLimit:
    """The limit of a metric that is the used share of something. what: the thing, in a word or two."""

    name: str
    threshold: float
    horizon_hours: float
    what: str


BUILT_IN = (
    BuiltInLimit("system.filesystem.utilization", 1.0, 6.0, "disk"),
    BuiltInLimit("system.memory.utilization", 1.0, 3.0, "memory"),
    BuiltInLimit("system.paging.utilization", 1.0, 3.0, "swap space"),
    BuiltInLimit("k8s.container.memory_limit_utilization", 1.0, 3.0, "container memory"),
)
"""Utilisation metrics of OpenTelemetry's host metrics and its Kubernetes receiver; 1 means full.

https://opentelemetry.io/docs/specs/semconv/system/system-metrics/
"""

_STATE = re.compile(r"(?:^|, )(?:[\w.]+\.)?state=([^,]*)")


def limits_of(session: Session, series: Iterable[tuple[str, str, str]]) -> Sequence[MetricLimit]:
    """Return the limits that apply to each series (service, name, attributes).

    A limit that people set replaces the built-in one.
    """
    by_name: dict[str, list[StoredLimit]] = {}
    for row in list_limits(session):
        by_name.setdefault(row.name, []).append(row)
    built_in = {limit.name: limit for limit in BUILT_IN}
    limited = by_name.keys() | built_in.keys()
    found: list[MetricLimit] = []
    # Few of many series have a limit: the others are passed over quickly.
    for service, name, attributes in [key for key in series if key[1] in limited]:
        own = [row for row in by_name.get(name, ()) if row.service in (None, service)]
        for row in own:
            horizon = row.horizon_hours * HOUR_SECONDS
            found.append(MetricLimit(name, service, row.threshold, row.above, attributes, horizon))
        if not own and name in built_in and measures_used_space(attributes):
            limit = built_in[name]
            horizon = limit.horizon_hours * HOUR_SECONDS
            found.append(MetricLimit(name, service, limit.threshold, True, attributes, horizon))
    return found


def measures_used_space(attributes: str) -> bool:
    """Return whether a utilisation series measures used space: not what is free, cached or reserved."""
    return all(state == "used" for state in _STATE.findall(attributes))


def set_limit(
    services: Services,
    *,
    name: str,
    service: str | None,
    threshold: float,
    above: bool,
    horizon_hours: float,
    actor: str,
) -> StoredLimit:
    """Set a limit, and record that in the audit chain.

    Setting one again for the same metric, service and direction changes its threshold and horizon.
    """
    now = services.clock()
    with services.sessions.begin() as session:
        limit = add_limit(
            session,
            name=name,
            service=service,
            threshold=threshold,
            above=above,
            horizon_hours=horizon_hours,
            created_by=actor,
            now=now,
        )
        payload = {"limit_id": limit.id, "name": name, "service": service, "threshold": threshold, "above": above}
        audit.append(session, key=services.audit_key, actor=actor, event="limit_set", payload=payload, now=now)
        return limit


def drop_limit(services: Services, limit_id: int, *, actor: str) -> StoredLimit:
    """Remove a limit, and record that in the audit chain; raise NotFoundError if there is no such limit."""
    now = services.clock()
    with services.sessions.begin() as session:
        limit = remove_limit(session, limit_id)
        payload = {"limit_id": limit_id, "name": limit.name, "service": limit.service}
        audit.append(session, key=services.audit_key, actor=actor, event="limit_removed", payload=payload, now=now)
        return limit
