"""Every door of log records names the service by the same rule."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from detection.types import LogRecord
from integrations.inbound.monitoring.cloudwatch import read_firehose, read_subscription
from integrations.inbound.monitoring.datadog import read_datadog_logs
from integrations.inbound.monitoring.documents import to_record
from integrations.inbound.monitoring.elasticsearch_bulk import read_bulk
from integrations.inbound.monitoring.loki import read_push_json
from integrations.inbound.monitoring.plain_line import line_record
from integrations.inbound.otlp.doors import parse_logs

NOW = 1_770_465_600.0
POD = {"pod_name": "churn-6b8f9d7c5-k4xzp", "namespace_name": "farm", "container_name": "churn"}
LIMIT = 1_000_000


def bulk(document: dict[str, Any], index: str = "fluent-bit-2026.02.07") -> LogRecord:
    lines = [json.dumps({"create": {"_index": index}}), json.dumps({"log": "x", **document})]
    [record] = read_bulk("\n".join(lines).encode(), now=NOW).parsed.records
    return record


def loki(labels: dict[str, str], line: str = "x") -> LogRecord:
    body = {"streams": [{"stream": labels, "values": [["1770465540000000000", line]]}]}
    [record] = read_push_json(json.dumps(body).encode(), now=NOW).records
    return record


def datadog(log: dict[str, Any]) -> LogRecord:
    [record] = read_datadog_logs(json.dumps({"message": "x", **log}).encode(), now=NOW).records
    return record


def cloudwatch(group: str, message: str, stream: str = "") -> LogRecord:
    event = {"id": "1", "timestamp": 1_770_465_540_000, "message": message}
    data = {"messageType": "DATA_MESSAGE", "logGroup": group, "logStream": stream, "logEvents": [event]}
    body = {"awslogs": {"data": base64.b64encode(json.dumps(data).encode()).decode()}}
    [record] = read_subscription(json.dumps(body).encode(), now=NOW, max_decoded_bytes=LIMIT).records
    return record


def firehose(document: dict[str, Any]) -> LogRecord:
    data = base64.b64encode(json.dumps({"log": "x", **document}).encode()).decode()
    body = {"requestId": "1", "timestamp": 1, "records": [{"data": data}]}
    [record] = read_firehose(json.dumps(body).encode(), now=NOW, max_decoded_bytes=LIMIT).parsed.records
    return record


def otlp(resource: dict[str, str], own: dict[str, str] | None = None, line: str = "x") -> LogRecord:
    def pairs(found: dict[str, str]) -> list[dict[str, Any]]:
        return [{"key": key, "value": {"stringValue": value}} for key, value in found.items()]

    record = {"timeUnixNano": "1770465540000000000", "body": {"stringValue": line}, "attributes": pairs(own or {})}
    body = {"resourceLogs": [{"resource": {"attributes": pairs(resource)}, "scopeLogs": [{"logRecords": [record]}]}]}
    parsed = parse_logs(json.dumps(body).encode(), content_type="application/json", now=NOW, max_decoded_bytes=LIMIT)
    [found] = parsed.records
    return found


@pytest.mark.parametrize(
    "read",
    [
        lambda: bulk({"kubernetes": POD}),
        lambda: bulk({"log.file.path": "/var/log/churn.log"}, "filebeat-8.12.0"),
        lambda: bulk({}, "churn-2026.02.07"),
        lambda: to_record({"message": "x", "kubernetes": POD}, "1", index="fluent-bit", now=NOW),
        lambda: firehose({"kubernetes": POD}),
        lambda: loki({"container": "churn", "pod": "y-0", "job": "farm/z"}),
        lambda: loki({"service_name": "unknown_service", "job": "farm/churn"}),
        lambda: loki({"job": "fluentbit"}, json.dumps({"log": "x", "kubernetes": POD})),
        lambda: otlp({"host.name": "node-1"}, line=json.dumps({"log": "x", "kubernetes": POD})),
        lambda: datadog({"ddsource": "aws", "message": json.dumps({"service": "churn"})}),
        lambda: loki({"job": "varlogs", "filename": "/var/log/churn/error.log"}),
        lambda: loki({"job": "systemd-journal", "unit": "churn.service"}),
        lambda: datadog({"ddtags": "env:prod,kube_container_name:churn,pod_name:churn-0", "ddsource": "java"}),
        lambda: datadog({"ddtags": "kube_deployment:churn,kube_container_name:app", "service": ""}),
        lambda: cloudwatch("/aws/containerinsights/farm/application", json.dumps({"log": "x", "kubernetes": POD})),
        lambda: cloudwatch("/aws/lambda/churn", "REPORT RequestId: 1"),
        lambda: cloudwatch("/aws/lambda/churn", '{"level":"INFO"'),
        lambda: otlp({"k8s.deployment.name": "churn", "k8s.pod.name": "x"}),
        lambda: otlp({"service.name": "unknown_service:java", "k8s.container.name": "churn"}),
        lambda: otlp({"host.name": "node-1"}, {"log.file.name": "churn.log"}),
        lambda: otlp({"service.name": "churn", "k8s.deployment.name": "x"}, {"service.name": "y"}),
        lambda: line_record(json.dumps({"msg": "x", "filename": "/var/log/y.log"}), "1", "churn", now=NOW),
    ],
)
def test_each_door_names_the_service(read: Callable[[], LogRecord]) -> None:
    assert read().service == "churn"


RUN_JOB = {"type": "cloud_run_job", "labels": {"job_name": "churn"}}
GKE_POD = {"labels": {"container_name": "main", "pod_name": "z-0"}}
SITE = "/SUBSCRIPTIONS/1/RESOURCEGROUPS/FARM/PROVIDERS/MICROSOFT.WEB/SITES/CHURN"


@pytest.mark.parametrize(
    "read",
    [
        lambda: loki({"namespace": "farm", "deployment": "churn"}),
        lambda: loki({"daemonset": "churn", "container": "main", "pod": "x-k4xzp"}),
        lambda: loki({"workload": "churn", "job": "farm/x"}),
        lambda: loki({"component": "churn", "job": "loki.source.file.logs"}),
        lambda: loki({"instance": "farm/churn-6b8f9d7c5-k4xzp:app", "job": "loki.source.kubernetes.pods"}),
        lambda: loki({"job": "loki.source.file.all", "filename": "/var/log/churn.log"}),
        lambda: bulk(
            {"kubernetes": {"container_name": "user-container", "labels": {"serving.knative.dev/service": "churn"}}}
        ),
        lambda: bulk({"resource": GKE_POD, "labels": {"k8s-pod/app": "churn"}}),
        lambda: bulk({"resource": RUN_JOB}),
        lambda: bulk({"logName": "projects/farm/logs/churn", "resource": {"type": "gce_instance"}}, "gcp"),
        lambda: bulk({"ContainerName": "0123-45/churn", "PodName": "x-0"}),
        lambda: bulk({"resourceId": SITE, "category": "AppServiceConsoleLogs"}),
        lambda: bulk({"nomad": {"task": {"name": "churn"}, "job": {"name": "farm"}}}),
        lambda: bulk({"label": {"com.hashicorp.nomad.task_name": "churn"}, "container_name": "x-1"}),
        lambda: bulk({"_container_name": "/churn", "_image_name": "x"}),
        lambda: bulk({"container_name": "0123456789ab_churn"}),
        lambda: bulk({"container_name": "churn-run-0123456789ab"}),
        lambda: bulk({"_SYSTEMD_UNIT": "user@1000.service", "_SYSTEMD_USER_UNIT": "churn.service"}),
        lambda: bulk({"fly": {"app": {"name": "churn", "instance": "x"}}}),
        lambda: bulk({"spring.application.name": "churn"}),
        lambda: bulk({"name": "churn", "hostname": "h", "pid": 7, "level": 30, "msg": "x", "v": 0}),
        lambda: bulk({"@log_name": f"kubernetes.var.log.containers.x-0_farm_churn-{'0123456789abcdef' * 4}.log"}),
        lambda: otlp({"k8s.pod.labels.app": "churn", "k8s.pod.name": "x-0"}),
        lambda: otlp({}, {"process.executable.name": "churn"}),
    ],
)
def test_platforms_that_tell_the_source_in_their_own_way_are_understood(read: Callable[[], LogRecord]) -> None:
    assert read().service == "churn"


def test_a_plain_field_that_looks_like_a_file_makes_no_service_of_each_request() -> None:
    assert bulk({"path": "/api/orders/17"}, "shop").service == "shop"
    assert datadog({"ddsource": "java"}).service == "java"
    assert otlp({"service.name": "unknown_service:node"}).service == "unknown_service:node"
    assert otlp({}).service == "unknown_service"
    assert bulk({"name": "Ines", "level": "info"}, "shop").service == "shop"
    assert bulk({"logName": "projects/farm/logs/run.googleapis.com%2Fstdout"}, "shop").service == "shop"
    assert loki({"job": "farm/shop", "component": "till"}).service == "shop"
