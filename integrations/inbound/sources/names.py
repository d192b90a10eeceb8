"""Name the service of a log record, from whatever its sender tells of the source.

The order is that of docs/connecting.md: what the application says of itself, then what the platform calls the workload,
then weak signs. Names that last are preferred to those of one pod, container or day. A logger is never a service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from integrations.inbound.sources import conventions as known
from integrations.inbound.sources.containers import app_of_azure, family_of_task, service_of_container
from integrations.inbound.sources.fields import Fields
from integrations.inbound.sources.kubernetes import is_general, workload_of_owner, workload_of_pod
from integrations.inbound.sources.units import is_log_file, service_of_file, service_of_unit

NAME_LIMIT = 200
UNKNOWN_SERVICE = "unknown_service"

_INSTANCE = re.compile(r"[\w.-]+/(?P<pod>[a-z0-9.-]+):(?P<container>[a-z0-9.-]+)")


def service_of(found: Mapping[str, object]) -> str | None:
    """Return the service that the application or its platform names, or None."""
    fields = Fields(found)
    name = _own(fields, known.OWN)
    if name is None and fields.has_any(known.STRONG):
        inner = [Fields(part) for resource in known.RESOURCES if (part := fields.mapping(resource))]
        ways = (_workload, _container, _unit)
        name = next((name for part in inner if (name := _own(part, known.OWN_OF_RESOURCE))), None)
        name = name or next((name for way in ways for part in [fields, *inner] if (name := way(part))), None)
        name = name or _own(fields, known.BESIDE)
    return _clipped(name)


def service_of_labels(labels: Mapping[str, object]) -> str | None:
    """Return the service that the labels of a Loki stream name, or None."""
    return service_of({known.LABELS_OF_LOKI.get(name, name): value for name, value in labels.items()})


def service_in_line(line: str) -> str | None:
    """Return the service that a line of JSON names, or None. To Loki, Fluent Bit sends whole records as lines."""
    if not line.startswith("{"):
        return None
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return service_of(found) if isinstance(found, dict) else None


def likely_service_of(found: Mapping[str, object]) -> str | None:
    """Return a service by weak signs, for where nothing better is known: program, log file, process or module."""
    fields = Fields(found)
    files = (service_of_file(path) for name in known.FILES if (path := fields.text(name)) and is_log_file(path))
    candidates = (
        fields.text(*known.PROGRAMS),
        next((name for name in files if name), None),
        fields.text("process.name", "process.executable.name"),
        _name_of_logger(found),
        (fields.text(*known.MODULES) or "").partition(".")[0],
    )
    return _clipped(next((name for name in candidates if name and _is_name(name)), None))


def likely_service_of_labels(labels: Mapping[str, object]) -> str | None:
    """Return a service by the weak signs among a Loki stream's labels: the job (`namespace/app`), or as above.

    `workload`, `name` and `component` are what Loki itself takes for the service; Alloy names a pod in `instance`.
    """
    fields = Fields(labels)
    job = (fields.text("job") or "").rpartition("/")[2]
    says_nothing = job.lower() in known.GENERAL_JOBS or job.startswith("loki.source.")
    own = (fields.text("workload", "name"), None if says_nothing else job, fields.text("component"))
    if name := next((name for name in own if name and _is_name(name)), None):
        return _clipped(name)
    running = _INSTANCE.fullmatch(fields.text("instance") or "")
    if running is not None:
        container = running["container"]
        return _clipped(workload_of_pod(running["pod"]) if is_general(container) else container)
    return likely_service_of(labels) or _clipped(job or None)


def _name_of_logger(found: Mapping[str, object]) -> str | None:
    """Return the name that bunyan and pino give each line of an application: it stands beside pid and hostname."""
    name = found.get("name")
    is_bunyan = isinstance(found.get("level"), int) and "pid" in found and "hostname" in found
    return name if is_bunyan and isinstance(name, str) else None


def _is_name(found: str) -> bool:
    """Whether somebody named it: SDKs write `unknown_service:node` where nobody did."""
    return not found.startswith(UNKNOWN_SERVICE) and found.lower() not in known.NO_NAMES


def _clipped(name: str | None) -> str | None:
    return None if name is None else name[:NAME_LIMIT].replace("\x00", "\ufffd")


def _own(fields: Fields, names: tuple[str, ...]) -> str | None:
    """What the application says of itself."""
    return next((found for name in names if (found := fields.text(name)) and _is_name(found)), None)


def _workload(fields: Fields) -> str | None:
    """What Kubernetes or ECS calls it; a container that is called `app` gives way to any other name."""
    stable = fields.text(*known.OTEL_WORKLOADS)
    if stable is not None:
        return stable
    container = fields.text(*known.CONTAINERS) or _label(fields, known.DOCKER_LABELS, known.TASK_CONTAINERS)
    if container is not None and not is_general(container):
        # Azure writes the pod's id before it.
        name = container if container.startswith("/") else container.rpartition("/")[2]
        return service_of_container(name) if name.startswith(("/", "ecs-")) else name
    owner, pod, task = fields.text(*known.OWNERS), fields.text(*known.PODS), fields.text(*known.TASKS)
    return (
        fields.text(*known.WORKLOADS)
        or fields.text(*known.FLAT_LABELS)
        or _label(fields, known.LABELS, known.LABEL_NAMES)
        or _label(fields, ("labels",), known.LABELS_OF_GOOGLE)
        or (workload_of_owner(owner) if owner else None)
        or (workload_of_pod(pod) if pod else None)
        or _compose(fields)
        or _docker_name(fields, lasting=True)
        or (family_of_task(task) if task else None)
        or container
    )


def _container(fields: Fields) -> str | None:
    resource = fields.text(*known.RESOURCES_OF_AZURE)
    platform = fields.text(*known.TASKS_OF_NOMAD, *known.APPS_OF_AZURE, *known.APPS_OF_HOSTS)
    platform = platform or (app_of_azure(resource) if resource else None)
    return platform or _compose(fields) or _docker_name(fields, lasting=False) or fields.text(*known.FUNCTIONS)


def _compose(fields: Fields) -> str | None:
    return fields.text(*known.COMPOSE) or _label(fields, known.DOCKER_LABELS, known.DOCKER_LABEL_NAMES)


def _docker_name(fields: Fields, *, lasting: bool) -> str | None:
    """Return the service of a container's name; with `lasting`, only one that says something."""
    name = fields.text(*known.DOCKER_NAMES)
    service = service_of_container(name) if name else None
    return None if service is not None and lasting and is_general(service) else service


def _unit(fields: Fields) -> str | None:
    units = (fields.text(*known.UNITS), fields.text(*known.USER_UNITS))
    return next((name for unit in units if unit and (name := service_of_unit(unit))), None) or fields.text(
        *known.IDENTIFIERS
    )


def _label(fields: Fields, objects: tuple[str, ...], names: tuple[str, ...]) -> str | None:
    """Return the first of these labels in the first of these objects that has one."""
    for name in objects:
        labels = fields.mapping(name)
        found = Fields(labels).text(*names) if labels else None
        if found is not None:
            return found
    return None
