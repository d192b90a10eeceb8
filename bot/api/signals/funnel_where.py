"""The API of loss attribution: where a funnel converts differently in one time window than in another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from bot.api.models.where_models import WhereOut, where_out
from bot.api.signals.funnels import FunnelId
from bot.auth import Operator
from bot.dependencies import InjectedServices
from detection.funnels.cohorts import horizon
from detection.types import FunnelDefinition
from storage.funnels import definition, get_funnel
from storage.telemetry.protocol import COARSE_SECONDS
from workers.services import Services
from workers.watching.attribution_query import AttributionQuery, locate_loss

router = APIRouter(prefix="/funnels", tags=["Funnels"])

LONGEST_BACK = timedelta(days=35)
"""The retention of the hourly counts per combination of dimensions."""

FIRST_YEAR, LAST_YEAR = 2000, 2200

Moment = Annotated[datetime | None, Query(description="A time with its zone, such as 2026-02-07T12:00:00Z.")]


class FunnelWhere(BaseModel):
    """The entries in [since, until) against those in [against_since, since); null where too few entered to tell."""

    funnel_id: int
    since: datetime
    until: datetime
    against_since: datetime
    horizon_seconds: float
    answer: WhereOut | None


@router.get("/{funnel_id}/where", summary="Where a funnel converts differently")
def read_where(
    services: InjectedServices,
    operator: Operator,
    funnel_id: FunnelId,
    since: Moment = None,
    until: Moment = None,
    against_since: Moment = None,
) -> FunnelWhere:
    """Scan all combinations of up to three dimensions, with the mix of users set apart from how each kind converts.

    until: by default as late as entries have had time to convert; since: an hour before it; against_since: the baseline
    window before that. Stretches that begin within the last hours are read by half minutes, older ones by whole hours.
    """
    with services.readers() as session:
        funnel = definition(get_funnel(session, funnel_id))
    now = services.clock()
    horizon_seconds = _horizon_seconds(services, funnel, now)
    latest_end = now - timedelta(seconds=horizon_seconds)
    end = min(_as_utc(until, "until") or latest_end, latest_end)
    start = _as_utc(since, "since") or end - timedelta(hours=1)
    against_start = _as_utc(against_since, "against_since") or start - timedelta(
        hours=services.settings.baseline_window_hours
    )
    _check_windows(against_start, start, end, now)
    answer = locate_loss(
        services.telemetry,
        AttributionQuery(funnel_id, start.timestamp(), end.timestamp(), against_start.timestamp(), horizon_seconds),
        now=now.timestamp(),
    )
    return FunnelWhere(
        funnel_id=funnel_id,
        since=start,
        until=end,
        against_since=against_start,
        horizon_seconds=horizon_seconds,
        answer=where_out(answer) if answer is not None else None,
    )


def _horizon_seconds(services: Services, funnel: FunnelDefinition, now: datetime) -> float:
    """Return how long an entry may take to convert, in seconds, as the detector computes it."""
    since = now.timestamp() - services.settings.baseline_window_hours * 3600
    series = services.telemetry.funnel_series(
        funnel.funnel_id, since=since, until=now.timestamp(), bucket_seconds=COARSE_SECONDS
    )
    if not series:
        return funnel.window_seconds
    return horizon(
        series[0], funnel.window_seconds, until=now.timestamp() - services.settings.recent_window_minutes * 60
    )


def _as_utc(moment: datetime | None, name: str) -> datetime | None:
    """Return a time in UTC, or None. Raises RequestValidationError without a time zone or out of range."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise _field_error(name, moment, "give the time with its zone, such as 2026-02-07T12:00:00Z")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _field_error(name, moment, f"must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    return moment.astimezone(UTC)


def _check_windows(against_start: datetime, since: datetime, until: datetime, now: datetime) -> None:
    if since >= until:
        raise _field_error(
            "since", since, f"must lie before {until.isoformat()}, up to which entries had time to convert"
        )
    if against_start >= since:
        raise _field_error("against_since", against_start, f"must lie before since ({since.isoformat()})")
    if against_start < now - LONGEST_BACK - timedelta(hours=1):
        raise _field_error("against_since", against_start, "lies more than 35 days back, for which nothing is kept")


def _field_error(name: str, value: datetime, reason: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": ("query", name), "msg": reason, "input": str(value)}])
