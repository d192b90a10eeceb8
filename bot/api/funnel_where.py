"""A free look at where a funnel converts differently in one stretch of time than in another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from bot.api.funnels import FunnelId
from bot.api.where_models import WhereOut, where_out
from bot.auth import Operator
from bot.dependencies import InjectedServices
from detection.funnels.cohorts import horizon
from detection.types import FunnelDefinition
from storage.funnels import definition, get_funnel
from storage.telemetry.protocol import COARSE_SECONDS
from workers.services import Services
from workers.words.attribution_details import WhereQuestion, where

router = APIRouter(prefix="/funnels", tags=["Funnels"])

LONGEST_BACK = timedelta(days=35)
"""For so long the cells of whole hours are kept."""

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
    waited = _horizon(services, funnel, now)
    ripe = now - timedelta(seconds=waited)
    end = min(_aware(until, "until") or ripe, ripe)
    start = _aware(since, "since") or end - timedelta(hours=1)
    past = _aware(against_since, "against_since") or start - timedelta(hours=services.settings.baseline_window_hours)
    _check(past, start, end, now)
    answer = where(
        services.telemetry,
        WhereQuestion(funnel_id, start.timestamp(), end.timestamp(), past.timestamp(), waited),
        now=now.timestamp(),
    )
    return FunnelWhere(
        funnel_id=funnel_id,
        since=start,
        until=end,
        against_since=past,
        horizon_seconds=waited,
        answer=where_out(answer) if answer is not None else None,
    )


def _horizon(services: Services, funnel: FunnelDefinition, now: datetime) -> float:
    """How long an entry is given to convert, as the detector gives it."""
    since = now.timestamp() - services.settings.baseline_window_hours * 3600
    series = services.telemetry.funnel_series(
        funnel.funnel_id, since=since, until=now.timestamp(), bucket_seconds=COARSE_SECONDS
    )
    if not series:
        return funnel.window_seconds
    return horizon(
        series[0], funnel.window_seconds, until=now.timestamp() - services.settings.recent_window_minutes * 60
    )


def _aware(moment: datetime | None, name: str) -> datetime | None:
    """The moment in UTC; a refusal where it has no zone, or lies where nothing was ever kept."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise _refused(name, moment, "give the time with its zone, such as 2026-02-07T12:00:00Z")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _refused(name, moment, f"must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    return moment.astimezone(UTC)


def _check(past: datetime, since: datetime, until: datetime, now: datetime) -> None:
    if since >= until:
        raise _refused("since", since, f"must lie before {until.isoformat()}, up to which entries had time to convert")
    if past >= since:
        raise _refused("against_since", past, f"must lie before since ({since.isoformat()})")
    if past < now - LONGEST_BACK - timedelta(hours=1):
        raise _refused("against_since", past, "lies more than 35 days back, for which nothing is kept")


def _refused(name: str, value: datetime, reason: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": ("query", name), "msg": reason, "input": str(value)}])
