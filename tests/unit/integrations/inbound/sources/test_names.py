"""The service of a log record by what each agent and platform writes, flat or nested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from integrations.inbound.sources.names import (
    likely_service_of,
    likely_service_of_labels,
    service_of,
    service_of_labels,
)

POD = "churn-6b8f9d7c5-k4xzp"


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in flat.items():
        *parts, last = name.split(".")
        inner = found
        for part in parts:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return found


SOURCES: dict[str, dict[str, Any]] = {
    "Fluent Bit": {"kubernetes.container_name": "churn", "kubernetes.pod_name": POD, "stream": "stderr"},
    "Fluent Bit, container without a name": {
        "kubernetes.container_name": "app", "kubernetes.pod_name": POD, "kubernetes.labels": {"pod-hash": "1"},
    },
    "Fluent Bit, labels": {
        "kubernetes.container_name": "main", "kubernetes.labels": {"app.kubernetes.io/name": "churn", "app": "x"},
    },
    "Filebeat": {"kubernetes.container.name": "churn", "kubernetes.deployment.name": "dairy", "host.name": "node-1"},
    "Filebeat, dots replaced": {"kubernetes.labels": {"app_kubernetes_io/name": "churn"}, "kubernetes.pod.name": POD},
    "Vector": {"kubernetes.container_name": "churn", "source_type": "kubernetes_logs", "file": "/var/log/pods/x.log"},
    "Vector, pod's labels": {"kubernetes.pod_labels": {"k8s-app": "churn"}, "kubernetes.pod_owner": "ReplicaSet/x-1"},
    "Vector, pod's owner": {"kubernetes.pod_owner": "ReplicaSet/churn-6b8f9d7c5", "kubernetes.container_name": "main"},
    "OpenTelemetry": {"k8s.deployment.name": "churn", "k8s.container.name": "server", "k8s.pod.name": POD},
    "OpenTelemetry, only a container": {"k8s.container.name": "churn", "k8s.pod.name": "other-0"},
    "OpenTelemetry, only a pod": {"k8s.pod.name": "churn-0", "k8s.namespace.name": "farm"},
    "OpenTelemetry, nobody named it": {"service.name": "unknown_service:node", "k8s.statefulset.name": "churn"},
    "ECS fields": {"service.name": "churn", "container.name": "x", "log.logger": "com.Foo"},
    "Docker": {"container_name": "/churn", "container_id": "f0"},
    "Docker and Compose": {
        "container.name": "farm-churn-2", "container.labels": {"com_docker_compose_service": "churn"},
    },
    "Vector's docker_logs": {"container_name": "farm-churn-1", "label": {"com.docker.compose.service": "churn"}},
    "Swarm": {"container_name": "/churn.3.k9x2m4p7q1r8s5t6v3w2y1z0a"},
    "Amazon ECS": {"ecs_task_family": "churn", "ecs_container_name": "app"},
    "Amazon ECS, container": {"ecs_task_definition": "farm:12", "ecs_container_name": "churn"},
    "FireLens": {"container_name": "/ecs-churn-12-app-e2f4a6c8b0d2e4f6a801", "ecs_task_definition": "churn:12"},
    "FireLens, container": {"container_name": "/ecs-farm-12-churn-e2f4a6c8b0d2e4f6a801"},
    "ECS metadata": {"ecs.task.family": "churn", "ecs.cluster": "farm"},
    "Journal": {"_SYSTEMD_UNIT": "churn.service", "SYSLOG_IDENTIFIER": "python3", "_COMM": "python3"},
    "Journal, instance": {"systemd.unit": "churn@3.service"},
    "Journal, container": {"CONTAINER_NAME": "churn", "_SYSTEMD_UNIT": "docker.service"},
    "Journal, session": {"_SYSTEMD_UNIT": "session-4.scope", "SYSLOG_IDENTIFIER": "churn"},
    "Collector's documents": {"resource.attributes": {"k8s.deployment.name": "churn"}, "attributes": {"x": 1}},
    "Google Cloud": {"resource.labels": {"container_name": "churn", "pod_name": POD}, "resource.type": "k8s_container"},
    "Service is an object": {"service": {"name": "churn", "version": "1"}},
    "Filebeat's own fields": {"fields.service": "churn", "agent.type": "filebeat", "log.offset": 12},
    "Filebeat's own fields, by ECS": {"fields.service.name": "churn", "host.name": "node-1"},
    "Serilog": {"Properties.Application": "churn", "Properties.SourceContext": "Farm.Churn"},
    "Serilog by Elasticsearch's sink": {"fields.Application": "churn", "fields.SourceContext": "Farm.Churn"},
    "ECS labels": {"labels.service": "churn", "host.name": "node-1"},
    "Winston": {"meta.service": "churn", "meta.took": 3},
    "Monolog": {"context.order": 17, "extra.service": "churn"},
    "Nomad": {"nomad.job": "farm", "nomad.task": "churn", "nomad.alloc_id": "f0"},
    "Nomad, flat": {"nomad_task_name": "churn", "container_name": "churn-7d1c6a30-3f5e-11ee-be56-0242ac120002"},
    "Nomad, only a container": {"container.name": "/churn-7d1c6a30-3f5e-11ee-be56-0242ac120002"},
    "A pod that calls another service": {"kubernetes.container_name": "churn", "fields.service": "stripe"},
    "Azure Container Apps": {"ContainerAppName_s": "churn", "ContainerName_s": "app", "RevisionName_s": "churn--x1"},
    "Application Insights": {"AppRoleName": "churn", "AppRoleInstance": "f0"},
    "The collector's file exporter": {"Resource": {"service.name": "churn"}, "SeverityText": "Error"},
    "Daemon set": {"kubernetes.daemonset_name": "churn", "kubernetes.container_name": "app"},
    "Powertools": {"service": "service_undefined", "app": "churn"},
}  # fmt: skip


@pytest.mark.parametrize("form", [dict, nested])
@pytest.mark.parametrize("source", SOURCES)
def test_each_source_gives_its_lasting_name(source: str, form: Any) -> None:
    assert service_of(form(SOURCES[source])) == "churn"


@pytest.mark.parametrize(
    "fields",
    [
        {"logger": "com.shop.Pay", "logger_name": "x", "log.logger": "y"},
        {"host": {"name": "node-1"}, "hostname": "node-1", "agent": {"name": "filebeat"}},
        {"service": None, "app": 7, "kubernetes": None, "container": {"id": "f0"}, "labels": ["app"]},
        {"kubernetes": {"labels": None, "container_name": ""}, "service": {"id": "x"}, "resource": "x"},
        {"unit": "ms", "path": "/vats/17", "file": "pay.go"},
        {
            "container": "MSCU1234567",
            "job": "import-17",
            "pod": "left",
            "name": "x",
            "labels": {"app": "x", "name": "y"},
        },
        {"resource": {"service": "orders-17", "app": "x"}, "attributes": {"app": "x"}},
        {"fields": {"message": "paid", "took": 3}, "meta": {"service": None}, "context": {"service": "stripe"}},
        {"Properties": {"Application": {"x": 1}}, "extra": ["service"], "Resource": "x", "nomad": {"job": "farm"}},
        {},
    ],
)
def test_loggers_hosts_units_and_nulls_name_no_service(fields: dict[str, Any]) -> None:
    assert service_of(fields) is None
    assert likely_service_of(fields) is None


@pytest.mark.parametrize(
    "labels",
    [
        {"app": "churn", "container": "x", "pod": POD, "job": "farm/y"},
        {"service_name": "unknown_service", "container": "churn", "job": "loki.source.kubernetes"},
        {"container": "/churn", "compose_project": "farm"},
        {"container": "main", "pod": POD},
        {"unit": "churn.service", "job": "systemd-journal"},
        {"nomad_task": "churn", "nomad_job": "farm"},
    ],
)
def test_the_short_labels_of_a_stream_name_its_source(labels: dict[str, Any]) -> None:
    assert service_of_labels(labels) == "churn"


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"job": "farm/churn"}, "churn"),
        ({"job": "churn"}, "churn"),
        ({"filename": "/var/log/churn/app-2026-02-07.log", "job": "varlogs"}, "churn"),
        ({"filename": "/var/log/syslog", "job": "varlogs"}, "varlogs"),
        ({"host": "node-1"}, None),
    ],
)
def test_a_streams_job_names_a_service_if_it_is_not_a_general_one(labels: dict[str, Any], service: str | None) -> None:
    assert service_of_labels(labels) is None
    assert likely_service_of_labels(labels) == service


@pytest.mark.parametrize(
    ("fields", "service"),
    [
        ({"log.file.path": "/var/log/churn.log"}, "churn"),
        ({"log": {"file": {"path": "/var/log/nginx/access.log"}}}, "nginx"),
        ({"file": "/srv/churn/current/logs/production.log"}, "churn"),
        ({"path": r"C:\churn\logs\stdout.log"}, "churn"),
        ({"tag": f"kube.var.log.containers.{POD}_farm_main-{'ab' * 32}.log"}, "churn"),
        ({"log.file.path": f"/var/log/pods/farm_{POD}_{'0a' * 16}/churn/0.log"}, "churn"),
        ({"event.dataset": "churn.access"}, "churn"),
        ({"program": "churn", "host": "node-1"}, "churn"),
        ({"process": {"name": "churn"}, "event": {"module": "system"}}, "churn"),
    ],
)
def test_weak_signs_name_a_service_where_nothing_better_does(fields: dict[str, Any], service: str) -> None:
    assert service_of(fields) is None
    assert likely_service_of(fields) == service
