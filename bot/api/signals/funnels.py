"""The API of watched funnels: create, list, change and remove them, and read how they convert."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from sqlalchemy.orm import Session

from bot.api.auditing import record
from bot.api.signals.funnel_metrics import FunnelMetrics, measure
from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.errors import ConflictError, MalformedError
from bot.experiments import not_counted
from bot.storable_text import PropertyValue, Text
from storage import models
from storage.database.locks import Lock, lock_exclusive
from storage.funnels import create_funnel, definition, get_funnel, list_funnels, remove_funnel
from storage.telemetry.protocol import COARSE_SECONDS

router = APIRouter(prefix="/funnels", tags=["Funnels"])


def _three_letters(code: str) -> str:
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise ValueError("give the three letters of an ISO 4217 code, such as EUR")
    return code


Name = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
FunnelId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Value = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
Currency = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True),
    AfterValidator(_three_letters),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{3}$"}),
]
Days = Annotated[int, Query(ge=1, le=35, description="Today and the days before it, in the team's time zone.")]

VALUE_NEEDS_CURRENCY = "give value_per_conversion and currency together, such as 48.5 and EUR"


class EventFilter(BaseModel):
    """Which events reach a step: this name, and every one of these properties."""

    model_config = ConfigDict(extra="forbid")

    event: Name
    properties: dict[Text, PropertyValue] = Field(default_factory=dict, max_length=20)


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
                "value_per_conversion": 48.5,
                "currency": "EUR",
            }
        },
    )

    name: Name
    steps: list[Step] = Field(min_length=2, max_length=20)
    baseline_days: int = Field(7, ge=1, le=90, description="How many days of history are normal.")
    window_minutes: int = Field(30, ge=1, le=10_080, description="How long a user has for the whole funnel.")
    value_per_conversion: Value | None = Field(None, description="What one conversion is worth, in `currency`.")
    currency: Currency | None = Field(None, description="An ISO 4217 code; needed with value_per_conversion.")

    @field_validator("steps")
    @classmethod
    def _names_differ(cls, steps: list[Step]) -> list[Step]:
        names = [step.name for step in steps]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two steps are called {twice!r}; give each a name of its own")
        return steps

    @model_validator(mode="after")
    def _value_has_a_currency(self) -> NewFunnel:
        if (self.value_per_conversion is None) != (self.currency is None):
            raise ValueError(VALUE_NEEDS_CURRENCY)
        return self


class FunnelChange(BaseModel):
    """What to change of a funnel. Its steps and window stay: what was counted would no longer fit them."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"value_per_conversion": 48.5, "currency": "EUR"}}
    )

    name: Name | None = None
    baseline_days: int | None = Field(None, ge=1, le=90)
    value_per_conversion: Value | None = Field(None, description="null forgets it, and the currency with it.")
    currency: Currency | None = None

    @model_validator(mode="after")
    def _require_a_change(self) -> FunnelChange:
        if not self.model_fields_set:
            raise ValueError("give a name, baseline_days, or value_per_conversion with its currency")
        empty = [
            name for name in ("name", "baseline_days") if name in self.model_fields_set and not getattr(self, name)
        ]
        if empty:
            raise ValueError(f"{empty[0]} cannot be null; leave it out to keep it")
        return self


class FunnelOut(NewFunnel):
    """A watched funnel."""

    id: int
    created_at: datetime


def _funnel_out(row: models.Funnel) -> FunnelOut:
    return FunnelOut(
        id=row.id,
        name=row.name,
        steps=[
            Step(name=step.name, event_filter=EventFilter(event=step.event, properties=step.properties))
            for step in definition(row).steps
        ],
        baseline_days=row.baseline_days,
        window_minutes=row.window_minutes,
        value_per_conversion=row.value_per_conversion,
        currency=row.currency,
        created_at=row.created_at,
    )


def _require_free_name(session: Session, name: str, *, besides: int | None = None) -> None:
    """Raise ConflictError if another watched funnel has this name: nobody could tell the two apart in a message."""
    lock_exclusive(session, Lock.FUNNEL_NAMES)
    taken = next(
        (row for row in list_funnels(session) if row.name.casefold() == name.casefold() and row.id != besides), None
    )
    if taken is not None:
        raise ConflictError(
            f"Funnel {taken.id} is called {taken.name!r} already. Choose another name, change that one by PATCH "
            f"/api/funnels/{taken.id}, or remove it by DELETE /api/funnels/{taken.id}: its steps and its window cannot "
            "be changed.",
            field="name",
        )


