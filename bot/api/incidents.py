"""The API of incidents: list, read, change, and diagnose again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from bot.api.auditing import record
from bot.api.models.incident_models import IncidentOut, IncidentSummary, describe
from bot.auth import Identity, Operator
from bot.dependencies import InjectedServices
from bot.errors import ConflictError
from bot.storable_text import Text
from detection.types import IncidentStatus, Severity
from integrations.wording import plain
from storage import incidents
from storage.database.reading import one_by_itself
from storage.models import Incident
from workers.errors import RefusedError, told_plainly
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh

if TYPE_CHECKING:
    from workers.watching.still_broken import Condition

router = APIRouter(prefix="/incidents", tags=["Incidents"])

IncidentId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class IncidentChange(BaseModel):
    """What to change: a status, a severity, or both. The rules are those of the buttons in chat."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"status": "acknowledged"}})

    status: IncidentStatus | None = None
    severity: Severity | None = None
    reason: Text = Field("", max_length=200, description="Why it is a false alarm; needed for that.")
    even_if_broken: bool = Field(False, description="Close it although it is measured as broken still.")

    @model_validator(mode="after")
    def _require_a_change(self) -> IncidentChange:
        if self.status is None and self.severity is None:
            raise ValueError("give a status, a severity, or both")
        if self.status is IncidentStatus.FALSE_ALARM and not self.reason.strip():
            raise ValueError("say in `reason` why it is a false alarm: the next person on call reads it")
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
        shown = []
        for row in incidents.list_incidents(session, status=status, limit=limit):
            with one_by_itself(f"listing incident #{row.id}"):
                shown.append(IncidentSummary.model_validate(row))
        return shown


@router.get("/{incident_id}", summary="Read an incident")
def read(services: InjectedServices, operator: Operator, incident_id: IncidentId) -> IncidentOut:
    """One incident with its findings, diagnosis, evidence, proposal, approval, verification and timeline."""
    with services.readers() as session:
        return describe(session, incident_id)


@router.get(
    "/{incident_id}/export",
    summary="Export an incident",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "A zip with one folder."}},
)
def export(services: InjectedServices, operator: Operator, incident_id: IncidentId) -> Response:
    """The incident as a zip of the folder that `argux investigate` reads: its alert, logs, metrics, traces, changes and
    surroundings, with the keys in them hidden.
    """
    # Imported at the first export, as at the first change.
    from bot.exporting.files import export_incident, folder_name, zipped

    name = folder_name(incident_id)
    content = zipped(export_incident(services, incident_id), name)
    disposition = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(content, media_type="application/zip", headers=disposition)


@router.patch("/{incident_id}", summary="Change an incident", responses={409: {"description": "It cannot go there."}})
def change(
    services: InjectedServices, operator: Operator, incident_id: IncidentId, wanted: IncidentChange
) -> IncidentOut:
    """Set its status or severity. 409 says which statuses can follow, or what is broken still; the channel's message
    follows the change. A closing although it is broken still needs `even_if_broken`.
    """
    # Imported at the first change, so that the detectors' libraries are not loaded into every web process.
    from workers.clicks.closing import broken_now

    broken = None
    if wanted.status is not None and wanted.status.is_closed:
        broken = broken_now(services, incident_id)
        if broken and not wanted.even_if_broken:
            raise ConflictError(
                f"{broken.heading}: {plain(broken.text)}. Send `even_if_broken: true` to close it all the same.",
                field="status",
            )
    try:
        with services.sessions.begin() as session:
            _apply(services, session, incidents.get_incident(session, incident_id), wanted, operator, broken)
    except RefusedError as error:
        raise ConflictError(told_plainly(error), field="status") from error
    with services.readers() as session:
        return describe(session, incident_id)


def _apply(
    services: Services,
    session: Session,
    incident: Incident,
    wanted: IncidentChange,
    operator: Identity,
    broken: Condition | None,
) -> None:
    """Apply the wanted changes. The audit chain comes last, because other writers to it wait from then on."""
    changes: dict[str, Any] = {}
    if wanted.severity is not None and wanted.severity != incident.severity:
        changes["severity"] = [str(incident.severity), str(wanted.severity)]
        _set_severity(session, incident, wanted.severity, operator, services.clock())
    if wanted.status is not None and wanted.status != incident.status:
        before = str(incident.status)
        if not _set_status(services, session, incident, wanted, operator, broken):
            changes["status"] = [before, str(wanted.status)]
    if changes:
        key = f"api:{incident.id}:{services.clock().isoformat()}"
        enqueue_refresh(session, incident.id, key=key, now=services.clock())
        record(services, session, operator, "incident_changed", incident_id=incident.id, **changes)


def _set_severity(session: Session, incident: Incident, severity: Severity, operator: Identity, now: datetime) -> None:
    text = f"Severity changed from {incident.severity} to {severity}."
    incident.severity = severity
    incident.updated_at = now
    incidents.add_timeline(session, incident.id, kind="severity", actor=operator.name, text=text, now=now)


def _set_status(
    services: Services,
    session: Session,
    incident: Incident,
    wanted: IncidentChange,
    operator: Identity,
    broken: Condition | None,
) -> bool:
    """Change the status by the rules of the buttons. Raise RefusedError where no button could.

    Return whether the change is in the audit chain already, as closings and reopenings are.
    """
    from workers.clicks.closing import close_by_hand, reopen_by_hand

    assert wanted.status is not None
    now, actor, user_id = services.clock(), operator.name, f"key:{operator.name}"
    if wanted.status is IncidentStatus.MITIGATING:
        raise RefusedError("Only the approval of a fix sets this status.")
    if broken is not None:
        close_by_hand(
            services,
            session,
            incident,
            wanted.status,
            actor=actor,
            user_id=user_id,
            broken=broken,
            reason=wanted.reason,
            now=now,
        )
        return True
    if incident.status is IncidentStatus.MITIGATING:
        raise RefusedError("A fix is under way; the thread says how it goes.")
    if wanted.status is IncidentStatus.OPEN and incident.status.is_closed:
        reopen_by_hand(services, session, incident, actor=actor, user_id=user_id, now=now)
        return True
    incidents.change_status(session, incident, wanted.status, actor=actor, now=now)
    return False


@router.post(
    "/{incident_id}/diagnose",
    status_code=202,
    summary="Diagnose an incident again",
    responses={409: {"description": "It is closed, is being diagnosed, or a fix is under way."}},
)
def diagnose(services: InjectedServices, operator: Operator, incident_id: IncidentId) -> Queued:
    """Have the five steps run again; the answer comes before the work."""
    from workers.diagnosis.job import diagnose_again

    try:
        with services.sessions.begin() as session:
            incident = incidents.get_incident(session, incident_id)
            diagnose_again(session, incident, actor=operator.name, now=services.clock())
            record(services, session, operator, "diagnose_again", incident_id=incident_id)
    except RefusedError as error:
        raise ConflictError(told_plainly(error)) from error
    return Queued(incident=incident_id)
