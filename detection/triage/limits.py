"""The limit that a metric must not reach: known, named by a change, or given by its unit."""

from __future__ import annotations

import math

from detection.symptoms import metric_meaning
from detection.symptoms.metric_names import split_words
from detection.triage.words import Context, Firing, RecentChange
from detection.types import SymptomKind

FULL = frozenset(
    {
        SymptomKind.CPU,
        SymptomKind.MEMORY,
        SymptomKind.DISK,
        SymptomKind.CONNECTIONS,
        SymptomKind.THREADS,
        SymptomKind.FILE_HANDLES,
    }
)
"""What a machine or a process has a fixed amount of."""

_PERCENT = frozenset({"pct", "percent", "percentage"})
_SHARE = frozenset({"ratio", "share", "utilization", "utilisation", "usage", "saturation"})
_LIMIT_WORDS = frozenset({"limit", "max", "maximum", "ceiling", "cap", "capacity", "quota", "hard"})
_OLD = frozenset({"before", "old", "previous", "from"})
DESCRIPTORS = 65_536.0
"""The usual limit of open file descriptors (`LimitNOFILE`, `nofile`) of a service."""
CHANGE_SECONDS = 3600.0
"""A change explains a new level that was reached within this time."""

_TIME_LEFT = frozenset({"until", "remaining", "left", "expiry", "expires", "expiration"})
_UNITS = {
    **dict.fromkeys(("s", "sec", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minutes"), 60.0),
    **dict.fromkeys(("h", "hours", "hour"), 3600.0),
    **dict.fromkeys(("d", "days", "day"), 86_400.0),
}


def limit_of(firing: Firing, context: Context) -> float | None:
    """Return the hard limit of the firing's metric; None if none is known."""
    known = [
        one.limit for one in context.limits if one.metric == firing.metric and one.service in (None, firing.service)
    ]
    return min([*known, *_named(firing, context)[-1:]], default=_by_unit(firing))


def change_before(firing: Firing, context: Context, seconds: float) -> RecentChange | None:
    """Return the last change of the firing's service within `seconds` before it fired.

    A version that the sender names counts too, unless that version is known to have gone live after the firing.
    """
    latest = firing.fired_at + 60.0
    own = [
        one
        for one in context.changes
        if (one.service is not None and one.service == firing.service) or one.version == firing.deploy_version
    ]
    near = [one for one in own if firing.fired_at - seconds <= one.changed_at <= latest]
    if near:
        return max(near, key=lambda one: one.changed_at)
    if firing.deploy_version and not any(one.version == firing.deploy_version for one in context.changes):
        return RecentChange(firing.service, firing.deploy_version, firing.fired_at)
    return None


def seconds_left(firing: Firing) -> float | None:
    """Return how long is left until the end that the metric counts down to; None for a metric that does not."""
    words = split_words(firing.metric)
    unit = next((_UNITS[word] for word in sorted(words) if word in _UNITS), None)
    if not words & _TIME_LEFT or firing.value is None or unit is None:
        return None
    return firing.value * unit


def numbers_named(value: object, name: str = "") -> list[tuple[str, float]]:
    """Return every number in an entry by its dotted name; of a change {"from": …, "to": …} the new value."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int | float):
        return [(name, float(value))]
    if not isinstance(value, dict):
        return []
    new = value.get("to", value.get("after"))
    if isinstance(new, int | float) and not isinstance(new, bool):
        return [(name, float(new))]
    return [
        found for key, inner in value.items() for found in numbers_named(inner, f"{name}.{key}" if name else str(key))
    ]


def planned_for(firing: Firing, context: Context) -> float:
    """Return the smallest limit that the last change names for what the metric measures: so far it may go."""
    return min(_named(firing, context), default=math.inf)


def _named(firing: Firing, context: Context) -> list[float]:
    """Return the limits that the last change names for what the metric measures, the smallest first."""
    kind = metric_meaning(firing.metric).kind
    change = change_before(firing, context, CHANGE_SECONDS)
    if kind is None or change is None:
        return []
    return sorted(
        limit
        for name, limit in change.limits.items()
        if split_words(name) & _LIMIT_WORDS and not split_words(name) & _OLD and metric_meaning(name).kind == kind
    )


def _by_unit(firing: Firing) -> float | None:
    meaning = metric_meaning(firing.metric)
    if meaning.kind not in FULL:
        return None
    words = split_words(firing.metric)
    top = max((abs(value) for value in (firing.value, firing.threshold) if value is not None), default=0.0)
    if words & _PERCENT or (words & _SHARE and 1.0 < top <= 100.0):
        return 100.0
    if words & _SHARE and top <= 1.0:
        return 1.0
    if meaning.kind is SymptomKind.FILE_HANDLES and 1024.0 < top < DESCRIPTORS:
        return DESCRIPTORS
    return None
