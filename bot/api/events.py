"""The API of product events: list the newest, and count them by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.reception.scoping import senders_id
from bot.storable_text import Text
from storage.telemetry.rows.keys import events_without_keys

router = APIRouter(prefix="/events", tags=["Events"])


class EventOut(BaseModel):
    """One event as it is stored, personal data hidden where that is configured."""

    event_id: str
    event: str
    user_id: str
    timestamp: datetime
    properties: dict[str, Any]


class EventPage(BaseModel):
    """Some events, newest first; `next_offset` leads to those before them, and is null at the end."""

    events: list[EventOut]
    next_offset: int | None


class EventTypeOut(BaseModel):
    """A name of events, and how many of them are in the hot store."""

    event: str
    count: int
    first_at: datetime
    last_at: datetime


@router.get("", summary="List events")
def list_events(
    services: InjectedServices,
    operator: Operator,
    event: Annotated[Text | None, Query(description="Only events of this name.", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="How many to skip.")] = 0,
) -> EventPage:
    """Events of the hot store, newest first."""
    # Events that were stored before keys were left out may still hold one.
    found = events_without_keys(services.telemetry.recent_events(event=event, limit=limit + 1, offset=offset))
    events = [
        EventOut(
            event_id=senders_id(one.event_id),
            event=one.event,
            user_id=one.user_id,
            timestamp=datetime.fromtimestamp(one.happened_at, UTC),
            properties=dict(one.properties),
        )
        for one in found[:limit]
    ]
    return EventPage(events=events, next_offset=offset + limit if len(found) > limit else None)


@router.get("/types", summary="Count events by name")
def list_event_types(services: InjectedServices, operator: Operator) -> list[EventTypeOut]:
    """The names of events in the hot store, most frequent first."""
    return [
        EventTypeOut(
            event=found.event,
            count=found.count,
            first_at=datetime.fromtimestamp(found.first_at, UTC),
            last_at=datetime.fromtimestamp(found.last_at, UTC),
        )
        for found in services.telemetry.event_types()
    ]
