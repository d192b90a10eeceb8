"""Bound how many endpoints a service has, where its names hold words of users: /shops/anna, /shops/bert, …

Behind one beginning of a name the first MOST_BEHIND_ONE parts stand for themselves; every further one is counted as
`{name}`, and that endpoint is watched like any other. A name keeps its endpoint, so no history breaks off; it loses it
when it has not been seen for as long as buckets are kept.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from storage.telemetry.protocol import COARSE_SECONDS
from storage.telemetry.rollups.buckets import RETENTION_SECONDS
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.tables import endpoint_names

MOST_BEHIND_ONE = 100
MOST_OF_ONE_SERVICE = 5_000
FURTHER = "{name}"

_COLUMNS = ("service", "endpoint", "seen_at")
_PARTS = re.compile(r"[^/ ]+|[/ ]")
_NOTED_AGAIN_AFTER = 86_400.0
_SERVICES_PER_QUERY = 500


class EndpointNames:
    """The endpoints of some services, and which of them a request of any name is counted under."""

    def __init__(self, connection: Connection, services: Iterable[str]) -> None:
        self._connection = connection
        self._seen_at: dict[tuple[str, str], float] = {}
        self._behind: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._count: defaultdict[str, int] = defaultdict(int)
        wanted = sorted(set(services))
        columns = endpoint_names.c
        for first in range(0, len(wanted), _SERVICES_PER_QUERY):
            some = wanted[first : first + _SERVICES_PER_QUERY]
            query = select(columns.service, columns.endpoint, columns.seen_at).where(columns.service.in_(some))
            for service, endpoint, seen_at in connection.execute(query):
                self._seen_at[service, endpoint] = seen_at
                self._add(service, endpoint)

    def counted_as(self, requests: Sequence[tuple[str, str]], now: float) -> list[str]:
        """Return the endpoint of each request, (service, name), and note which endpoints were seen."""
        found: dict[tuple[str, str], str] = {}
        for key in requests:
            if key not in found:
                found[key] = key[1] if key in self._seen_at else self._admitted(*key)
                self._seen_at.setdefault((key[0], found[key]), -_NOTED_AGAIN_AFTER)
        seen = {(service, endpoint) for (service, _), endpoint in found.items()}
        stale = sorted(key for key in seen if self._seen_at[key] <= now - _NOTED_AGAIN_AFTER)
        put(self._connection, endpoint_names, _COLUMNS, [(*key, now) for key in stale])
        self._seen_at.update(dict.fromkeys(stale, now))
        return [found[key] for key in requests]

    def _admitted(self, service: str, name: str) -> str:
        if self._count[service] >= MOST_OF_ONE_SERVICE:
            return FURTHER
        endpoint = ""
        for part in _PARTS.findall(name):
            behind = self._behind[service, endpoint]
            is_kept = part in "/ " or part in behind or len(behind) < MOST_BEHIND_ONE
            endpoint += part if is_kept else FURTHER
        if (service, endpoint) not in self._seen_at:
            self._add(service, endpoint)
        return endpoint

    def _add(self, service: str, endpoint: str) -> None:
        self._count[service] += 1
        before = ""
        for part in _PARTS.findall(endpoint):
            if part not in ("/", " ", FURTHER):
                self._behind[service, before].add(part)
            before += part


def oldest_name_kept(now: float) -> float:
    """Return the moment, seconds, before which an endpoint must have been seen last to lose its place."""
    return now - RETENTION_SECONDS[COARSE_SECONDS] - _NOTED_AGAIN_AFTER
