"""Carry out an approved proposal, once, and start the verification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from integrations.cards import Card, CardLink
from integrations.errors import IntegrationError, PermanentError, RejectedError, RetryableError, WaitingError
from integrations.protocols import PullRequest
from integrations.text import Markup, code, lines, ours, theirs, words
from storage import audit, incidents, proposals, verifications
from storage.database.rows import hold
from storage.errors import NotApprovedError
from storage.models import Action, Incident, Proposal
from workers.errors import RefusedError
from workers.remediation import binding
from workers.remediation.catalogue import RevertPullRequest
from workers.remediation.merge_queue import NOT_QUEUED, leave_queue
from workers.remediation.waiting import LONGEST_WAIT, is_over, put_off, tell
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message

MERGE_REQUESTED = {"merge_asked": True}
"""Result of a running action, stored just before the merge request is sent: from then on it may be merged."""

QUEUED = {"in_queue": True}
"""Result of a running action whose pull request waits in the code host's merge queue."""

NOTHING_MERGED = "Argux merged nothing."
UNKNOWN_OUTCOME = "Whether it was merged is not known."


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged pull request. by_others: it was merged before Argux asked for it."""

    pull_request: PullRequest
    by_others: bool

    @property
    def result(self) -> dict[str, Any]:
        """The action's result to store; `merged_at` only when others merged."""
        result: dict[str, Any] = {"merge_commit_sha": self.pull_request.merge_commit_sha}
        if self.by_others and self.pull_request.merged_at is not None:
            result["merged_at"] = datetime.fromtimestamp(self.pull_request.merged_at, UTC).isoformat()
        return result

    @property
    def text(self) -> Markup:
        """The outcome as a sentence."""
        number, sha = self.pull_request.number, code((self.pull_request.merge_commit_sha or "")[:7])
        if self.by_others:
            return ours("Pull request #{number} was merged already, as {sha}.", number=number, sha=sha)
        return ours("Merged pull request #{number} as {sha}.", number=number, sha=sha)


def execute_proposal(services: Services, proposal_id: int) -> None:
    """Merge the approved head. Idempotent: run again after a crash, it finds the merge done and continues.

    What passes by itself is waited for until LONGEST_WAIT after the start, and the thread says what for.
    """
    try:
        with services.sessions.begin() as session:
            proposal = proposals.get_proposal(session, proposal_id)
            action = proposals.start_action(session, proposal, now=services.clock())
            if action.status != "running":
                return
            action_id, plan = action.id, RevertPullRequest.model_validate(proposal.parameters)
    except NotApprovedError as error:
        _refuse_unapproved(services, proposal_id, str(error))
        return
    try:
        merged = _merge(services, action_id, plan)
    except RetryableError as error:
        _wait(services, action_id, plan, error)
        return
    except (PermanentError, RefusedError, NotApprovedError) as error:
        _stop(services, action_id, plan, str(error))
        return
    _finish_done(services, proposal_id, plan, merged)


def _wait(services: Services, action_id: int, plan: RevertPullRequest, error: RetryableError) -> None:
    """Put the merge off and say what it waits for; after LONGEST_WAIT it has failed."""
    now = services.clock()
    with services.sessions.begin() as session:
        action = session.get_one(Action, action_id)
        since = action.started_at
        if isinstance(error, WaitingError) and not error.is_under_way:
            # GitHub has refused the request, so it is known not to be merged by it.
            action.result = {name: value for name, value in action.result.items() if name not in MERGE_REQUESTED}
        if isinstance(error, WaitingError) and error.is_under_way:
            action.result = {**action.result, **QUEUED}
        known = UNKNOWN_OUTCOME if _merge_was_requested(action) else NOTHING_MERGED
        proposal_id = action.proposal_id
        if not is_over(since, now):
            if isinstance(error, WaitingError) and action.result.get("waits_for") != error.waits_for:
                action.result = {**action.result, "waits_for": error.waits_for}
                enqueue_refresh(session, action.incident_id, key=f"waits:{action_id}:{now.timestamp()}", now=now)
            links = (CardLink(f"Pull request #{plan.number}", plan.url),)
            tell(
                services,
                session,
                action.incident_id,
                key=f"merge:{action_id}",
                title="The approved fix waits",
                error=error,
                since=since,
                links=links,
            )
    if is_over(since, now):
        minutes = LONGEST_WAIT.total_seconds() / 60
        reason = f"{error}. Argux has stopped after {minutes:.0f} minutes."
        if isinstance(error, WaitingError) and error.is_under_way:
            _stop(services, action_id, plan, f"{reason} {NOTHING_MERGED}")
        else:
            _finish_failed(services, proposal_id, plan, f"{reason} {known}")
        return
    raise put_off(error, since=since, now=now)


