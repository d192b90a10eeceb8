"""Which services a change to the infrastructure is about: its own words name them, not the unit that was deployed."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from detection.types import ChangedFile
from workers.diagnosis.changes.paths import why_not_running
from workers.diagnosis.changes.text.patches import blocks_of

MOST_NAMED = 3
"""A hunk that names more services is about none of them in particular."""

_INFRASTRUCTURE = re.compile(
    r"(?:^|/)(?:terraform|tf|infra\w*|iam|polic(?:y|ies)|rbac|network[-_]?polic\w+|security[-_]?groups?|mesh|istio|"
    r"envoy|ingress|ansible|pulumi|cloudformation|cdk|kubernetes|k8s|gitops|vault)/|\.(?:tf|hcl)$",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"[A-Za-z][\w-]{3,}")


def services_configured(files: Sequence[ChangedFile], services: Collection[str]) -> frozenset[str]:
    """Return the services that the changed hunks of infrastructure code name, in whatever spelling of the name."""
    plain = {_plain(service): service for service in services if len(_plain(service)) > 3}
    found: set[str] = set()
    for block in blocks_of(files):
        if not _INFRASTRUCTURE.search(block.path) or why_not_running(block.path):
            continue
        words = {_plain(word) for text in (block.heading, *block.old, *block.new) for word in _IDENTIFIER.findall(text)}
        named = {plain[word] for word in words if word in plain}
        found |= named if len(named) <= MOST_NAMED else set()
    return frozenset(found)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
