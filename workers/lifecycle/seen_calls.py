"""Add to the service map who calls whom, where the spans of caller and callee came in different batches.

Services that export their own spans send them apart, so the door sees one side of a call only. What both sides are in
one batch, and what a client span says of its peer, the door writes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from detection.types import EdgeKind, ServiceEdge
from integrations.inbound.sources.names import UNKNOWN_SERVICE
from storage.cursors import read_cursor, save_cursor
from storage.surroundings.service_map import SPANS, record_edges
from workers.services import Services

LOOK_EVERY_SECONDS = 60.0
PARENTS_WITHIN_SECONDS = 900.0
_LONGEST_PAUSE_SECONDS = 3600.0
_LOOKED = "service_calls"


def record_calls(services: Services, now: datetime) -> None:
    """Record the calls among the spans that were there at the last look, at most every LOOK_EVERY_SECONDS."""
    with services.readers() as session:
        at, sequence, top = read_cursor(session, _LOOKED, _looked) or (0.0, 0, 0)
    seconds = now.timestamp()
    if 0 <= seconds - at < LOOK_EVERY_SECONDS:
        return
    # After a long pause only the newest spans count, so that few of PostgreSQL's partitions are read.
    since = max(min(at, seconds), seconds - _LONGEST_PAUSE_SECONDS) - PARENTS_WITHIN_SECONDS
    calls, newest = services.telemetry.calls_above(sequence, top, arrived_since=since)
    edges = [
        ServiceEdge(caller, callee, EdgeKind.CALLS, SPANS, seconds)
        for caller, callee in calls
        if not caller.startswith(UNKNOWN_SERVICE) and not callee.startswith(UNKNOWN_SERVICE)
    ]
    with services.sessions.begin() as session:
        record_edges(session, edges, now=now)
        save_cursor(session, _LOOKED, {"looked_at": seconds, "sequence": top, "top": newest}, now=now)


def _looked(position: Mapping[str, Any]) -> tuple[float, int, int]:
    return float(position["looked_at"]), int(position["sequence"]), int(position["top"])