def _stop(services: Services, action_id: int, plan: RevertPullRequest, reason: str) -> None:
    """Fail the action, which must not merge any more. What waits in GitHub's merge queue is taken out of it first."""
    with services.readers() as session:
        action = session.get_one(Action, action_id)
        proposal_id, since, was_requested = action.proposal_id, action.started_at, _merge_was_requested(action)
        was_queued = bool(action.result.get("in_queue"))
    queue = leave_queue(services, plan, was_queued=was_queued) if was_requested else NOT_QUEUED
    if queue.error is not None and not is_over(since, services.clock()):
        _wait(services, action_id, plan, queue.error)
        return
    if was_requested and (merged := _merged_meanwhile(services, plan)) is not None:
        _finish_done(services, proposal_id, plan, merged)
        return
    said = " ".join([f"{reason.rstrip('.')}.", *queue.said]) if queue.said else reason
    _finish_failed(services, proposal_id, plan, said)


def _merged_meanwhile(services: Services, plan: RevertPullRequest) -> Merged | None:
    """Return the pull request if the merge that Argux asked for was done at the approved head after all."""
    try:
        found = services.code_host.pull_request(plan.repository, plan.number)
    except IntegrationError:
        return None
    is_done = found.state == "merged" and found.head_sha == plan.head_sha
    return Merged(found, by_others=False) if is_done else None


def _held(session: Session, proposal_id: int) -> tuple[Proposal, Incident]:
    """Return the proposal with its incident, which is locked first, as `storage.database.locks` has it."""
    proposal = proposals.get_proposal(session, proposal_id)
    incident = incidents.get_incident(session, proposal.incident_id)
    hold(session, incident)
    return proposal, incident


def _refuse_unapproved(services: Services, proposal_id: int, reason: str) -> None:
    """Carry nothing out, and say so in the thread and in the chain: what is stored is not what somebody approved."""
    now = services.clock()
    with services.sessions.begin() as session:
        proposal, incident = _held(session, proposal_id)
        proposal.status = "failed"
        if incident.status is IncidentStatus.MITIGATING:
            incidents.change_status(session, incident, IncidentStatus.OPEN, actor="Argux", now=now)
        text = ours(
            "{reason}. {unmerged} Find out who changed it, then press Diagnose again.",
            reason=reason.rstrip("."),
            unmerged=NOTHING_MERGED,
        )
        incidents.add_timeline(session, incident.id, kind="action_refused", actor="Argux", text=text, now=now)
        key = f"refused:{proposal_id}"
        channel = services.settings.slack_channel
        card = Card(title="The fix was not merged", text=text)
        enqueue_thread_message(session, incident.id, key=key, card=card, channel=channel, now=now, is_answer=True)
        enqueue_refresh(session, incident.id, key=key, now=now)
        audit.append(
            session,
            key=services.audit_key,
            actor="Argux",
            event="action_refused",
            payload={"proposal_id": proposal_id, "error": reason},
            now=now,
        )


def action_given_up(services: Services, proposal_id: int, reason: str) -> None:
    """Mark the action failed after its last retry and say so in the thread, so that nobody waits for it."""
    with services.sessions.begin() as session:
        action = session.scalars(select(Action).where(Action.proposal_id == proposal_id)).one_or_none()
        if action is None or action.status != "running":
            return
        plan = RevertPullRequest.model_validate(proposals.get_proposal(session, proposal_id).parameters)
        known = UNKNOWN_OUTCOME if _merge_was_requested(action) else NOTHING_MERGED
    _finish_failed(services, proposal_id, plan, f"{reason}. Argux has given up trying. {known}")


def _merge(services: Services, action_id: int, plan: RevertPullRequest) -> Merged:
    """Merge the pull request if it is still wanted, still approved, and still what was approved.

    A pull request that is merged already counts as merged, even if the incident was closed after an earlier request.
    """
    with services.readers() as session:
        action = session.get_one(Action, action_id)
        was_requested = _merge_was_requested(action)
        if not was_requested:
            _check_wanted(services, session, action)
    found = services.code_host.pull_request(plan.repository, plan.number)
    if found.state != "merged":
        _check_unmoved(services, plan, found)
        with services.sessions.begin() as session:
            action = session.get_one(Action, action_id, with_for_update=True)
            _check_wanted(services, session, action)
            action.result = {**action.result, **MERGE_REQUESTED}
    merged = services.code_host.merge(plan.repository, plan.number, head_sha=plan.head_sha)
    return Merged(merged, by_others=found.state == "merged" and not was_requested)


def _merge_was_requested(action: Action) -> bool:
    return bool(action.result.get("merge_asked"))


