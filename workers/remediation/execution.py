"""Carries out an approved proposal, once, and begins the verification of what it did."""

from __future__ import annotations

from datetime import timedelta

from detection.types import IncidentStatus
from integrations.cards import Card, CardLink
from integrations.errors import PermanentError
from storage import audit, incidents, proposals, verifications
from workers.owing import changed, tell_thread
from workers.remediation.catalogue import RevertPullRequest
from workers.services import Services


def execute_proposal(services: Services, proposal_id: int) -> None:
    """Merge the approved head. Run again after a crash it finds the merge done and goes on from there."""
    with services.sessions.begin() as session:
        proposal = proposals.get_proposal(session, proposal_id)
        action = proposals.start_action(session, proposal, now=services.clock())
        if action.status != "running":
            return
        plan = RevertPullRequest.model_validate(proposal.parameters)
    try:
        merged = services.code_host.merge(plan.repository, plan.number, head_sha=plan.head_sha)
    except PermanentError as error:
        _failed(services, proposal_id, plan, error)
        return
    _done(services, proposal_id, plan, merged.merge_commit_sha)


def _done(services: Services, proposal_id: int, plan: RevertPullRequest, merge_commit_sha: str | None) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        proposal = proposals.get_proposal(session, proposal_id)
        action = proposals.start_action(session, proposal, now=now)
        proposals.finish_action(session, action, status="done", result={"merge_commit_sha": merge_commit_sha}, now=now)
        verifications.start_verification(
            session,
            incident_id=proposal.incident_id,
            action_id=action.id,
            deadline_at=now + timedelta(minutes=services.settings.verification_deadline_minutes),
            now=now,
        )
        audit.append(
            session,
            key=services.audit_key,
            actor="Argux",
            event="action_done",
            payload={"proposal_id": proposal_id, "merge_commit_sha": merge_commit_sha},
            now=now,
        )
        text = f"Merged pull request #{plan.number} as `{(merge_commit_sha or '')[:7]}`."
        incidents.add_timeline(session, proposal.incident_id, kind="action_done", actor="Argux", text=text, now=now)
        card = Card(
            title="Fix merged",
            text=f"{text} Waiting for {plan.service} to go live with it, then the same metrics are tested again.",
            links=(CardLink(f"Pull request #{plan.number}", plan.url),),
        )
        channel = services.settings.slack_channel
        tell_thread(session, proposal.incident_id, key=f"action:{action.id}", card=card, channel=channel, now=now)
        changed(session, proposal.incident_id, key=f"action:{action.id}", now=now)


def _failed(services: Services, proposal_id: int, plan: RevertPullRequest, error: PermanentError) -> None:
    """Nothing was merged: say why, and let the incident be open again."""
    now = services.clock()
    with services.sessions.begin() as session:
        proposal = proposals.get_proposal(session, proposal_id)
        action = proposals.start_action(session, proposal, now=now)
        proposals.finish_action(session, action, status="failed", result={"error": str(error)}, now=now)
        incident = incidents.get_incident(session, proposal.incident_id)
        if incident.status is IncidentStatus.MITIGATING:
            incidents.change_status(session, incident, IncidentStatus.OPEN, actor="Argux", now=now)
        audit.append(
            session,
            key=services.audit_key,
            actor="Argux",
            event="action_failed",
            payload={"proposal_id": proposal_id, "error": str(error)},
            now=now,
        )
        card = Card(
            title="The fix was not merged",
            text=f"{error}\nThe incident is open again. Look at the pull request, or run the diagnosis again.",
            links=(CardLink(f"Pull request #{plan.number}", plan.url),),
        )
        channel = services.settings.slack_channel
        tell_thread(session, proposal.incident_id, key=f"action:{action.id}", card=card, channel=channel, now=now)
        changed(session, proposal.incident_id, key=f"action:{action.id}", now=now)
