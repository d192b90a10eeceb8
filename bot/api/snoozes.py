"""The API of snoozes: snooze an incident, and end its snooze."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from bot.api.models.incident_models import IncidentOut, describe
from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.errors import ConflictError
from storage import incidents
from workers.clicks.snooze import (
    BUTTON_MINUTES,
    LONGEST_MINUTES,
    SHORTEST_MINUTES,
    snooze_incident,
    unsnooze_incident,
)
from workers.errors import RefusedError, told_plainly

router = APIRouter(prefix="/incidents/{incident_id}/snooze", tags=["Incidents"])

IncidentId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Snooze(BaseModel):
    """How long from now on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"minutes": 60}})

    minutes: float = Field(BUTTON_MINUTES, ge=SHORTEST_MINUTES, le=LONGEST_MINUTES)


@router.post("", summary="Snooze an incident", responses={409: {"description": "It is closed, or snoozed already."}})
def snooze(services: InjectedServices, operator: Operator, incident_id: IncidentId, wanted: Snooze) -> IncidentOut:
    """Tell nobody of it for so long; it goes on being recorded, and is told once more if it still goes on then."""
    now = services.clock()
    try:
        with services.sessions.begin() as session:
            incident = incidents.get_incident(session, incident_id)
            snooze_incident(services, session, incident, minutes=wanted.minutes, actor=operator.name, now=now)
    except RefusedError as error:
        raise ConflictError(told_plainly(error)) from error
    with services.readers() as session:
        return describe(session, incident_id)


@router.delete("", summary="End an incident's snooze", responses={409: {"description": "It is not snoozed."}})
def unsnooze(services: InjectedServices, operator: Operator, incident_id: IncidentId) -> IncidentOut:
    """Let it be told again; what was kept back comes now."""
    now = services.clock()
    try:
        with services.sessions.begin() as session:
            incident = incidents.get_incident(session, incident_id)
            unsnooze_incident(services, session, incident, actor=operator.name, now=now)
    except RefusedError as error:
        raise ConflictError(told_plainly(error)) from error
    with services.readers() as session:
        return describe(session, incident_id)
