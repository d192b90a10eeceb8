"""Recognise the log records of the OpenTelemetry collector's receivers for Kubernetes.

`k8s_events` writes one record an Event, with its fields as attributes and the object's as the resource's:
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/receiver/k8seventsreceiver.
`k8sobjects` writes whole objects, or {"type", "object"} of a watch, as the body: …/receiver/k8sobjectsreceiver.
"""

from __future__ import annotations

from collections.abc import Mapping

from detection.types import JsonValue, OrchestratorEvent
from integrations.inbound.kubernetes.objects import read_object, with_place
from integrations.inbound.kubernetes.states import News
from integrations.inbound.kubernetes.values import NAME_LIMIT, TEXT_LIMIT, number, service_of_object, word
from integrations.inbound.reading.records import FieldError

REASON = "k8s.event.reason"
RESOURCE = "k8s.resource.name"


def news_of_body(body: JsonValue, *, now: float) -> News:
    """Return what an object that `k8sobjects` wrote says; nothing for one that cannot be read: it stays a log."""
    if not isinstance(body, dict):
        return ()
    try:
        return read_object(body, now=now)
    except FieldError:
        return ()


def news_of_attributes(
    found: Mapping[str, JsonValue],
    resource: Mapping[str, JsonValue],
    *,
    message: str,
    severity: str,
    happened_at: float,
    record_id: str,
) -> News:
    """Return the event of a record of `k8s_events`, and the place that it tells.

    severity: the Event's type, Normal or Warning.
    """
    kind, name = word(resource, "k8s.object.kind"), word(resource, "k8s.object.name")
    node = name if kind == "Node" else word(resource, "k8s.node.name")
    count = number(found, "k8s.event.count") or 1
    identity = word(found, "k8s.event.uid") or record_id
    event = OrchestratorEvent(
        event_id=f"k8s:{identity}:{count}",
        happened_at=happened_at,
        reason=word(found, REASON),
        message=message[:TEXT_LIMIT],
        object_name=f"{kind.lower() or 'object'}/{name}"[:NAME_LIMIT],
        namespace=word(found, "k8s.namespace.name") or word(resource, "k8s.namespace.name"),
        node=node or None,
        service=service_of_object(kind, name),
        is_warning=severity.lower().startswith("warn"),
    )
    return with_place(event)
