"""The instance and the host of a metric's points."""

from __future__ import annotations

import json
from typing import Any

from detection.types import MetricPoint
from integrations.inbound.otlp.doors import parse_metrics

NOW = 1_770_465_600.0


def sent(name: str, **resource: str) -> list[MetricPoint]:
    attributes: list[Any] = [{"key": key, "value": {"stringValue": value}} for key, value in resource.items()]
    point = {"timeUnixNano": str(int(NOW * 1e9)), "asInt": "7"}
    metric = {"name": name, "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]}}
    body = {"resourceMetrics": [{"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": [metric]}]}]}
    parsed = parse_metrics(
        json.dumps(body).encode(), content_type="application/json", now=NOW, max_decoded_bytes=1_000_000
    )
    assert not parsed.rejections
    return parsed.records


def test_counters_of_two_instances_have_different_ids() -> None:
    [one], [two] = (sent("orders", **{"service.name": "shop", "service.instance.id": name}) for name in "ab")
    assert one.attributes == {"service.instance.id": "a"}
    assert one.point_id != two.point_id


def test_the_pod_name_is_the_instance_if_no_instance_is_set() -> None:
    [point] = sent("orders", **{"k8s.pod.name": "shop-7f9", "host.name": "node-1"})
    assert point.attributes == {"service.instance.id": "shop-7f9"}


def test_a_metric_about_a_machine_keeps_the_host_name() -> None:
    [point] = sent("system.filesystem.utilization", **{"host.name": "db-1"})
    assert point.attributes["host.name"] == "db-1"


def test_a_resource_without_instance_or_host_adds_no_attributes() -> None:
    [point] = sent("orders", **{"service.name": "shop"})
    assert point.attributes == {}
