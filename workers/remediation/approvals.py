"""Approvals: show a person exactly what they decide on; record the decision once, bound to its hash and head SHA."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import IncidentStatus, Metric
from integrations.cards import Modal, moment
from integrations.text import Markup, code, link, ours, theirs
from storage import audit, deliveries, incidents, outbox, proposals
from storage.database.rows import hold
from storage.errors import AlreadyDecidedError, NotFoundError
from storage.models import Approval, Proposal
from workers.errors import RefusedError
from workers.remediation import binding
from workers.remediation.catalogue import RevertPullRequest
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh
from workers.telling.permissions import approver
from workers.words.findings import METRIC_NAMES

_PROPOSAL_ID = re.compile(r"[0-9]{1,9}")
"""No id has more digits: they do not fit in the databases' integers."""

CALLBACK_ID = "confirm_approval"
NEWER = ours("A closer look has found a better fix since that button was drawn; this is it.")
MERGED = ours("Somebody has merged this already: approving it has the incident's metrics tested again.")
AGAIN = "Press Diagnose again on the incident's message to get a fresh one."


def confirmation(services: Services, proposal_id: int, *, user_id: str) -> Modal:
    """Build the dialog with the pull request's diff and head SHA. Raise RefusedError if there is nothing to approve."""
    approver(services, user_id)
    expire_proposals(services)
    with services.readers() as session:
        pressed = proposals.get_proposal(session, proposal_id)
        proposal = _current(session, pressed)
        _check_open(services, session, proposal)
        plan = RevertPullRequest.model_validate(proposal.parameters)
    pull_request = services.code_host.pull_request(plan.repository, plan.number)
    if pull_request.head_sha != plan.head_sha:
        raise _withdraw(services, proposal.id, f"Pull request #{plan.number} changed since Argux proposed it")
    if pull_request.state == "closed":
        raise _withdraw(services, proposal.id, f"Pull request #{plan.number} was closed without being merged")
    diff = binding.read_diff(services, plan)
    present = binding.with_pull_request(plan, pull_request, diff)
    if difference := binding.moved(plan, present):
        raise _withdraw(
            services, proposal.id, f"Pull request #{plan.number} changed since Argux proposed it: {difference}"
        )
    plan, content_hash = _restate(services, proposal.id, present)
    notes = [NEWER] if proposal is not pressed else []
    if pull_request.state == "merged":
        notes.append(MERGED)
    return Modal(
        callback_id=CALLBACK_ID,
        title="Approve fix",
        submit_label="Approve and verify" if pull_request.state == "merged" else "Approve and merge",
        value=f"{proposal.id}:{content_hash}",
        sections=(ours("**{title}**", title=proposal.title), theirs(proposal.blast_radius), *notes),
        fields=(
            ("Pull request", link(f"#{plan.number}", pull_request.url)),
            ("Head SHA", code(plan.head_sha)),
            ("Merged into", theirs(f"{plan.base_branch or 'the default branch'}, by {plan.merged_by}")),
            ("Checked by", theirs(f"{proposal.verified_by}: {_shortened(plan.metrics)}")),
            ("Undone by", theirs(proposal.undone_by)),
            (
                "Approval binds",
                ours(
                    "all of this and the diff, as {digest}; if any of it moves, nothing is merged",
                    digest=code(content_hash[:12]),
                ),
            ),
        ),
        code=diff,
        code_language="diff",
    )


def _restate(services: Services, proposal_id: int, plan: RevertPullRequest) -> tuple[RevertPullRequest, str]:
    """Store what is about to be shown as what is proposed; return it with its hash.

    An offer that is stored otherwise than it was made, by another hand or another version, is withdrawn.
    """
    with services.sessions.begin() as session:
        proposal = proposals.get_proposal(session, proposal_id)
        if proposal.status != "open" or proposals.is_unaltered(proposal):
            shown = binding.with_tests(services, session, proposal.incident_id, plan)
            proposals.restate(session, proposal, binding.parameters(shown))
            return shown, proposal.content_hash
    raise _withdraw(services, proposal_id, "What is stored of this offer is not what Argux offered")


def _shortened(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(_in_words, names[:3])) + more


def _in_words(name: str) -> str:
    """Return such as "p95 latency of POST /checkout" for "latency_p95_ms of POST /checkout"."""
    metric, of, subject = name.partition(" of ")
    return f"{METRIC_NAMES[Metric(metric)]}{of}{subject}" if metric in list(Metric) else name


