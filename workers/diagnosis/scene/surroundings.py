"""Read what went on around the services at the time: where they ran, what the platform and the providers said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from detection.types import OrchestratorEvent, ProviderStatus, ServicePlace
from storage import models
from storage.surroundings.orchestrator import events_between
from storage.surroundings.provider_statuses import statuses_between
from storage.surroundings.service_map import places_known
from workers.diagnosis.scene.asking import Reader, utc
from workers.diagnosis.source_states import Source, SourceState
from workers.watching.status_feeds import feed_state

EVENTS_SECONDS = 2 * 3600.0
STATUS_SECONDS = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the parts ran, what the orchestrator did, and what the providers' status pages say."""

    places: tuple[ServicePlace, ...]
    events: tuple[OrchestratorEvent, ...]
    statuses: tuple[ProviderStatus, ...]


def read_surroundings(reader: Reader, *, since: float, onset: float, until: float) -> Surroundings:
    """Return what is known of the time; places are those since `since`."""
    places = reader.stored(
        "nodes", lambda session: places_known(session, utc(since), utc(until + 1)), models.ServicePlace
    )
    events = reader.stored(
        "orchestrator events",
        lambda session: events_between(session, utc(onset - EVENTS_SECONDS), utc(until)),
        models.OrchestratorEvent,
    )
    statuses = _statuses(reader, utc(onset - STATUS_SECONDS), utc(until))
    return Surroundings(tuple(places), tuple(events), tuple(statuses))


def _statuses(reader: Reader, since: datetime, until: datetime) -> Sequence[ProviderStatus]:
    """Return what status pages say, and note those that cannot be read."""
    sources = reader.sources
    found = reader.stored(
        "status feeds",
        lambda session: statuses_between(session, since, until),
        None if sources.status_feeds else models.ProviderStatus,
    )
    with sources.sessions.begin() as session:
        states = [feed_state(session, provider) for provider in sources.status_feeds]
    reader.asked += [
        Source(f"the status page of {state.provider}", SourceState.FAILED, error=state.reason)
        for state in states
        if state.failures
    ]
    return found
