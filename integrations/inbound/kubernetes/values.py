"""Look up values of Kubernetes' objects, whatever is missing or of another type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time
from integrations.inbound.sources.kubernetes import workload_of_owner, workload_of_pod

NAME_LIMIT = 200
TEXT_LIMIT = 5_000

_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")
_ROUTING = frozenset(("Deployment", "StatefulSet", "DaemonSet", "Service", "HorizontalPodAutoscaler", "CronJob"))
"""Kinds whose objects are named as the workload is."""


def mapping(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object under a name; an empty one if there is none."""
    value = found.get(name)
    return value if isinstance(value, Mapping) else {}


def objects(found: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Return the objects of the array under a name."""
    value = found.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def word(found: Mapping[str, Any], name: str, limit: int = NAME_LIMIT) -> str:
    """Return the text under a name; empty if there is none."""
    value = found.get(name)
    return value.strip()[:limit] if isinstance(value, str) else ""


def number(found: Mapping[str, Any], name: str) -> int | None:
    """Return the whole number under a name, or None."""
    value = found.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62 else None


def first_time(places: Sequence[tuple[Mapping[str, Any], str]], *, now: float) -> float | None:
    """Return the first time that is set, in seconds UTC; None if none is. Raises FieldError for one that is no time."""
    for found, name in places:
        value = found.get(name)
        if value not in (None, ""):
            return parse_time(value, now=now, field=name)
    return None


def time_or(now: float, found: Mapping[str, Any], name: str) -> float:
    """Return the time under a name, or `now` where there is none or it cannot be read."""
    try:
        found_time = first_time([(found, name)], now=now)
    except FieldError:
        return now
    return now if found_time is None else found_time


def service_of_object(kind: str, name: str, metadata: Mapping[str, Any] | None = None) -> str | None:
    """Return the service that an object belongs to: by its labels, its owner, or its name; None for a node."""
    labels = mapping(metadata or {}, "labels")
    told = next((label for key in _LABELS if (label := word(labels, key))), None)
    if told:
        return told
    owners = objects(metadata or {}, "ownerReferences")
    if kind == "Pod":
        by_owner = [f"{word(owner, 'kind')}/{word(owner, 'name')}" for owner in owners if word(owner, "name")]
        return workload_of_owner(by_owner[0]) if by_owner else workload_of_pod(name) or None
    if kind in ("ReplicaSet", "Job"):
        return workload_of_owner(f"{kind}/{name}") or None
    return name if kind in _ROUTING and name else None
