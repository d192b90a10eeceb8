"""The names under which agents, collectors and platforms write where a log record comes from.

Fluent Bit and Vector: `kubernetes.container_name`. Filebeat and ECS: `kubernetes.container.name`, `container.name`.
OpenTelemetry: `k8s.container.name`. Promtail and Alloy: flat labels. Datadog: tags such as `kube_container_name`.
In each list the first name that is set counts.
"""

from __future__ import annotations

RESOURCES = ("resource.attributes", "resource.labels", "resource", "resources", "attributes", "Resource")
"""Where collectors put the attributes of the resource in a document."""

OWN = (
    "service.name", "service", "service_name", "serviceName", "dd.service", "otelServiceName", "app", "application",
    "app.name", "application.name", "app_name", "appName", "application_name",
    "resource.attributes.service.name", "spring.application.name", "spring_application_name", "springAppName",
)  # fmt: skip

OWN_OF_RESOURCE = ("service.name", "service_name")

WORKLOADS = (
    "k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.cronjob.name",
    "kubernetes.deployment.name", "kubernetes.statefulset.name", "kubernetes.daemonset.name", "kubernetes.cronjob.name",
    "kubernetes.deployment_name", "kubernetes.statefulset_name", "kubernetes.daemonset_name", "k8s_deployment_name",
    "kube_deployment", "kube_stateful_set", "kube_daemon_set", "kube_cronjob", "k8s_statefulset_name",
    "k8s_daemonset_name", "k8s_cronjob_name",
)  # fmt: skip
OTEL_WORKLOADS = WORKLOADS[:4]
CONTAINERS = (
    "kubernetes.container_name", "kubernetes.container.name", "kubernetes_container_name", "k8s.container.name",
    "k8s_container_name", "kube_container_name", "ecs_container_name", "ecs.container.name", "aws.ecs.container.name",
    "ContainerName",
)  # fmt: skip
LABELS = (
    "kubernetes.labels", "kubernetes.pod_labels", "kubernetes.pod.labels", "k8s.pod.labels", "k8s.pod.label",
    "pod_labels",
)  # fmt: skip
LABEL_NAMES = (
    "app.kubernetes.io/name", "app_kubernetes_io/name", "app_kubernetes_io_name", "app-kubernetes-io/name", "app",
    "k8s-app", "k8s_app", "app.kubernetes.io/instance", "app_kubernetes_io/instance", "app_kubernetes_io_instance",
    "serving.knative.dev/service", "serving_knative_dev/service", "service", "name", "run",
)  # fmt: skip
LABELS_OF_GOOGLE = (
    "k8s-pod/app.kubernetes.io/name", "k8s-pod/app_kubernetes_io/name", "k8s-pod/app", "k8s-pod/k8s-app",
    "k8s-pod/serving_knative_dev/service",
)  # fmt: skip
"""The pod's labels among the `labels` of a Cloud Logging entry."""

FLAT_LABELS = (
    "app_kubernetes_io_name", "k8s_app", "kube_app_name", "app_kubernetes_io_instance",
    *(f"k8s.pod.{word}.{name}" for word in ("label", "labels") for name in LABEL_NAMES),
)  # fmt: skip
OWNERS = (
    "kubernetes.pod_owner", "kubernetes.replicaset.name", "k8s.replicaset.name", "k8s.job.name", "kubernetes.job.name",
    "kube_replica_set", "kube_job",
)  # fmt: skip
PODS = (
    "kubernetes.pod_name",
    "kubernetes.pod.name",
    "kubernetes_pod_name",
    "k8s.pod.name",
    "k8s_pod_name",
    "pod_name",
    "PodName",
)

