"""The API of maintenance windows, in which incidents are recorded but no message is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.errors import ConflictError, MalformedError
from bot.storable_text import Text
from storage import maintenance
from storage.models import MaintenanceWindow
from workers.errors import RefusedError, told_plainly
from workers.rules.local_times import NotATimeError, local_instant
from workers.rules.maintenance import EVERYTHING, LONGEST, WindowError, end_window, start_window
from workers.services import Services

router = APIRouter(prefix="/maintenance", tags=["Maintenance"])

WindowId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class NewWindow(BaseModel):
    """A window from begins_at (or now) to ends_at, or `minutes` long. Times without a zone are the team's."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"service": "shop", "minutes": 120, "reason": "new database"}}
    )

    service: Text | None = Field(
        None,
        min_length=1,
        max_length=200,
        description='A service or a funnel, by its name; null or "everything".',
    )
    begins_at: datetime | None = Field(None, description="Now, where it is left out.")
    ends_at: datetime | None = None
    minutes: float | None = Field(None, gt=0, le=LONGEST / timedelta(minutes=1))
    reason: Text = Field("", max_length=500)

    @field_validator("service")
    @classmethod
    def _everything_as_none(cls, service: str | None) -> str | None:
        return None if service is not None and service.strip().lower() == EVERYTHING else service


class WindowOut(BaseModel):
    """A maintenance window; `service` null is everything, `ended_by` who ended it before its time."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    service: str | None
    begins_at: datetime
    ends_at: datetime
    reason: str
    made_by: str
    created_at: datetime
    ended_by: str | None
    running: bool = False


@router.post("", status_code=201, summary="Start a maintenance window, now or later")
def start(services: InjectedServices, operator: Operator, wanted: NewWindow) -> WindowOut:
    """Record incidents and tell nobody, from its beginning to its end; what still goes on then is told then."""
    now = services.clock()
    begins_at = _local_instant(services, wanted.begins_at, "begins_at") or now
    ends_at = _local_instant(services, wanted.ends_at, "ends_at")
    if (ends_at is None) == (wanted.minutes is None):
        raise MalformedError("Give either ends_at or minutes.", field="ends_at")
    if ends_at is None:
        assert wanted.minutes is not None
        ends_at = begins_at + timedelta(minutes=wanted.minutes)
    try:
        with services.sessions.begin() as session:
            window = start_window(
                services,
                session,
                service=wanted.service,
                begins_at=begins_at,
                ends_at=ends_at,
                reason=wanted.reason,
                actor=operator.name,
                now=now,
            )
            return _window_out(window, now)
    except WindowError as error:
        raise MalformedError(str(error), field=error.field) from error


@router.get("", summary="List maintenance windows")
def list_all(
    services: InjectedServices,
    operator: Operator,
    past: Annotated[bool, Query(description="Those that are over, too.")] = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[WindowOut]:
    """Those that run or are to come, by their beginning; with `past` all, the last to begin first."""
    now = services.clock()
    with services.readers() as session:
        found = maintenance.latest_windows(session, limit=limit) if past else maintenance.windows_not_over(session, now)
        return [_window_out(window, now) for window in found[:limit]]


@router.delete("/{window_id}", summary="End a maintenance window", responses={409: {"description": "It is over."}})
def end(services: InjectedServices, operator: Operator, window_id: WindowId) -> WindowOut:
    """End a window that runs, or call one off that is to come; what it kept quiet and still goes on is told now."""
    now = services.clock()
    try:
        with services.sessions.begin() as session:
            return _window_out(end_window(services, session, window_id, actor=operator.name, now=now), now)
    except RefusedError as error:
        raise ConflictError(told_plainly(error)) from error


def _local_instant(services: Services, written: datetime | None, field: str) -> datetime | None:
    try:
        return local_instant(written, services.settings.timezone) if written is not None else None
    except NotATimeError as error:
        raise MalformedError(str(error), field=field) from error


def _window_out(window: MaintenanceWindow, now: datetime) -> WindowOut:
    shown = WindowOut.model_validate(window)
    return shown.model_copy(update={"running": window.begins_at <= now < window.ends_at})