def _check_wanted(services: Services, session: Session, action: Action) -> None:
    """Raise unless the action runs, its incident is open, and its approval, vouched for by the chain, still counts."""
    incident = incidents.get_incident(session, action.incident_id)
    if incident.status.is_closed:
        raise RefusedError(f"The incident was closed by {incident.closed_by} before the merge; nothing was merged.")
    if action.status != "running":
        raise RefusedError(f"The fix is {action.status} already; nothing more was done.")
    approval = proposals.require_approval(session, proposals.get_proposal(session, action.proposal_id))
    fault = audit.approval_fault(session, approval, key=services.audit_key)
    if fault is not None:
        raise RefusedError(
            f"{NOTHING_MERGED} The reason: {fault}. Somebody has changed the database past Argux. "
            "`argux audit verify` says more."
        )
    if approval.decided_by_id not in services.settings.approver_ids:
        raise RefusedError(f"{approval.decided_by} approved this and may not approve fixes any more. {NOTHING_MERGED}")


def _check_unmoved(services: Services, plan: RevertPullRequest, found: PullRequest) -> None:
    """Raise unless the open pull request is what the person was shown. Its head is checked by the merge itself."""
    if found.state != "open" or found.head_sha != plan.head_sha or not plan.diff_sha256:
        return
    try:
        diff = binding.read_diff(services, plan)
    except RejectedError as error:
        # Whoever approved it has read it, so an answer that is no diff can only be a passing fault.
        raise RetryableError("GitHub", f"the diff of pull request #{plan.number} could not be read again") from error
    if difference := binding.moved(plan, binding.with_pull_request(plan, found, diff)):
        raise RefusedError(f"Pull request #{plan.number} changed since it was approved: {difference}. {NOTHING_MERGED}")


def _finish_done(services: Services, proposal_id: int, plan: RevertPullRequest, merged: Merged) -> None:
    """Finish the action as done; start the verification unless the incident was closed meanwhile."""
    now = services.clock()
    with services.sessions.begin() as session:
        proposal, incident = _held(session, proposal_id)
        action = proposals.start_action(session, proposal, now=now)
        proposals.finish_action(session, action, status="done", result=merged.result, now=now)
        if not incident.status.is_closed:
            verifications.start_verification(
                session,
                incident_id=incident.id,
                action_id=action.id,
                deadline_at=now + timedelta(minutes=services.settings.verification_deadline_minutes),
                now=now,
            )
        audit.append(
            session,
            key=services.audit_key,
            actor="Argux",
            event="action_done",
            payload={"proposal_id": proposal_id, **merged.result},
            now=now,
        )
        card = Card(
            title="Fix merged",
            text=words([merged.text, _next_step_text(incident, plan)]),
            links=(CardLink(f"Pull request #{plan.number}", plan.url),),
        )
        _post_outcome(services, session, action, merged.text, card, now)


def _next_step_text(incident: Incident, plan: RevertPullRequest) -> Markup:
    if incident.status.is_closed:
        return ours(
            "The incident was closed by {who} meanwhile: it stays closed, and nothing is tested.",
            who=incident.closed_by,
        )
    return ours(
        "Waiting for {service} to go live with it, then the same metrics are tested again.", service=plan.service
    )


def _finish_failed(services: Services, proposal_id: int, plan: RevertPullRequest, reason: str) -> None:
    """Finish the action as failed, post the reason, and reopen the incident unless a person has closed it."""
    now = services.clock()
    with services.sessions.begin() as session:
        proposal, incident = _held(session, proposal_id)
        action = proposals.start_action(session, proposal, now=now)
        proposals.finish_action(session, action, status="failed", result={"error": reason}, now=now)
        if incident.status is IncidentStatus.MITIGATING:
            incidents.change_status(session, incident, IncidentStatus.OPEN, actor="Argux", now=now)
        audit.append(
            session,
            key=services.audit_key,
            actor="Argux",
            event="action_failed",
            payload={"proposal_id": proposal_id, "error": reason},
            now=now,
        )
        text = ours("{reason}.", reason=reason.rstrip("."))
        if not incident.status.is_closed:
            advice = ours("The incident is open again. Look at the pull request, or press Diagnose again.")
            text = lines([text, advice])
        card = Card(
            title="The fix was not merged",
            text=text,
            links=(CardLink(f"Pull request #{plan.number}", plan.url),),
        )
        _post_outcome(services, session, action, theirs(reason), card, now)


def _post_outcome(
    services: Services, session: Session, action: Action, text: Markup, card: Card, now: datetime
) -> None:
    """Record the outcome in the timeline and enqueue it for the thread, even while the incident is snoozed."""
    kind = f"action_{action.status}"
    incidents.add_timeline(session, action.incident_id, kind=kind, actor="Argux", text=text, now=now)
    channel = services.settings.slack_channel
    key = f"action:{action.id}"
    enqueue_thread_message(session, action.incident_id, key=key, card=card, channel=channel, now=now, is_answer=True)
    enqueue_refresh(session, action.incident_id, key=key, now=now)
