"""The API of custom metrics: list them with state and forecasts, and manage their limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.storable_text import Text
from detection.metrics.forecasts import MetricLimit
from detection.metrics.standings import MetricState
from detection.statistics.crossing_forecasts import CrossingForecast
from storage.metric_limits import list_limits
from workers.rules.metric_limits import LONGEST_HORIZON_HOURS, drop_limit, set_limit
from workers.watching.metric_listing import WatchedMetric, watched_metrics
from workers.words.metrics import forecast_text

router = APIRouter(prefix="/metrics", tags=["Metrics"])

Name = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=150)]
LimitId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class ForecastOut(BaseModel):
    """When a limit will be met: most likely at crossing_at, by four in five between earliest and latest.

    A moment beyond the limit's horizon is null; probability is that of meeting it within the horizon.
    """

    limit: float
    above: bool
    probability: float
    crossing_at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    text: str = Field(description='Such as "in 3 h (2 h to 5 h, 92 % sure)".')


class MetricOut(BaseModel):
    """One series of a custom metric. With is_rate the values are what a counter rises by, a second."""

    service: str
    name: str
    attributes: str = Field(description='Which series it is, such as "device=sda1"; "other" holds the rest of many.')
    is_rate: bool
    state: MetricState
    latest: float | None = Field(description="The mean of the newest minute, or hour where it was silent since.")
    latest_at: datetime | None
    expected: float | None = Field(description="Usual at this hour of the week; null while that is not known.")
    expected_low: float | None
    expected_high: float | None
    forecasts: list[ForecastOut] = Field(description="Of the limits that it is on its way to.")


class MetricPage(BaseModel):
    """Some series; `next_offset` leads to those after them, and is null at the end."""

    metrics: list[MetricOut]
    next_offset: int | None


class NewLimit(BaseModel):
    """A level that a metric must not rise to, or not fall to where `above` is false."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "queue.depth", "service": "shop", "limit": 500}}
    )

    name: Name
    service: Name | None = Field(None, description="Null is every service that sends the metric.")
    limit: float = Field(allow_inf_nan=False, description="In the metric's own unit; of a counter, a second.")
    above: bool = True
    horizon_hours: float = Field(6.0, gt=0, le=LONGEST_HORIZON_HOURS, description="How far ahead to look.")


class LimitOut(NewLimit):
    """A limit that is watched."""

    id: int
    created_by: str
    created_at: datetime


@router.get("", summary="List custom metrics")
def list_metrics(
    services: InjectedServices,
    operator: Operator,
    service: Annotated[Text | None, Query(description="Only of this service.", max_length=200)] = None,
    name: Annotated[Text | None, Query(description="Only this metric.", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="How many to skip.")] = 0,
) -> MetricPage:
    """The series that are watched, by service, name and attributes: latest value, state, forecasts of their limits."""
    found = watched_metrics(services, service=service, name=name, limit=limit + 1, offset=offset)
    shown = [_metric_out(one) for one in found[:limit]]
    return MetricPage(metrics=shown, next_offset=offset + limit if len(found) > limit else None)


def _metric_out(one: WatchedMetric) -> MetricOut:
    standing = one.standing
    return MetricOut(
        service=one.name.service,
        name=one.name.name,
        attributes=one.name.attributes,
        is_rate=one.name.is_rate,
        state=standing.state,
        latest=standing.latest,
        latest_at=_as_datetime(standing.latest_at),
        expected=standing.expected,
        expected_low=standing.low,
        expected_high=standing.high,
        forecasts=[_forecast_out(limit, forecast, standing.latest_at or 0.0) for limit, forecast in one.forecasts],
    )


def _forecast_out(limit: MetricLimit, forecast: CrossingForecast, since: float) -> ForecastOut:
    return ForecastOut(
        limit=limit.threshold,
        above=limit.above,
        probability=forecast.probability,
        crossing_at=_as_datetime(forecast.median),
        earliest=_as_datetime(forecast.earliest),
        latest=_as_datetime(forecast.latest),
        text=forecast_text(
            earliest=forecast.earliest,
            likeliest=forecast.median,
            latest=forecast.latest,
            probability=forecast.probability,
            since=since,
        ),
    )


def _as_datetime(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


@router.post("/limits", status_code=201, summary="Watch a limit")
def add(services: InjectedServices, operator: Operator, wanted: NewLimit) -> LimitOut:
    """Watch a level that a metric must not reach; the same metric, service and direction again moves the limit."""
    row = set_limit(
        services,
        name=wanted.name,
        service=wanted.service,
        threshold=wanted.limit,
        above=wanted.above,
        horizon_hours=wanted.horizon_hours,
        actor=operator.name,
    )
    return LimitOut(**wanted.model_dump(), id=row.id, created_by=row.created_by, created_at=row.created_at)


@router.get("/limits", summary="List limits")
def list_all(services: InjectedServices, operator: Operator) -> list[LimitOut]:
    """The limits that people set; utilisation metrics of the semantic conventions have one of 1 without."""
    with services.readers() as session:
        rows = list_limits(session)
    return [
        LimitOut(
            id=row.id,
            name=row.name,
            service=row.service,
            limit=row.threshold,
            above=row.above,
            horizon_hours=row.horizon_hours,
            created_by=row.created_by,
            created_at=row.created_at,
        )
        for row in rows
    ]


@router.delete("/limits/{limit_id}", status_code=204, summary="Watch a limit no more")
def remove(services: InjectedServices, operator: Operator, limit_id: LimitId) -> Response:
    """Take a limit back; what it found stays on record."""
    drop_limit(services, limit_id, actor=operator.name)
    return Response(status_code=204)
