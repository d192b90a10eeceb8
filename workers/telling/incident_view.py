"""An incident with its findings, diagnosis, proposal, approval, action and verification, for cards and answers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import Finding
from storage import diagnoses, incidents, proposals, verifications
from storage.models import Action, Approval, Diagnosis, Incident, Proposal, Verification


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident and the newest record of each later stage; None when the incident has not reached that stage.

    verification: that of the action; if the incident recovered by itself, the one without an action.
    """

    incident: Incident
    findings: tuple[Finding, ...]
    diagnosis: Diagnosis | None
    proposal: Proposal | None
    approval: Approval | None
    action: Action | None
    verification: Verification | None


def incident_view(session: Session, incident_id: int) -> IncidentView:
    """Read the view; raise NotFoundError if there is no such incident."""
    incident = incidents.shown_incident(session, incident_id)
    proposal = proposals.current_proposal(session, incident_id)
    approval = action = verification = None
    if proposal is not None:
        approval = session.scalars(select(Approval).where(Approval.proposal_id == proposal.id)).first()
        action = session.scalars(select(Action).where(Action.proposal_id == proposal.id)).first()
    if action is not None:
        verification = session.scalars(select(Verification).where(Verification.action_id == action.id)).first()
    return IncidentView(
        incident=incident,
        findings=tuple(incidents.to_finding(record) for record in incident.findings),
        diagnosis=diagnoses.latest_diagnosis(session, incident_id),
        proposal=proposal,
        approval=approval,
        action=action,
        verification=verifications.self_recovery_of(session, incident) or verification,
    )
