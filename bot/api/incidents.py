"""The API of incidents: list, read, change, and diagnose again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy.orm import Session

from bot.api.incident_models import IncidentOut, IncidentSummary, describe
from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.errors import ConflictError
from detection.types import IncidentStatus, Severity
from storage import audit, incidents, outbox
from storage.models import Incident
from workers.services import Services

router = APIRouter(prefix="/incidents", tags=["Incidents"])

IncidentId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class IncidentChange(BaseModel):
    """What to change: a status, a severity, or both."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"status": "acknowledged"}})

    status: IncidentStatus | None = None
    severity: Severity | None = None

    @model_validator(mode="after")
    def _require_a_change(self) -> IncidentChange:
        if self.status is None and self.severity is None:
            raise ValueError("give a status, a severity, or both")
        return self


class Queued(BaseModel):
    """The work will be done soon; the thread and GET /api/incidents/{id} show it."""

    incident: int
    queued: bool = True


@router.get("", summary="List incidents")
def list_all(
    services: InjectedServices,
    operator: Operator,
    status: Annotated[IncidentStatus | None, Query(description="Only those that stand so.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[IncidentSummary]:
    """Incidents, newest first."""
    with services.readers() as session:
        found = incidents.list_incidents(session, status=status, limit=limit)
        return [IncidentSummary.model_validate(row) for row in found]


@router.get("/{incident_id}", summary="Read an incident")
def read(services: InjectedServices, operator: Operator, incident_id: IncidentId) -> IncidentOut:
    """One incident with its findings, diagnosis, evidence, proposal, approval, verification and timeline."""
    with services.readers() as session:
        return describe(session, incident_id)


@router.patch("/{incident_id}", summary="Change an incident", responses={409: {"description": "It cannot go there."}})
def change(
    services: InjectedServices, operator: Operator, incident_id: IncidentId, wanted: IncidentChange
) -> IncidentOut:
    """Set its status or severity. 409 says which statuses can follow; the channel's message follows the change."""
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        changes = _apply(session, incident, wanted, actor=operator.name, now=now)
        if changes:
            _record(services, session, incident, changes, actor=operator.name, now=now)
    with services.readers() as session:
        return describe(session, incident_id)


def _apply(
    session: Session, incident: Incident, wanted: IncidentChange, *, actor: str, now: datetime
) -> dict[str, Any]:
    """Apply the wanted changes. Return what changed, as {field: [before, after]}."""
    changes: dict[str, Any] = {}
    if wanted.status is not None and wanted.status != incident.status:
        changes["status"] = [str(incident.status), str(wanted.status)]
        incidents.change_status(session, incident, wanted.status, actor=actor, now=now)
    if wanted.severity is not None and wanted.severity != incident.severity:
        changes["severity"] = [str(incident.severity), str(wanted.severity)]
        text = f"Severity changed from {incident.severity} to {wanted.severity}."
        incident.severity = wanted.severity
        incident.updated_at = now
        incidents.add_timeline(session, incident.id, kind="severity", actor=actor, text=text, now=now)
    return changes


def _record(
    services: Services, session: Session, incident: Incident, changes: dict[str, Any], *, actor: str, now: datetime
) -> None:
    """Enqueue a refresh of the incident's message, then append to the audit chain.

    The chain comes last, because other writers to it wait from then until the transaction ends.
    """
    key = f"refresh:api:{incident.id}:{now.isoformat()}"
    outbox.enqueue(session, "refresh_incident", {"incident_id": incident.id}, key=key, now=now)
    audit.append(
        session,
        key=services.audit_key,
        actor=actor,
        event="incident_changed",
        payload={"incident_id": incident.id, **changes},
        now=now,
    )


@router.post(
    "/{incident_id}/diagnose",
    status_code=202,
    summary="Diagnose an incident again",
    responses={409: {"description": "It is closed."}},
)
def diagnose(services: InjectedServices, operator: Operator, incident_id: IncidentId) -> Queued:
    """Have the five steps run again; the answer comes before the work."""
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        if incident.status.is_closed:
            raise ConflictError(
                f"Incident {incident.id} is closed ({incident.status}); only a live one can be diagnosed."
            )
        key = f"diagnose:api:{incident.id}:{now.isoformat()}"
        outbox.enqueue(session, "diagnose", {"incident_id": incident.id}, key=key, now=now)
        text = "Asked for a new diagnosis."
        incidents.add_timeline(session, incident.id, kind="diagnosis", actor=operator.name, text=text, now=now)
    return Queued(incident=incident_id)
