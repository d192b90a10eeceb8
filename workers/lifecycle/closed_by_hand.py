"""Follow what a person closed although it was broken still: its message says so until it is back to usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage import incidents
from storage.cursors import read_cursor, save_cursor
from storage.database.rows import hold
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh
from workers.troubles import Troubles
from workers.watching.still_broken import closed_by_hand

LOOK_EVERY_SECONDS = 30.0

_CURSOR = "closed_by_hand"


@dataclass(frozen=True, slots=True)
class _Looked:
    """When this was last looked at, and which incidents were broken still."""

    at: float = 0.0
    broken: frozenset[int] = frozenset()


def follow_closed_by_hand(services: Services, troubles: Troubles, now: datetime) -> None:
    """Have the message of each incident edited that a person closed, when it turns out broken still or recovered."""
    with services.readers() as session:
        last = read_cursor(session, _CURSOR, _looked) or _Looked()
        if now.timestamp() - last.at < LOOK_EVERY_SECONDS:
            return
        broken = frozenset(one.incident_id for one in closed_by_hand(services, session, now))
    told = set(last.broken)
    for incident_id in sorted(broken ^ last.broken):
        with troubles.apart(f"showing whether incident #{incident_id} is broken still"):
            _show(services, incident_id, is_broken=incident_id in broken, now=now)
            told ^= {incident_id}
    with services.sessions.begin() as session:
        save_cursor(session, _CURSOR, {"looked_at": now.timestamp(), "broken": sorted(told)}, now=now)


def _show(services: Services, incident_id: int, *, is_broken: bool, now: datetime) -> None:
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        hold(session, incident)
        if not incident.status.is_closed:
            return
        if not is_broken:
            text = "Back to usual, or no longer measured, after it was closed by hand."
            incidents.add_timeline(
                session, incident_id, kind="back_to_usual", actor=incidents.ARGUX, text=text, now=now
            )
        enqueue_refresh(session, incident_id, key=f"by_hand:{incident_id}:{now.timestamp()}", now=now)


def _looked(position: Mapping[str, Any]) -> _Looked:
    return _Looked(float(position["looked_at"]), frozenset(int(number) for number in position["broken"]))
