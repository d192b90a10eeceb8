"""The service map: who depends on whom, seen in spans or declared, and on which node each service runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from detection import types
from storage.database.dropping import drop_old
from storage.database.locks import Lock, lock_exclusive
from storage.database.reading import readable
from storage.database.texts import clipped, moment
from storage.database.upserts import upsert
from storage.models import ServiceEdge, ServicePlace

SPANS, DECLARED = "spans", "declared"
_LONGEST_NAME = 200
_MOST_SERVICES = 500


def record_edges(session: Session, edges: Sequence[types.ServiceEdge], *, now: datetime) -> None:
    """Record that these edges were seen; of an edge told several times, the newest counts.

    An edge from a service to itself, or with an empty name, is left out. now: the seen_at of an edge from the future.
    """
    rows = [
        {
            "caller": clipped(edge.caller, _LONGEST_NAME),
            "callee": clipped(edge.callee, _LONGEST_NAME),
            "kind": edge.kind.value,
            "source": edge.source,
            "calls_per_second": edge.calls_per_second,
            "seen_at": min(moment(edge.seen_at), now),
        }
        for edge in edges
        if edge.caller and edge.callee and edge.caller != edge.callee
    ]
    upsert(session, ServiceEdge, rows, unique=["caller", "callee", "kind", "source"], newest="seen_at", keep=())


def replace_declared(session: Session, edges: Sequence[types.ServiceEdge], *, now: datetime) -> None:
    """Put these edges in place of all that were declared before."""
    lock_exclusive(session, Lock.SERVICE_MAP)
    session.execute(delete(ServiceEdge).where(ServiceEdge.source == DECLARED))
    record_edges(session, edges, now=now)


def record_places(session: Session, places: Sequence[types.ServicePlace], *, now: datetime) -> None:
    """Record that services were seen on nodes. now: the seen_at of a place from the future."""
    rows = [
        {
            "service": clipped(place.service, _LONGEST_NAME),
            "node": clipped(place.node, _LONGEST_NAME),
            "first_seen_at": min(moment(place.seen_at), now),
            "seen_at": min(moment(place.seen_at), now),
        }
        for place in sorted(places, key=lambda place: place.seen_at)
        if place.service and place.node
    ]
    upsert(session, ServicePlace, rows, unique=["service", "node"], newest="seen_at", keep=["first_seen_at"])


def edges_known(session: Session, since: datetime) -> list[types.ServiceEdge]:
    """Return the edges seen at or after `since`, and all declared ones, in the order of their names."""
    query = select(ServiceEdge).where(or_(ServiceEdge.seen_at >= since, ServiceEdge.source == DECLARED))
    in_order = query.order_by(ServiceEdge.caller, ServiceEdge.callee, ServiceEdge.kind, ServiceEdge.source)
    return [_edge(row) for row in readable(session, in_order, _edge)]


def edges_below(session: Session, callers: Collection[str], since: datetime, *, steps: int) -> list[types.ServiceEdge]:
    """Return the edges seen at or after `since`, and declared ones, that lead away from these services.

    steps: how many calls one after the other are followed; each is one query. A very wide map is cut off.
    """
    found: list[types.ServiceEdge] = []
    known, next_callers = set(callers), sorted(callers)
    for _ in range(steps):
        if not next_callers or len(known) > _MOST_SERVICES:
            break
        query = select(ServiceEdge).where(
            ServiceEdge.caller.in_(next_callers[:_MOST_SERVICES]),
            or_(ServiceEdge.seen_at >= since, ServiceEdge.source == DECLARED),
        )
        edges = [_edge(row) for row in readable(session, query.order_by(ServiceEdge.caller, ServiceEdge.callee), _edge)]
        found += edges
        next_callers = sorted({edge.callee for edge in edges} - known)
        known.update(next_callers)
    return found


def places_known(session: Session, since: datetime, until: datetime) -> list[types.ServicePlace]:
    """Return where services ran between `since` and `until`, in the order of their names.

    Only the first and the last sight are stored: a service that was on a node before and after counts as there.
    """
    query = select(ServicePlace).where(ServicePlace.seen_at >= since, ServicePlace.first_seen_at < until)
    rows = readable(session, query.order_by(ServicePlace.service, ServicePlace.node))
    return [types.ServicePlace(row.service, row.node, min(row.seen_at, until).timestamp()) for row in rows]


def drop_old_edges(session: Session, *, now: datetime) -> int:
    """Delete some edges not seen for long; return how many. Declared ones stay until they are replaced."""
    return drop_old(session, ServiceEdge, ServiceEdge.seen_at, now=now, only=ServiceEdge.source != DECLARED)


def drop_old_places(session: Session, *, now: datetime) -> int:
    """Delete some places not seen for long; return how many."""
    return drop_old(session, ServicePlace, ServicePlace.seen_at, now=now)


def _edge(row: ServiceEdge) -> types.ServiceEdge:
    return types.ServiceEdge(
        caller=row.caller,
        callee=row.callee,
        kind=types.EdgeKind(row.kind),
        source=row.source,
        seen_at=row.seen_at.timestamp(),
        calls_per_second=row.calls_per_second,
    )