def _withdraw(services: Services, proposal_id: int, reason: str) -> RefusedError:
    """Withdraw a proposal whose pull request is not the proposed one any more, and return the refusal to raise."""
    now = services.clock()
    with services.sessions.begin() as session:
        proposal = proposals.get_proposal(session, proposal_id)
        if proposals.withdraw(session, proposal):
            text = ours("{reason}: the offer is withdrawn.", reason=reason)
            incidents.add_timeline(
                session, proposal.incident_id, kind="offer_withdrawn", actor=incidents.ARGUX, text=text, now=now
            )
            enqueue_refresh(session, proposal.incident_id, key=f"withdrawn:{proposal_id}", now=now)
    return RefusedError(f"{reason}; nothing was merged. The offer is withdrawn. {AGAIN}")


def _current(session: Session, pressed: Proposal) -> Proposal:
    """Return the proposal that a click means: the incident's current one if the clicked one is superseded."""
    if pressed.status != "superseded":
        return pressed
    return proposals.current_proposal(session, pressed.incident_id) or pressed


def approve(services: Services, value: str, *, user_id: str, user_name: str) -> None:
    """Record the approval and enqueue the action in one transaction. A repeated click is refused."""
    proposal_id, content_hash = _parse_value(value)
    approver(services, user_id)
    expire_proposals(services)
    now = services.clock()
    with services.sessions.begin() as session:
        proposal = proposals.get_proposal(session, proposal_id)
        incident = incidents.get_incident(session, proposal.incident_id)
        hold(session, incident)
        _check_open(services, session, proposal)
        plan = RevertPullRequest.model_validate(proposal.parameters)
        if difference := binding.moved(plan, binding.with_tests(services, session, proposal.incident_id, plan)):
            raise RefusedError(
                f"Since you looked, {difference}. Nothing was merged: press Approve fix again to read it."
            )
        try:
            proposals.approve(
                session, proposal, content_hash=content_hash, user_id=user_id, user_name=user_name, now=now
            )
        except AlreadyDecidedError as error:
            raise RefusedError(_already_approved(error.decided_by, error.decided_at)) from error
        if incident.status is not IncidentStatus.MITIGATING:
            incidents.change_status(session, incident, IncidentStatus.MITIGATING, actor=user_name, now=now)
        outbox.finish_running(session, now)
        audit.append(
            session,
            key=services.audit_key,
            actor=user_name,
            event=audit.APPROVED,
            payload={
                "incident_id": incident.id,
                "proposal_id": proposal.id,
                "content_hash": content_hash,
                "head_sha": plan.head_sha,
                "binds": proposal.parameters,
                "user_id": user_id,
            },
            now=now,
        )
        arguments = {"proposal_id": proposal.id}
        outbox.enqueue(session, "execute_proposal", arguments, key=f"execute:{proposal.id}", now=now)
        enqueue_refresh(session, incident.id, key=f"approved:{proposal.id}", now=now)


def expire_proposals(services: Services) -> None:
    """Expire the proposals that nobody decided on in time. Their incident's message then offers to diagnose again."""
    now = services.clock()
    with services.sessions.begin() as session:
        for proposal_id, incident_id in proposals.expire_open(session, now=now):
            enqueue_refresh(session, incident_id, key=f"expired:{proposal_id}", now=now)


def channel_of(services: Services, value: str) -> str:
    """Return the channel of the incident's root message; a dialog submission does not carry it.

    The value may be forged: without such a proposal it is the configured channel.
    """
    with services.readers() as session:
        try:
            proposal = proposals.get_proposal(session, _parse_value(value)[0])
        except (RefusedError, NotFoundError):
            return services.settings.slack_channel
        root = deliveries.root_delivery(session, proposal.incident_id)
        return root.channel if root is not None else services.settings.slack_channel


def _parse_value(value: str) -> tuple[int, str]:
    proposal_id, _, content_hash = value.partition(":")
    if not _PROPOSAL_ID.fullmatch(proposal_id) or not content_hash:
        raise RefusedError("This dialog is from another version of Argux. Press Approve fix again.")
    return int(proposal_id), content_hash


def _check_open(services: Services, session: Session, proposal: Proposal) -> None:
    approval = session.scalars(select(Approval).where(Approval.proposal_id == proposal.id)).first()
    if approval is not None:
        raise RefusedError(_already_approved(approval.decided_by, approval.decided_at))
    if proposal.status == "superseded":
        raise RefusedError("A newer fix has taken this one's place. Press Approve fix again to read it.")
    if incidents.get_incident(session, proposal.incident_id).status.is_closed:
        raise RefusedError("The incident is closed already; nothing was merged.")
    if proposal.status == "expired" or proposal.expires_at <= services.clock():
        raise RefusedError(f"This offer has expired. {AGAIN}")


def _already_approved(name: str, at: datetime) -> Markup:
    when = moment(at.timestamp())
    return ours("{name} approved this already at {when}. Nothing more was done.", name=name, when=when)