COMPOSE = (
    "compose_service", "com.docker.compose.service", "container_label_com_docker_compose_service", "swarm_service",
    "com.docker.swarm.service.name",
)  # fmt: skip
DOCKER_LABELS = (
    "container.labels",
    "docker.container.labels",
    "docker.labels",
    "label",
    "labels",
    "attrs",
    "container_labels",
)
DOCKER_LABEL_NAMES = (
    "com.docker.compose.service", "com_docker_compose_service", "com.docker.swarm.service.name",
    "com_docker_swarm_service_name",
)  # fmt: skip
TASK_CONTAINERS = ("com.amazonaws.ecs.container-name", "com.hashicorp.nomad.task_name")
TASKS = (
    "ecs_task_family", "ecs.task.family", "aws.ecs.task.family", "ecs_task_definition", "ecs.task.definition",
    "ecs.task.definition.family", "task_family",
)  # fmt: skip
DOCKER_NAMES = (
    "container_name",
    "container.name",
    "docker.container.name",
    "CONTAINER_NAME",
    "containerName",
    "_container_name",
)
FUNCTIONS = (
    "faas.name", "functionname", "resource.labels.function_name", "resource.labels.configuration_name",
    "resource.labels.module_id", "resource.labels.job_name",
)  # fmt: skip

BESIDE = (
    "fields.service.name", "fields.service", "fields.service_name", "fields.app", "fields.application",
    "fields.Application", "Properties.Application", "Properties.ServiceName", "labels.service_name", "labels.service",
    "meta.service", "extra.service",
)  # fmt: skip
"""Where loggers and agents put what a team adds: Filebeat's and Serilog's `fields`, `Properties`, Winston's `meta`,
Monolog's `extra`. The platform's names come first: a message's own fields may stand there, such as a service it calls.
"""

TASKS_OF_NOMAD = (
    "nomad.task",
    "nomad.task.name",
    "nomad.task_name",
    "nomad_task",
    "nomad_task_name",
    "NOMAD_TASK_NAME",
)
APPS_OF_AZURE = ("ContainerAppName_s", "ContainerAppName", "containerAppName", "AppRoleName", "cloud_RoleName")
RESOURCES_OF_AZURE = ("resourceId", "_ResourceId", "cloud.resource_id")
APPS_OF_HOSTS = (
    "fly.app.name",
    "cf_app_name",
    "cf.app.name",
    "heroku.app.name",
    "render.service.name",
    "railway.service.name",
)
"""Fly, Cloud Foundry, Heroku and the like."""

UNITS = ("_SYSTEMD_UNIT", "systemd.unit", "_systemd_unit", "systemd_unit", "__journal__systemd_unit")
USER_UNITS = ("_SYSTEMD_USER_UNIT", "systemd.user_unit", "__journal__systemd_user_unit")
IDENTIFIERS = ("SYSLOG_IDENTIFIER", "syslog_identifier", "_COMM")
LABELS_OF_LOKI = {
    "container": "kubernetes.container_name", "pod": "kubernetes.pod_name", "unit": "systemd.unit",
    "deployment": "kubernetes.deployment.name", "statefulset": "kubernetes.statefulset.name",
    "daemonset": "kubernetes.daemonset.name", "cronjob": "kubernetes.cronjob.name",
}  # fmt: skip
"""Short names that mean the source among a stream's labels. In a document they may mean anything."""

STRONG = (
    *RESOURCES, *WORKLOADS, *CONTAINERS, *LABELS, *FLAT_LABELS, *OWNERS, *PODS, *COMPOSE, *DOCKER_LABELS, *TASKS,
    *DOCKER_NAMES, *FUNCTIONS, *BESIDE, *TASKS_OF_NOMAD, *APPS_OF_AZURE, *RESOURCES_OF_AZURE, *APPS_OF_HOSTS,
    *UNITS, *USER_UNITS, *IDENTIFIERS,
)  # fmt: skip
"""Every name above but those of OWN."""

PROGRAMS = (
    "syslog.identifier", "log.syslog.appname", "syslog.appname", "appname", "programname", "program", "ident",
)  # fmt: skip
FILES = (
    "log.file.path",
    "log.file.name",
    "filename",
    "file.path",
    "file",
    "path",
    "source_file",
    "filepath",
    "file_path",
    "tag",
    "fluentd_tag",
    "@log_name",
    "logName",
)
MODULES = ("event.module", "event.dataset", "data_stream.dataset")
NO_NAMES = frozenset(
    {"-", "generic", "java", "node", "none", "null", "python", "ruby", "service_undefined", "undefined", "unknown"}
)
GENERAL_JOBS = frozenset(
    {"alloy", "containerlogs", "default", "docker", "fluent-bit", "fluentbit", "journal", "kubernetes-pods", "logs",
     "promtail", "syslog", "systemd-journal", "varlogs", "vector"}
)  # fmt: skip
