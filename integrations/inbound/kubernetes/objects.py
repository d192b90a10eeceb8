"""Read one object of Kubernetes: an Event, or the state of a Pod, Node or workload.

Event: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ (and core/v1's, with
`involvedObject`). Fields are looked up leniently: an object may come from any version, and cut down by any tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detection.types import OrchestratorEvent, ServicePlace
from integrations.inbound.kubernetes.states import News, read_node, read_pod, read_workload
from integrations.inbound.kubernetes.values import (
    NAME_LIMIT,
    TEXT_LIMIT,
    first_time,
    mapping,
    number,
    service_of_object,
    word,
)
from integrations.inbound.reading.digests import digest
from integrations.inbound.reading.records import FieldError

WORKLOADS = frozenset(("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"))
TAKEN = "an Event, a Pod, a Node, a Deployment or a List of them"


def read_object(found: Mapping[str, Any], *, now: float) -> News:
    """Read one object, or what a watch says of one: {"type": "ADDED", "object": {…}}.

    A kind that says nothing of interest gives nothing. Raises FieldError for what is no object of Kubernetes.
    """
    if isinstance(found.get("object"), Mapping) and isinstance(found.get("type"), str):
        if found["type"] in ("DELETED", "BOOKMARK", "ERROR"):
            return ()
        found = found["object"]
    kind = word(found, "kind")
    if not kind and ("involvedObject" in found or "regarding" in found):
        kind = "Event"
    if not kind:
        raise FieldError("kind", f"is missing: send {TAKEN}")
    if kind == "Event":
        return with_place(read_event(found, now=now))
    if kind == "Pod":
        return read_pod(found, now=now)
    if kind == "Node":
        return read_node(found, now=now)
    return read_workload(found, now=now) if kind in WORKLOADS else ()


def with_place(event: OrchestratorEvent) -> News:
    """Return an event, and the place that it tells: the kubelet of a node tells of the pods that run there."""
    if event.node and event.service and event.object_name.startswith("pod/"):
        return event, ServicePlace(event.service, event.node, event.happened_at)
    return (event,)


def read_event(found: Mapping[str, Any], *, now: float) -> OrchestratorEvent:
    """Read an Event of core/v1 or events.k8s.io/v1. Raises FieldError.

    An event that happens again is told again with a higher count: each telling is an event of its own.
    """
    metadata, series = mapping(found, "metadata"), mapping(found, "series")
    about = mapping(found, "involvedObject") or mapping(found, "regarding")
    source = mapping(found, "source") or mapping(found, "deprecatedSource")
    if not word(found, "reason"):
        raise FieldError("reason", "is missing")
    if not word(about, "name"):
        raise FieldError("regarding.name" if "regarding" in found else "involvedObject.name", "is missing")
    happened_at = first_time(
        [
            (series, "lastObservedTime"),
            (found, "lastTimestamp"),
            (found, "deprecatedLastTimestamp"),
            (found, "eventTime"),
            (found, "firstTimestamp"),
            (metadata, "creationTimestamp"),
        ],
        now=now,
    )
    count = number(series, "count") or number(found, "count") or number(found, "deprecatedCount") or 1
    kind, name = word(about, "kind") or "object", word(about, "name")
    node = name if kind == "Node" else word(source, "host")
    identity = word(metadata, "uid") or digest(word(about, "namespace"), kind, name, word(found, "reason"), happened_at)
    return OrchestratorEvent(
        event_id=f"k8s:{identity}:{count}",
        happened_at=now if happened_at is None else happened_at,
        reason=word(found, "reason"),
        message=(word(found, "message", TEXT_LIMIT) or word(found, "note", TEXT_LIMIT)),
        object_name=f"{kind.lower()}/{name}"[:NAME_LIMIT],
        namespace=word(about, "namespace") or word(metadata, "namespace"),
        node=node or None,
        service=service_of_object(kind, name),
        is_warning=word(found, "type") == "Warning",
    )
