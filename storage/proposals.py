"""Proposals, the single decision on each, and the action that follows it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from storage.database.canonical import fingerprint
from storage.database.rows import get, hold
from storage.errors import AlreadyDecidedError, ContentChangedError, ExpiredError, NotApprovedError
from storage.models import Action, Approval, Proposal


def create_proposal(
    session: Session,
    *,
    incident_id: int,
    diagnosis_id: int | None,
    action: str,
    title: str,
    parameters: Mapping[str, Any],
    risk: str,
    blast_radius: str,
    verified_by: str,
    undone_by: str,
    now: datetime,
    expires_at: datetime,
) -> Proposal:
    """Create a proposal; it supersedes the incident's proposal that is still open."""
    session.execute(
        update(Proposal)
        .where(Proposal.incident_id == incident_id, Proposal.status == "open")
        .values(status="superseded")
    )
    proposal = Proposal(
        incident_id=incident_id,
        diagnosis_id=diagnosis_id,
        action=action,
        title=title,
        parameters=dict(parameters),
        content_hash=content_hash(action, parameters, incident_id=incident_id),
        risk=risk,
        blast_radius=blast_radius,
        verified_by=verified_by,
        undone_by=undone_by,
        status="open",
        created_at=now,
        expires_at=expires_at,
    )
    session.add(proposal)
    session.flush()
    return proposal


def content_hash(action: str, parameters: Mapping[str, Any], *, incident_id: int) -> str:
    """Return what an approval is bound to: the SHA-256 of exactly what would be done, and for which incident."""
    return fingerprint({"action": action, "parameters": dict(parameters), "incident_id": incident_id})


def is_unaltered(proposal: Proposal) -> bool:
    """Whether the row would do what its own hash says."""
    return proposal.content_hash == current_hash(proposal)


def restate(session: Session, proposal: Proposal, parameters: Mapping[str, Any]) -> bool:
    """Give an open proposal the parameters that a person is about to be shown; return whether they are others.

    Whoever was shown the earlier ones cannot approve with them any more. Raises ContentChangedError if the row is not
    what was proposed.
    """
    hold(session, proposal)
    _must_be_current(proposal, proposal.content_hash)
    if dict(parameters) == proposal.parameters:
        return False
    proposal.parameters = dict(parameters)
    proposal.content_hash = current_hash(proposal)
    session.flush()
    return True


def get_proposal(session: Session, proposal_id: int) -> Proposal:
    """Return one proposal; raise NotFoundError if there is none."""
    return get(session, Proposal, proposal_id, "proposal")


def current_proposal(session: Session, incident_id: int) -> Proposal | None:
    """Return the incident's newest proposal that is not superseded, whatever its status (also expired or done)."""
    query = select(Proposal).where(Proposal.incident_id == incident_id, Proposal.status != "superseded")
    return session.scalars(query.order_by(Proposal.id.desc()).limit(1)).one_or_none()


def is_offered(session: Session, incident_id: int, number: int) -> bool:
    """Whether the incident has, or had, a proposal of this pull request."""
    rows = session.scalars(select(Proposal.parameters).where(Proposal.incident_id == incident_id))
    return any(parameters.get("number") == number for parameters in rows)


def approve(
    session: Session, proposal: Proposal, *, content_hash: str, user_id: str, user_name: str, now: datetime
) -> Approval:
    """Record a person's approval of exactly `content_hash`; a proposal can be approved once.

    Raises AlreadyDecidedError with who and when, ContentChangedError if it is not what would be done now (or the
    proposal is no longer open), ExpiredError if it comes too late.
    """
    hold(session, proposal)
    before = session.scalars(select(Approval).where(Approval.proposal_id == proposal.id)).one_or_none()
    if before is not None:
        raise AlreadyDecidedError(before.decided_by, before.decided_at)
    _must_be_current(proposal, content_hash)
    if now >= proposal.expires_at:
        raise ExpiredError("This offer has expired. Ask for a new diagnosis to get another.")
    approval = Approval(
        proposal_id=proposal.id,
        content_hash=content_hash,
        decision="approved",
        decided_by=user_name,
        decided_by_id=user_id,
        decided_at=now,
    )
    proposal.status = "approved"
    session.add(approval)
    session.flush()
    return approval


def withdraw(session: Session, proposal: Proposal) -> bool:
    """Expire a proposal early, because what it offers no longer exists; return False if it was not open."""
    hold(session, proposal)
    if proposal.status != "open":
        return False
    proposal.status = "expired"
    session.flush()
    return True


def expire_open(session: Session, *, now: datetime) -> Sequence[tuple[int, int]]:
    """Expire open proposals that were not approved in time; return the id of each with its incident's."""
    late = select(Proposal.id, Proposal.incident_id).where(Proposal.status == "open", Proposal.expires_at <= now)
    # One that somebody holds is being decided on at this moment.
    rows = session.execute(late.order_by(Proposal.id).with_for_update(skip_locked=True)).all()
    if rows:
        session.execute(update(Proposal).where(Proposal.id.in_([row[0] for row in rows])).values(status="expired"))
    return [(row[0], row[1]) for row in rows]


def start_action(session: Session, proposal: Proposal, *, now: datetime) -> Action:
    """Start the action of an approved proposal; a second start returns the existing action, whatever its status.

    Raises NotApprovedError if nobody approved exactly this content.
    """
    hold(session, proposal)
    started = session.scalars(select(Action).where(Action.proposal_id == proposal.id)).one_or_none()
    if started is not None:
        return started
    require_approval(session, proposal)
    action = Action(
        proposal_id=proposal.id, incident_id=proposal.incident_id, status="running", result={}, started_at=now
    )
    session.add(action)
    session.flush()
    return action


def require_approval(session: Session, proposal: Proposal) -> Approval:
    """Return the approval of what the proposal would do now; raise NotApprovedError if nobody approved exactly this."""
    approval = session.scalars(select(Approval).where(Approval.proposal_id == proposal.id)).one_or_none()
    if approval is None or approval.content_hash != current_hash(proposal) or proposal.status != "approved":
        raise NotApprovedError("Nobody has approved exactly this.")
    return approval


def finish_action(session: Session, action: Action, *, status: str, result: Mapping[str, Any], now: datetime) -> None:
    """Finish the action and its proposal. status: done or failed."""
    action.status = status
    action.result = dict(result)
    action.finished_at = now
    get_proposal(session, action.proposal_id).status = status
    session.flush()


def _must_be_current(proposal: Proposal, seen: str) -> None:
    if proposal.status != "open":
        raise ContentChangedError("A newer proposal has taken this one's place.")
    if not hmac.compare_digest(seen.encode(), current_hash(proposal).encode()):
        raise ContentChangedError("What this would do has changed since you looked. Open it again to see it.")


def current_hash(proposal: Proposal) -> str:
    """Hash what the row would do now, rather than trust its stored content_hash."""
    return content_hash(proposal.action, proposal.parameters, incident_id=proposal.incident_id)
