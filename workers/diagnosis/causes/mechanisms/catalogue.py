"""All mechanisms that the scene of an incident can show."""

from __future__ import annotations

from workers.diagnosis.causes.mechanisms import cache, new_error, retry_storm, saturation, slow_query
from workers.diagnosis.causes.suspicion import Finder, Suspicion
from workers.diagnosis.scene.model import Observed

FINDERS: tuple[Finder, ...] = (
    slow_query.suspects,
    new_error.suspects,
    retry_storm.suspects,
    cache.suspects,
    saturation.suspects,
)


def mechanisms(observed: Observed) -> tuple[Suspicion, ...]:
    """Return the mechanisms that the scene shows, kind by kind."""
    return tuple(suspicion for find in FINDERS for suspicion in find(observed))
