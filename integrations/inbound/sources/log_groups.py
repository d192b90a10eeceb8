"""The service of a CloudWatch log group and stream, by the names that AWS's own services give them."""

from __future__ import annotations

import re

from integrations.inbound.sources.kubernetes import is_general, pod_and_container_of_file, workload_of_pod

_STAGES = frozenset({"application", "dataplane", "dev", "development", "error", "general", "host", "log", "logs",
                     "performance", "postgresql", "prod", "production", "slowquery", "staging", "test"})  # fmt: skip
_RDS = re.compile(r"/aws/(?:rds|docdb|neptune)/(?:instance|cluster)/(?P<name>[^/]+)(?:/.*)?")
_BEANSTALK = re.compile(r"/aws/elasticbeanstalk/(?P<name>[^/]+)/.*")
_EKS = re.compile(r"/aws/eks/(?P<cluster>[^/]+)/cluster")
_INSIGHTS = re.compile(r"/aws/(?:ecs/)?containerinsights/(?P<cluster>[^/]+)/(?P<kind>[^/]+)")
_APP_RUNNER = re.compile(r"/aws/apprunner/(?P<name>[^/]+)/[0-9a-f]{32}/\w+")
_AT_THE_EDGE = re.compile(r"/aws/lambda/[a-z]{2}-[a-z]+-\d\.(?P<name>[^/]+)")
_GLUE = re.compile(r"/(?P<name>aws-glue)/.*")
_API_GATEWAY = re.compile(r"(?P<name>API-Gateway-Execution-Logs_[^/]+)/.*")
_TASK_STREAM = re.compile(r"[^/]+/(?P<container>[^/]+)/[0-9a-f]{32}")
_BATCH_STREAM = re.compile(r"(?P<job>[^/]+)/default/[0-9a-f-]{32,36}")
_CONTROL_PLANE = re.compile(r"(?P<part>kube-[a-z-]+|authenticator|cloud-controller-manager)-[0-9a-f]{8,}")


def service_of_group(group: str, stream: str = "") -> str | None:
    """Return the service of a log group, or None if neither it nor the stream names one."""
    if found := _INSIGHTS.fullmatch(group):
        return _of_insights(found["cluster"], found["kind"], stream)
    named = (_RDS, _BEANSTALK, _API_GATEWAY, _APP_RUNNER, _AT_THE_EDGE, _GLUE)
    if found := next((match for form in named if (match := form.fullmatch(group))), None):
        return found["name"]
    if found := _EKS.fullmatch(group):
        part = _CONTROL_PLANE.match(stream)
        return part["part"] if part else found["cluster"]
    if group == "/aws/batch/job" and (found := _BATCH_STREAM.fullmatch(stream)):
        return found["job"]
    parts = [part for part in group.split("/") if part]
    lasting = [part for part in parts if part.lower() not in _STAGES and part not in ("aws", "ecs")]
    if not lasting and (found := _TASK_STREAM.fullmatch(stream)):
        return found["container"]
    return lasting[-1] if lasting else (parts[-1] if parts else None)


def _of_insights(cluster: str, kind: str, stream: str) -> str:
    """Container Insights: the stream names the pod's log file, with dots for slashes; else it is the cluster's own."""
    running = pod_and_container_of_file(stream)
    if running is not None:
        pod, container = running
        return workload_of_pod(pod) if is_general(container) else container
    return f"{cluster}-{kind}"
