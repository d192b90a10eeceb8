"""The API of the service map: who depends on whom, and what runs where."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from bot.auth import Operator
from bot.dependencies import InjectedServices
from detection.types import EdgeKind
from storage.database.texts import moment
from storage.surroundings.service_map import edges_known, places_known

router = APIRouter(prefix="/service-map", tags=["Service map"])


class EdgeOut(BaseModel):
    """One service depends on another, or keeps its data there."""

    caller: str
    callee: str
    kind: EdgeKind
    source: str = Field(description="spans or declared.")
    seen_at: datetime


class PlaceOut(BaseModel):
    """A service runs on a node."""

    service: str
    node: str
    seen_at: datetime


class MapOut(BaseModel):
    """The whole map."""

    edges: list[EdgeOut]
    places: list[PlaceOut]


@router.get("", summary="Read the service map")
def read_service_map(
    services: InjectedServices,
    operator: Operator,
    hours: Annotated[int, Query(ge=1, le=840, description="Seen within these last hours.")] = 24,
) -> MapOut:
    """Edges and places that were seen lately, and all that is declared."""
    now = services.clock()
    since = now - timedelta(hours=hours)
    with services.readers() as session:
        edges = edges_known(session, since)
        places = places_known(session, since, now + timedelta(minutes=5))
    return MapOut(
        edges=[
            EdgeOut(
                caller=edge.caller,
                callee=edge.callee,
                kind=edge.kind,
                source=edge.source,
                seen_at=moment(edge.seen_at),
            )
            for edge in edges
        ],
        places=[PlaceOut(service=one.service, node=one.node, seen_at=moment(one.seen_at)) for one in places],
    )
