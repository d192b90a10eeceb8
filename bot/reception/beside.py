"""Store what telemetry says beside its records: an orchestrator's events, and edges and places of the service map.

Events are durable before the answer. The service map is told anew with every span: an edge is written at most every few
minutes, by itself, and a batch is not refused because the map could not be written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from detection.types import OrchestratorEvent, ServiceEdge, ServicePlace
from storage.database.patience import Patience, waiting_with
from storage.errors import DatabaseUnavailableError
from storage.surroundings import orchestrator, service_map
from storage.telemetry.rows.keys import text_without_keys
from workers.services import Services

log = structlog.get_logger()

WRITTEN_AGAIN_SECONDS = 300.0
REMEMBERED = 20_000
"""Edges and places that one process remembers to have written. Beyond that it begins anew."""

_MAP_PATIENCE_SECONDS = 0.5

Sight = ServiceEdge | ServicePlace


class Beside:
    """Stores what one web process is told beside records."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._written: dict[tuple[str, ...], float] = {}

    def due(self, told: Sequence[Any], *, now: float) -> list[Any]:
        """Return what must be stored: events, and the edges and places that were not written lately."""
        due = []
        for one in told:
            if not isinstance(one, Sight):
                due.append(one)
                continue
            key = _key(one)
            if now - self._written.get(key, -WRITTEN_AGAIN_SECONDS) >= WRITTEN_AGAIN_SECONDS:
                if len(self._written) >= REMEMBERED:
                    self._written.clear()
                self._written[key] = now
                due.append(one)
        return due

    def store(self, due: Sequence[Any]) -> None:
        """Store events, edges and places. Raises an error of the database for events only."""
        now = self._services.clock()
        events = [one for one in due if isinstance(one, OrchestratorEvent)]
        edges = [one for one in due if isinstance(one, ServiceEdge)]
        places = [one for one in due if isinstance(one, ServicePlace)]
        if edges or places:
            self._store_map(edges, places, now)
        if events:
            with self._services.sessions.begin() as session:
                orchestrator.record_events(session, [without_keys(event) for event in events], now=now)

    def _store_map(self, edges: Sequence[ServiceEdge], places: Sequence[ServicePlace], now: datetime) -> None:
        try:
            with waiting_with(Patience(_MAP_PATIENCE_SECONDS)), self._services.sessions.begin() as session:
                service_map.record_edges(session, edges, now=now)
                service_map.record_places(session, places, now=now)
        except (SQLAlchemyError, DatabaseUnavailableError) as error:
            log.warning("service_map_not_written", error=str(error), edges=len(edges), places=len(places))
            self._forget(edges)
            self._forget(places)

    def _forget(self, sights: Sequence[Sight]) -> None:
        for one in sights:
            self._written.pop(_key(one), None)


def without_keys(event: OrchestratorEvent) -> OrchestratorEvent:
    """Return the event without keys in its words: a probe's address may hold one."""
    return replace(event, message=text_without_keys(event.message))


def _key(one: Sight) -> tuple[str, ...]:
    if isinstance(one, ServiceEdge):
        return "edge", one.caller, one.callee, one.kind.value
    return "place", one.service, one.node
