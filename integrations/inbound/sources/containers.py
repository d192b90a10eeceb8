"""Stable names of containers outside Kubernetes: Docker, Compose, Swarm, Nomad, and Amazon ECS."""

from __future__ import annotations

import re

from integrations.inbound.sources.kubernetes import is_general

_OF_ECS = re.compile(r"ecs-(?P<family>.+?)-\d+-(?P<container>.+?)-(?:[0-9a-f]{12,}|[0-9a-z]{18,})")
_RESOURCE_OF_AZURE = re.compile(
    r"(?i)/providers/(?:microsoft\.web/sites|microsoft\.app/(?:containerapps|jobs)|microsoft\.logic/workflows)/(?P<app>[^/]+)"
)
_OF_KUBELET = re.compile(r"k8s_(?P<container>[^_]+)_(?P<pod>[^_]+)_[^_]+_.*")
_OF_SWARM = re.compile(r"(?P<service>.+)\.\d+\.[a-z0-9]{25}")
_OF_NOMAD = re.compile(r"(?P<service>.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OF_RENAMED = re.compile(r"[0-9a-f]{12}_(?P<service>.+)")
_OF_RUN = re.compile(r"(?P<service>.+)[-_]run[-_][0-9a-f]{12}")
_OF_COMPOSE = re.compile(r"(?P<service>[^-_].*[-_].+)[-_]\d{1,3}")


def service_of_container(name: str) -> str | None:
    """Return the service of a container's name as Docker tells it, without what changes from one run to the next."""
    plain = name.strip().lstrip("/")
    if found := _OF_ECS.fullmatch(plain):
        return found["family"] if is_general(found["container"]) else found["container"]
    if found := _OF_KUBELET.fullmatch(plain):
        return found["container"]
    for form in (_OF_SWARM, _OF_NOMAD, _OF_RENAMED, _OF_RUN, _OF_COMPOSE):
        if found := form.fullmatch(plain):
            return found["service"]
    return plain or None


def family_of_task(definition: str) -> str:
    """Return the family of an ECS task definition: `till:12`, or its ARN `…:task-definition/till:12`."""
    return definition.rpartition("/")[2].partition(":")[0]


def app_of_azure(resource: str) -> str | None:
    """Return the app of a resource's id, `/subscriptions/…/providers/Microsoft.Web/sites/till`, or None."""
    found = _RESOURCE_OF_AZURE.search(resource)
    # Diagnostic logs write ids in capitals; names are the same in any case.
    return found["app"].lower() if found else None
