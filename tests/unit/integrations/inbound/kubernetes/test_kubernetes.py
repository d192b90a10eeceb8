"""Events and states of Kubernetes are read from what kubectl, a watch and the collector's receivers write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detection.types import OrchestratorEvent, ServicePlace
from integrations.inbound.kubernetes.documents import read_kubernetes
from integrations.inbound.otlp.doors import parse_logs
from integrations.inbound.reading.records import Parsed, PayloadError

NOW = 1_770_465_600.0
AT = "2026-02-07T11:59:00Z"
POD = "cart-5d8f7c9b4d-x2x9z"

EVENT: dict[str, Any] = {
    "apiVersion": "v1", "kind": "Event", "metadata": {"name": "cart.17a", "namespace": "shop", "uid": "u-1"},
    "involvedObject": {"kind": "Pod", "name": POD, "namespace": "shop"}, "reason": "BackOff", "type": "Warning",
    "message": "Back-off restarting", "source": {"component": "kubelet", "host": "node-7"}, "count": 3,
    "firstTimestamp": "2026-02-07T11:00:00Z", "lastTimestamp": AT,
}  # fmt: skip
POD_STATE: dict[str, Any] = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": POD, "namespace": "shop", "uid": "p-1", "labels": {"app.kubernetes.io/name": "cart"}},
    "spec": {"nodeName": "node-7"},
    "status": {"phase": "Running", "containerStatuses": [{
        "name": "app", "restartCount": 4, "state": {"running": {"startedAt": AT}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": AT}},
    }]},
}  # fmt: skip
NODE: dict[str, Any] = {
    "kind": "Node", "metadata": {"name": "node-7", "uid": "n-7"},
    "status": {"conditions": [
        {"type": "MemoryPressure", "status": "True", "lastTransitionTime": AT, "message": "low"},
        {"type": "DiskPressure", "status": "False", "lastTransitionTime": AT},
        {"type": "Ready", "status": "True", "lastTransitionTime": AT},
    ]},
}  # fmt: skip


def read(value: Any) -> Parsed[OrchestratorEvent | ServicePlace]:
    return read_kubernetes(json.dumps(value).encode(), now=NOW)


def events(parsed: Parsed[OrchestratorEvent | ServicePlace]) -> list[OrchestratorEvent]:
    return [one for one in parsed.records if isinstance(one, OrchestratorEvent)]


def test_an_event_names_its_object_its_place_and_when_it_last_happened() -> None:
    assert read(EVENT).records == [
        OrchestratorEvent(
            "k8s:u-1:3", NOW - 60, "BackOff", "Back-off restarting", f"pod/{POD}", "shop", "node-7", "cart", True
        ),
        ServicePlace("cart", "node-7", NOW - 60),
    ]


def test_an_event_of_the_newer_api_is_read_the_same() -> None:
    newer = {
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"namespace": "shop", "uid": "u-1"},
        "regarding": {"kind": "Pod", "name": POD, "namespace": "shop"}, "reason": "BackOff", "type": "Warning",
        "note": "Back-off restarting", "deprecatedSource": {"host": "node-7"},
        "series": {"count": 3, "lastObservedTime": "2026-02-07T11:59:00.000000Z"}, "eventTime": None,
    }  # fmt: skip
    assert read(newer).records == read(EVENT).records


def test_an_event_that_happens_again_is_another_and_told_again_the_same() -> None:
    first, again, more = (read({**EVENT, "count": count}).records[0] for count in (3, 3, 4))
    assert isinstance(first, OrchestratorEvent)
    assert isinstance(more, OrchestratorEvent)
    assert first == again
    assert first.event_id != more.event_id


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"kind": "List", "items": [EVENT, POD_STATE, NODE]}),
        json.dumps([EVENT, POD_STATE, NODE]),
        "\n".join(json.dumps(one, indent=2) for one in (EVENT, POD_STATE, NODE)),
        "\n".join(json.dumps({"type": "ADDED", "object": one}) for one in (EVENT, POD_STATE, NODE)),
    ],
    ids=["list", "array", "kubectl --watch", "watch"],
)
def test_every_form_in_which_objects_come_holds_the_same(body: str) -> None:
    parsed = read_kubernetes(body.encode(), now=NOW)
    assert [event.reason for event in events(parsed)] == ["BackOff", "OOMKilled", "MemoryPressure"]
    assert ServicePlace("cart", "node-7", NOW) in parsed.records
    assert parsed.rejections == []


def test_the_items_of_a_pod_list_need_no_kind() -> None:
    [place, *_] = read({"kind": "PodList", "items": [{k: v for k, v in POD_STATE.items() if k != "kind"}]}).records
    assert place == ServicePlace("cart", "node-7", NOW)


def test_a_killed_container_is_told_once_however_often_its_pod_is_told() -> None:
    later = read_kubernetes(json.dumps(POD_STATE).encode(), now=NOW + 600)
    [killed], [again] = events(read(POD_STATE)), events(later)
    assert (killed.event_id, killed.happened_at) == (again.event_id, NOW - 60)
    assert (killed.reason, killed.service, killed.node, killed.is_warning) == ("OOMKilled", "cart", "node-7", True)


def test_a_container_that_ended_well_and_a_healthy_node_say_nothing() -> None:
    ended = {"terminated": {"reason": "Completed", "exitCode": 0, "finishedAt": AT}}
    done = {**POD_STATE, "status": {"phase": "Succeeded", "containerStatuses": [{"name": "job", "state": ended}]}}
    healthy = {**NODE, "status": {"conditions": NODE["status"]["conditions"][1:]}}
    assert read([done, healthy]).records == []


def test_a_node_that_is_not_ready_and_a_rollout_that_stands_still_are_told() -> None:
    node = {**NODE, "status": {"conditions": [{"type": "Ready", "status": "Unknown", "lastTransitionTime": AT}]}}
    rollout = {"kind": "Deployment", "metadata": {"name": "cart"}, "status": {"conditions": [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "lastTransitionTime": AT},
    ]}}  # fmt: skip
    found = events(read([node, rollout]))
    assert [(event.reason, event.object_name, event.service) for event in found] == [
        ("NodeNotReady", "node/node-7", None),
        ("ProgressDeadlineExceeded", "deployment/cart", "cart"),
    ]


@pytest.mark.parametrize(
    ("found", "field"),
    [
        ({**EVENT, "reason": None}, "reason"),
        ({**EVENT, "involvedObject": {"kind": "Pod"}}, "involvedObject.name"),
        ({**EVENT, "lastTimestamp": "noon"}, "lastTimestamp"),
        ({"metadata": {}}, "kind"),
        (7, ""),
    ],
)
def test_a_bad_object_is_named_by_its_path_and_the_others_stay(found: Any, field: str) -> None:
    parsed = read({"kind": "List", "items": [found, EVENT]})
    assert [rejection.field for rejection in parsed.rejections] == [f"items[0].{field}".rstrip(".")]
    assert len(events(parsed)) == 1


@pytest.mark.parametrize("body", [b"", b"{", b'{"kind": "List", "items": 7}', b'{"kind": "Event"} {'])
def test_what_is_no_json_or_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError):
        read_kubernetes(body, now=NOW)


def test_objects_of_no_interest_and_deleted_ones_give_nothing() -> None:
    assert read([{"kind": "ConfigMap", "metadata": {"name": "c"}}, {"type": "DELETED", "object": EVENT}]).records == []


def otlp(resource: dict[str, str], record: dict[str, Any], scope: str = "") -> bytes:
    def pairs(found: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"key": name, "value": value(one)} for name, one in found.items()]

    def value(one: Any) -> dict[str, Any]:
        if isinstance(one, dict):
            return {"kvlistValue": {"values": pairs(one)}}
        if isinstance(one, list):
            return {"arrayValue": {"values": [value(item) for item in one]}}
        return {"intValue": str(one)} if isinstance(one, int) else {"stringValue": one}

    written = {**record, "attributes": pairs(record.get("attributes", {})), "body": value(record["body"])}
    logs = {"scope": {"name": scope}, "logRecords": [written]}
    return json.dumps({"resourceLogs": [{"resource": {"attributes": pairs(resource)}, "scopeLogs": [logs]}]}).encode()


def parsed_logs(body: bytes) -> Any:
    return parse_logs(body, content_type="application/json", now=NOW, max_decoded_bytes=10**7)


def test_a_record_of_the_events_receiver_is_an_event_and_remains_a_log() -> None:
    resource = {"k8s.node.name": "node-7", "k8s.object.kind": "Pod", "k8s.object.name": POD}
    attributes = {"k8s.event.reason": "BackOff", "k8s.event.uid": "u-1", "k8s.event.count": 3,
                  "k8s.namespace.name": "shop"}  # fmt: skip
    record = {"timeUnixNano": str(int((NOW - 60) * 1e9)), "severityText": "Warning", "body": "Back-off restarting",
              "attributes": attributes}  # fmt: skip
    parsed = parsed_logs(otlp(resource, record))
    assert parsed.beside == read(EVENT).records
    assert [log.body for log in parsed.records] == ["Back-off restarting"]


def test_an_object_of_the_objects_receiver_is_read_and_remains_a_log() -> None:
    record = {"body": {"type": "MODIFIED", "object": POD_STATE}, "attributes": {"k8s.resource.name": "pods"}}
    parsed = parsed_logs(otlp({}, record))
    assert parsed.beside == read(POD_STATE).records
    assert len(parsed.records) == 1


def test_a_document_of_an_application_is_no_object_of_kubernetes() -> None:
    parsed = parsed_logs(otlp({"service.name": "shop"}, {"body": {"kind": "Pod", "message": "made a pod"}}))
    assert (parsed.beside, len(parsed.records)) == ([], 1)


def test_an_unreadable_object_remains_a_log() -> None:
    record = {"body": {"kind": "Event"}, "attributes": {"k8s.resource.name": "events"}}
    parsed = parsed_logs(otlp({}, record))
    assert (parsed.beside, len(parsed.records)) == ([], 1)


def test_an_event_of_a_controller_tells_no_place() -> None:
    scheduled = {**EVENT, "source": {"component": "replicaset-controller"}}
    assert [type(one) for one in read(scheduled).records] == [OrchestratorEvent]