@router.post("", status_code=201, summary="Watch a funnel")
def create(services: InjectedServices, operator: Operator, wanted: NewFunnel) -> FunnelOut:
    """Start to watch a funnel; it is filled from the events that are still in the hot store.

    A name that another watched funnel has is a 409 that says which.
    """
    with services.sessions.begin() as session:
        _require_free_name(session, wanted.name)
        row = create_funnel(
            session,
            name=wanted.name,
            steps=[{"name": step.name, **step.event_filter.model_dump()} for step in wanted.steps],
            baseline_days=wanted.baseline_days,
            window_minutes=wanted.window_minutes,
            value_per_conversion=wanted.value_per_conversion,
            currency=wanted.currency,
            now=services.clock(),
        )
        session.flush()
        record(services, session, operator, "funnel_created", funnel_id=row.id, **wanted.model_dump(mode="json"))
        return _funnel_out(row)


@router.get("", summary="List funnels")
def list_all(services: InjectedServices, operator: Operator) -> list[FunnelOut]:
    """Every watched funnel."""
    with services.readers() as session:
        return [_funnel_out(row) for row in list_funnels(session)]


@router.get("/{funnel_id}", summary="Read a funnel")
def read(services: InjectedServices, operator: Operator, funnel_id: FunnelId) -> FunnelOut:
    """One funnel."""
    with services.readers() as session:
        return _funnel_out(get_funnel(session, funnel_id))


@router.patch("/{funnel_id}", summary="Change a funnel")
def change(services: InjectedServices, operator: Operator, funnel_id: FunnelId, wanted: FunnelChange) -> FunnelOut:
    """Rename it, change how much history is normal, or say what a conversion is worth."""
    with services.sessions.begin() as session:
        row = get_funnel(session, funnel_id)
        if wanted.name is not None:
            _require_free_name(session, wanted.name, besides=funnel_id)
        for name in wanted.model_fields_set:
            setattr(row, name, getattr(wanted, name))
        if "value_per_conversion" in wanted.model_fields_set and wanted.value_per_conversion is None:
            row.currency = None
        if (row.value_per_conversion is None) != (row.currency is None):
            raise MalformedError(VALUE_NEEDS_CURRENCY, field="currency")
        changes = wanted.model_dump(mode="json", include=wanted.model_fields_set)
        record(services, session, operator, "funnel_changed", funnel_id=funnel_id, **changes)
        return _funnel_out(row)


@router.delete("/{funnel_id}", status_code=204, summary="Stop to watch a funnel")
def remove(services: InjectedServices, operator: Operator, funnel_id: FunnelId) -> None:
    """Forget the funnel and what was counted of it; its events and incidents stay."""
    with services.sessions.begin() as session:
        remove_funnel(session, funnel_id, now=services.clock())
        record(services, session, operator, "funnel_removed", funnel_id=funnel_id)


@router.get("/{funnel_id}/metrics", summary="How a funnel converts")
def metrics(
    services: InjectedServices,
    operator: Operator,
    funnel_id: FunnelId,
    days: Days = 7,
    dimension: Annotated[
        Text | None, Query(max_length=200, description="Also by the values of this one of SEGMENT_DIMENSIONS.")
    ] = None,
) -> FunnelMetrics:
    """Entries, how many reached each step, conversion and the time to convert: over all, day by day, by dimension.

    Users count on the day of their first step, however late their events arrive. Those of the last window may still
    convert.
    """
    counted = services.settings.segment_dimensions
    if dimension is not None and dimension not in counted:
        raise MalformedError(not_counted(dimension, counted), field="dimension")
    now = services.clock().astimezone(services.settings.timezone)
    first_day = now.date() - timedelta(days=days - 1)
    since = datetime.combine(first_day, datetime.min.time(), services.settings.timezone)
    with services.readers() as session:
        funnel = definition(get_funnel(session, funnel_id))
    return measure(
        funnel,
        services.telemetry.funnel_series(
            funnel_id, since=since.timestamp(), until=now.timestamp(), bucket_seconds=COARSE_SECONDS
        ),
        dates=[first_day + timedelta(days=offset) for offset in range(days)],
        timezone=services.settings.timezone,
        fewest=services.settings.min_sample_size,
        dimension=dimension,
    )
