"""Services by the unit of systemd, by the file, and by the index that a record comes from."""

from __future__ import annotations

import re

from integrations.inbound.sources.kubernetes import is_general, pod_and_container_of_file, workload_of_pod

_SESSION = re.compile(r"(?:user|session|getty|docker|containerd|podman|init)(?:[@-].*)?")
_GENERAL_FILES = frozenset(
    {
        "access", "all", "application", "app", "auth", "catalina", "combined", "console", "current", "daemon", "debug",
        "default", "err", "error", "errors", "info", "json", "kern", "log", "logs", "main", "messages", "out", "output",
        "production", "development", "server", "service", "stderr", "stdout", "syslog", "system", "warn",
    }
)  # fmt: skip
_GENERAL_FOLDERS = frozenset(
    {"", "containers", "current", "data", "home", "log", "logs", "opt", "pods", "shared", "srv", "tmp", "usr", "var"}
)
_LOG_OF_GOOGLE = re.compile(r"projects/[^/]+/logs/(?P<log>[^/]+)")
_LOG_FILE = re.compile(
    r"^/var/log/|^projects/[^/]+/logs/|\.(?:log|out|err)(?:[.-][\w.-]*)?$|[\\/]logs[\\/][^\\/]+\.\w+$"
)
_ENDING = re.compile(r"(?:[.-]\d{4}-?\d\d-?\d\d|\.\d{1,3}|\.(?:log|txt|json|out|err|gz))+$")
_DATE_OF_INDEX = re.compile(r"[-_.]\d{4}[.-]\d\d(?:[.-]\d\d)?(?:-\d{6})?$|-\d{6}$")
_DATA_STREAM = re.compile(r"logs-(?P<dataset>[^-]+)-[^-]+")


def service_of_unit(unit: str) -> str | None:
    """Return the service of a unit: `nginx.service` is `nginx`, `worker@3.service` is `worker`. None for sessions."""
    name, _, kind = unit.strip().rpartition(".")
    if kind != "service" or _SESSION.fullmatch(name):
        return None
    return name.partition("@")[0] or None


def is_log_file(path: str) -> bool:
    """Whether a text is the path of a log file: `path` and `file` may as well be of a request or of source code."""
    return _LOG_FILE.search(path) is not None


def service_of_file(path: str) -> str | None:
    """Return the service of a log file: by Kubernetes' names, else by the file, or by its folder if that says more."""
    running = pod_and_container_of_file(path)
    if running is not None:
        pod, container = running
        return workload_of_pod(pod) if is_general(container) else container
    google = _LOG_OF_GOOGLE.fullmatch(path)
    if google is not None:
        return None if google["log"].lower() in _GENERAL_FILES or "%2F" in google["log"] else google["log"]
    *folders, file = path.replace("\\", "/").split("/")
    name = _ENDING.sub("", file)
    if name and name.lower() not in _GENERAL_FILES and any(map(str.isalpha, name)):
        return name
    folder = next((folder for folder in reversed(folders) if folder.lower() not in _GENERAL_FOLDERS), None)
    return folder if folder and not folder.endswith(":") else None


def service_of_index(index: str) -> str:
    """Return an index's name without its date, which would make a new service of every day."""
    name = _DATE_OF_INDEX.sub("", index.removeprefix(".ds-")) or index
    found = _DATA_STREAM.fullmatch(name)
    return found["dataset"] if found and found["dataset"] != "generic" else name
