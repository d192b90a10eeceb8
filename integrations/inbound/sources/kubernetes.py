"""Stable names of what runs on Kubernetes: a pod is replaced at every deploy, its workload is not.

How pods are named: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ and …/statefulset/
"""

from __future__ import annotations

import re

# Kubernetes generates names from these characters only, so that they form no words.
_RANDOM = "bcdfghjklmnpqrstvwxz2456789"
_OF_DEPLOYMENT = re.compile(
    rf"(?P<workload>.+)-(?=[a-z]*\d|[{_RANDOM}]{{8,10}}-)[0-9a-f{_RANDOM}]{{6,10}}-[{_RANDOM}]{{5}}"
)
_OF_REVISION = re.compile(rf"(?P<workload>.+)-\d{{5}}-deployment-[0-9a-f{_RANDOM}]{{6,10}}-[{_RANDOM}]{{5}}")
"""Knative's: the revision stands before its deployment."""

_OF_RELABELLED = re.compile(r"(?P<workload>.+)-(?=(?:[a-f]*\d){3})(?=\d*[a-f])[0-9a-f]{8,10}-[0-9a-z]{5}")
"""Some generate the last part from all letters. The set's hash must then look like one."""

_OF_CRON_JOB = re.compile(r"(?P<workload>.+)-\d{8,10}(?:-[0-9a-z]{5})?")
_WORDS = "dhcpd|httpd|https|lldpd|mqttd|ntpds|rpcbd|sftpd|snmpd|tftpd|vmctl|vsftp|xrdpd|kctrl"
"""Words that only look generated."""

_OF_DAEMON_SET = re.compile(rf"(?P<workload>.+)-(?!(?:{_WORDS})$)[{_RANDOM}]{{5}}")
_OF_STATEFUL_SET = re.compile(r"(?P<workload>.+)-\d{1,4}")
_OF_REPLICA_SET = re.compile(rf"(?P<workload>.+)-(?=.*\d)[0-9a-f{_RANDOM}]{{6,10}}")
_POD_FORMS = (_OF_REVISION, _OF_DEPLOYMENT, _OF_RELABELLED, _OF_CRON_JOB, _OF_DAEMON_SET, _OF_STATEFUL_SET)

_CONTAINER_FILE = re.compile(
    r"(?P<pod>[a-z0-9][a-z0-9.-]*)_(?P<namespace>[a-z0-9-]+)_(?P<container>[a-z0-9.-]+)-[0-9a-f]{64}(?:\.log|$)"
)
_POD_DIRECTORY = re.compile(
    r"/pods/(?P<namespace>[a-z0-9-]+)_(?P<pod>[a-z0-9.-]+)_[0-9a-f-]{32,36}/(?P<container>[a-z0-9.-]+)/"
)

_GENERAL_NAMES = frozenset(
    {"app", "application", "container", "default", "main", "pod", "server", "service", "user-container", "workload"}
)


def workload_of_pod(pod: str) -> str:
    """Return the name of what a pod belongs to: `till-7d9f8c6b5-x2x9z` belongs to `till`, `db-0` to `db`."""
    found = next((match for form in _POD_FORMS if (match := form.fullmatch(pod))), None)
    return found["workload"] if found else pod


def workload_of_owner(owner: str) -> str:
    """Return the name of a pod's owner, such as Vector's `ReplicaSet/till-7d9f8c6b5`, without the set's hash."""
    kind, separator, name = owner.rpartition("/")
    if separator and kind not in ("ReplicaSet", "Job"):
        return name
    found = _OF_REPLICA_SET.fullmatch(name) or _OF_CRON_JOB.fullmatch(name)
    return found["workload"] if found else name


def is_general(container: str) -> bool:
    """Whether a container's name says nothing: many pods call their only container `app` or `main`."""
    return container.lower() in _GENERAL_NAMES


def pod_and_container_of_file(path: str) -> tuple[str, str] | None:
    """Return (pod, container) of a log file of Kubernetes, or of an agent's tag or stream made of its name."""
    name = path.replace("\\", "/").rpartition("/")[2].rpartition("var.log.containers.")[2]
    found = _CONTAINER_FILE.search(name) or _POD_DIRECTORY.search(path)
    return (found["pod"], found["container"]) if found else None
