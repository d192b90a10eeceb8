"""Watched funnels: make, list, and read how they convert."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from bot.api.funnel_metrics import FunnelMetrics, measure
from bot.auth import Operator
from bot.dependencies import Wired
from storage import models
from storage.funnels import create_funnel, definition, get_funnel, list_funnels
from storage.telemetry.protocol import COARSE_SECONDS

router = APIRouter(prefix="/funnels", tags=["Funnels"])

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
FunnelId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class EventFilter(BaseModel):
    """Which events reach a step: this name, and every one of these properties."""

    model_config = ConfigDict(extra="forbid")

    event: Name
    properties: dict[str, str | int | float | bool] = Field(default_factory=dict, max_length=20)


class Step(BaseModel):
    """One step of a funnel."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    event_filter: EventFilter


class NewFunnel(BaseModel):
    """A funnel to watch: users who do the steps in this order within the window have converted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "Signup",
                "steps": [
                    {"name": "view", "event_filter": {"event": "page_view", "properties": {"page": "/signup"}}},
                    {"name": "sign up", "event_filter": {"event": "signed_up"}},
                ],
                "baseline_days": 7,
                "window_minutes": 30,
            }
        },
    )

    name: Name
    steps: list[Step] = Field(min_length=2, max_length=20)
    baseline_days: int = Field(7, ge=1, le=90, description="How many days of history are normal.")
    window_minutes: int = Field(30, ge=1, le=10_080, description="How long a user has for the whole funnel.")

    @field_validator("steps")
    @classmethod
    def _names_differ(cls, steps: list[Step]) -> list[Step]:
        names = [step.name for step in steps]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two steps are called {twice!r}; give each a name of its own")
        return steps


class FunnelOut(NewFunnel):
    """A watched funnel."""

    id: int
    created_at: datetime


def _shown(row: models.Funnel) -> FunnelOut:
    return FunnelOut(
        id=row.id,
        name=row.name,
        steps=[
            Step(name=step.name, event_filter=EventFilter(event=step.event, properties=step.properties))
            for step in definition(row).steps
        ],
        baseline_days=row.baseline_days,
        window_minutes=row.window_minutes,
        created_at=row.created_at,
    )


@router.post("", status_code=201, summary="Watch a funnel")
def create(services: Wired, operator: Operator, wanted: NewFunnel) -> FunnelOut:
    """Start to watch a funnel; it is filled from the events that are still in the hot store."""
    with services.sessions.begin() as session:
        row = create_funnel(
            session,
            name=wanted.name,
            steps=[{"name": step.name, **step.event_filter.model_dump()} for step in wanted.steps],
            baseline_days=wanted.baseline_days,
            window_minutes=wanted.window_minutes,
            now=services.clock(),
        )
        session.flush()
        return _shown(row)


@router.get("", summary="List funnels")
def list_all(services: Wired, operator: Operator) -> list[FunnelOut]:
    """Every watched funnel."""
    with services.readers() as session:
        return [_shown(row) for row in list_funnels(session)]


@router.get("/{funnel_id}", summary="Read a funnel")
def read(services: Wired, operator: Operator, funnel_id: FunnelId) -> FunnelOut:
    """One funnel."""
    with services.readers() as session:
        return _shown(get_funnel(session, funnel_id))


@router.get("/{funnel_id}/metrics", summary="How a funnel converts")
def metrics(
    services: Wired,
    operator: Operator,
    funnel_id: FunnelId,
    days: Annotated[int, Query(ge=1, le=35, description="Today and the days before it, in the team's time zone.")] = 7,
) -> FunnelMetrics:
    """Entries, how many reached each step, conversion and the median time to convert: over all, and day by day.

    Users count on the day of their first step. Those of the last window may still convert.
    """
    now = services.clock().astimezone(services.settings.timezone)
    first_day = now.date() - timedelta(days=days - 1)
    since = datetime.combine(first_day, datetime.min.time(), services.settings.timezone)
    with services.readers() as session:
        funnel = definition(get_funnel(session, funnel_id))
    series = services.telemetry.funnel_series(
        funnel_id, since=since.timestamp(), until=now.timestamp(), bucket_seconds=COARSE_SECONDS
    )
    dates = [first_day + timedelta(days=offset) for offset in range(days)]
    everyone = next((found for found in series if found.dimension is None), None)
    return measure(funnel, everyone, dates=dates, timezone=services.settings.timezone)
