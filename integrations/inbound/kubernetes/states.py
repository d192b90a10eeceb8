"""Read the states of pods, nodes and workloads: what is wrong with them, and on which node a service runs.

A state is told again and again: the id of an event that is read from one is made of what changed, so it counts once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from detection.types import OrchestratorEvent, ServicePlace
from integrations.inbound.kubernetes.values import (
    NAME_LIMIT,
    TEXT_LIMIT,
    mapping,
    number,
    objects,
    service_of_object,
    time_or,
    word,
)
from integrations.inbound.reading.digests import digest

News: TypeAlias = Sequence[OrchestratorEvent | ServicePlace]

_WAITS_IN_VAIN = frozenset(
    (
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    )
)
_NODE_TROUBLES = frozenset(("DiskPressure", "MemoryPressure", "NetworkUnavailable", "PIDPressure"))
_GOOD_OF_WORKLOAD = frozenset(("Available", "Progressing"))
_ENDED_PHASES = frozenset(("Succeeded", "Failed"))


def read_pod(found: Mapping[str, Any], *, now: float) -> News:
    """Return the place of a pod, the ends of its containers that went wrong, and what it waits for in vain."""
    metadata, status = mapping(found, "metadata"), mapping(found, "status")
    name, node = word(metadata, "name"), word(mapping(found, "spec"), "nodeName")
    service = service_of_object("Pod", name, metadata)
    news: list[OrchestratorEvent | ServicePlace] = []
    if node and service and word(status, "phase") not in _ENDED_PHASES:
        news.append(ServicePlace(service, node, now))
    if word(status, "reason") == "Evicted":
        told = [one for one in objects(status, "conditions") if word(one, "type") == "DisruptionTarget"]
        evicted_at = time_or(now, told[0] if told else {}, "lastTransitionTime")
        news.append(_event(found, "Evicted", word(status, "message", TEXT_LIMIT), evicted_at))
    containers = [*objects(status, "initContainerStatuses"), *objects(status, "containerStatuses")]
    for container in containers:
        news += _ends(found, container, now)
    return news


def _ends(pod: Mapping[str, Any], container: Mapping[str, Any], now: float) -> Iterator[OrchestratorEvent]:
    restarts = number(container, "restartCount") or 0
    name = word(container, "name")
    for state in ("lastState", "state"):
        ended = mapping(mapping(container, state), "terminated")
        reason, code = word(ended, "reason"), number(ended, "exitCode")
        if ended and (code not in (0, None) or reason == "OOMKilled"):
            said = f"container {name} ended: {reason or 'Error'}, exit code {code}, restarted {restarts} times"
            yield _event(pod, reason or "Error", said, time_or(now, ended, "finishedAt"), name, ended.get("finishedAt"))
    waiting = mapping(mapping(container, "state"), "waiting")
    if word(waiting, "reason") in _WAITS_IN_VAIN:
        said = f"container {name} waits, restarted {restarts} times: {word(waiting, 'message', TEXT_LIMIT)}"
        yield _event(pod, word(waiting, "reason"), said, now, name, restarts)


def read_node(found: Mapping[str, Any], *, now: float) -> News:
    """Return the conditions of a node that are troubles: too little memory or disk, no network, not ready."""
    news = []
    for condition in objects(mapping(found, "status"), "conditions"):
        kind, value = word(condition, "type"), word(condition, "status")
        is_trouble = (kind in _NODE_TROUBLES and value == "True") or (kind == "Ready" and value in ("False", "Unknown"))
        if is_trouble:
            news.append(_of_condition(found, "NodeNotReady" if kind == "Ready" else kind, condition, now))
    return news


def read_workload(found: Mapping[str, Any], *, now: float) -> News:
    """Return the conditions of a Deployment or the like that are troubles: not available, its rollout stands still."""
    return [
        _of_condition(found, word(condition, "reason") or f"{word(condition, 'type')}False", condition, now)
        for condition in objects(mapping(found, "status"), "conditions")
        if word(condition, "type") in _GOOD_OF_WORKLOAD and word(condition, "status") == "False"
    ]


def _of_condition(found: Mapping[str, Any], reason: str, condition: Mapping[str, Any], now: float) -> OrchestratorEvent:
    since = condition.get("lastTransitionTime")
    said = word(condition, "message", TEXT_LIMIT)
    return _event(found, reason, said, time_or(now, condition, "lastTransitionTime"), word(condition, "type"), since)


def _event(
    found: Mapping[str, Any], reason: str, message: str, happened_at: float, *identity: object
) -> OrchestratorEvent:
    """Return an event about an object. identity: what tells it from others of the object and reason."""
    metadata = mapping(found, "metadata")
    kind, name = word(found, "kind"), word(metadata, "name")
    node = name if kind == "Node" else word(mapping(found, "spec"), "nodeName")
    of_object = word(metadata, "uid") or [word(metadata, "namespace"), kind, name]
    return OrchestratorEvent(
        event_id=f"k8s:{digest(of_object, reason, *(str(one)[:NAME_LIMIT] for one in identity))}",
        happened_at=happened_at,
        reason=reason,
        message=message,
        object_name=f"{kind.lower()}/{name}"[:NAME_LIMIT],
        namespace=word(metadata, "namespace"),
        node=node or None,
        service=service_of_object(kind, name, metadata),
        is_warning=True,
    )
