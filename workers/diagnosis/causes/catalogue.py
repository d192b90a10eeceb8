"""All kinds of cause that the scene of an incident can suggest, besides changes."""

from __future__ import annotations

from workers.diagnosis.causes.kinds import (
    bad_data,
    capacity,
    certificate,
    credential,
    known_incident,
    maintenance,
    network,
    node,
    nothing_wrong,
    scheduled_job,
    surge,
    surroundings,
    third_party,
    time_of_day,
)
from workers.diagnosis.causes.suspicion import Finder, Suspicion
from workers.diagnosis.scene.model import Observed

FINDERS: tuple[Finder, ...] = (
    third_party.suspects,
    certificate.suspects,
    credential.suspects,
    network.suspects,
    node.suspects,
    surroundings.suspects,
    maintenance.suspects,
    surge.suspects,
    capacity.suspects,
    bad_data.suspects,
    scheduled_job.suspects,
    time_of_day.suspects,
    known_incident.suspects,
    nothing_wrong.suspects,
)


def suspicions(observed: Observed) -> tuple[Suspicion, ...]:
    """Return what the scene suggests, kind by kind."""
    return tuple(suspicion for find in FINDERS for suspicion in find(observed))
