"""Whether somebody is on it already: an open incident about the same thing, which has not become worse since."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.symptoms import named_in
from detection.triage.signs import HARM, Seen
from detection.triage.words import Firing, OpenIncident
from detection.types import Severity

_OVER = frozenset({"resolved", "closed", "done", "false_alarm", "cancelled", "canceled", "postmortem", "completed"})
_THOUGHT_MENDED = frozenset({"monitoring", "mitigated", "mitigating", "stable", "fixed"})
_NOBODY = frozenset({"triggered", "unassigned", "new", "unacknowledged"})
_STALE_SECONDS = 3 * 86_400.0
_WORSE_TIMES = 5.0
_LONG_BEFORE_SECONDS = 3600.0


def owning(one: Seen, incidents: Sequence[OpenIncident], now: float) -> OpenIncident | None:
    """Return the open incident that the firing belongs to, somebody being on it; None if it needs somebody new."""
    fits = [incident for incident in incidents if is_about(incident, one.firing) and not _is_news(one, incident, now)]
    return max(fits, key=lambda incident: incident.opened_at, default=None)


def is_about(incident: OpenIncident, firing: Firing) -> bool:
    """Return whether the incident is open, somebody is on it, and it is about the same thing as the firing.

    The same error in the logs is the same thing; a usual line, which many services write, is not. The same service and
    metric are, unless both name log patterns that differ: then the service has a second trouble.
    """
    if incident.status.lower() in _OVER or (incident.owner is None and incident.status.lower() in _NOBODY):
        return False
    if incident.signature and firing.signature and incident.signature != firing.signature:
        return bool(firing.signature_is_bad is False and _is_same_place(incident, firing))
    if incident.signature and incident.signature == firing.signature and firing.signature_is_bad is not False:
        return True
    return _is_same_place(incident, firing)


def _is_same_place(incident: OpenIncident, firing: Firing) -> bool:
    if not firing.service or incident.service != firing.service:
        return False
    return incident.metric in ("*", firing.metric)


def _is_news(one: Seen, incident: OpenIncident, now: float) -> bool:
    """Return whether the firing tells those who are on the incident something that they must know now."""
    firing = one.firing
    grows = one.shape.rises or one.comes_back
    if incident.status.lower() in _THOUGHT_MENDED and grows:
        return True
    if now - incident.opened_at > _STALE_SECONDS and grows:
        return True
    if grows and _steps_worse(incident.severity, firing.severity) >= 2:
        return True
    if hurts_others(one, incident):
        return True
    return _was_over_between(one, incident) or _has_grown(one, incident)


def hurts_others(one: Seen, incident: OpenIncident) -> bool:
    """Return whether people of another service are hurt badly, which those who are on the incident may not know.

    They know of what fired before they opened it, and of a service that they wrote about.
    """
    firing = one.firing
    if firing.severity is not Severity.SEV1 or firing.service == incident.service or one.meaning.kind not in HARM:
        return False
    is_written = firing.service is not None and firing.service in named_in(incident.summary, [firing.service])
    return firing.fired_at > incident.opened_at and not is_written


def _was_over_between(one: Seen, incident: OpenIncident) -> bool:
    """Return whether the metric was fine again after the incident was opened: then this is another time."""
    firing = one.firing
    if firing.threshold is None or firing.fired_at - incident.opened_at < _LONG_BEFORE_SECONDS:
        return False
    between = (firing.times > incident.opened_at) & (firing.times < firing.fired_at - 60.0)
    return bool(np.any(firing.values[between] * one.sign < firing.threshold * one.sign))


def _has_grown(one: Seen, incident: OpenIncident) -> bool:
    """Return whether the metric is several times as bad as when the incident was opened."""
    firing = one.firing
    before = firing.values[firing.times <= incident.opened_at]
    over = [value for value in before.tolist() if firing.threshold is not None and value >= firing.threshold]
    if one.sign < 0 or not over or not one.shape.samples or not np.isfinite(over[-1]) or over[-1] <= 0:
        return False
    return one.shape.last >= _WORSE_TIMES * float(over[-1])


def _steps_worse(taken: Severity | None, now: Severity | None) -> int:
    """Return by how many steps the severity is worse than that which they took on."""
    order = list(Severity)
    return order.index(taken) - order.index(now) if taken is not None and now is not None else 0
