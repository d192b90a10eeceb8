"""Hold the audit chain against the tables: what the chain records must stand there, and what stands must be recorded.

The chain alone shows that its entries are whole. This shows that somebody changed, added or emptied the rows beside it:
every column that decides what is merged, who is let in, and what is kept quiet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.audit_story import Closing, Story, Told, verification_status
from storage.models import Action, ApiKey, Approval, AuditEntry, Incident, MaintenanceWindow, Proposal, Verification
from storage.proposals import current_hash, is_unaltered


def disagreements(session: Session) -> list[str]:
    """Return in what the chain and the tables disagree, one sentence each; none if they agree."""
    columns = (AuditEntry.actor, AuditEntry.event, AuditEntry.happened_at, AuditEntry.payload)
    query = select(*columns).order_by(AuditEntry.sequence).execution_options(yield_per=1000)
    with closing(session.execute(query)) as rows:
        story = Story().read(Told(*row) for row in rows)
    parts = (_lost, _of_approvals, _of_actions, _of_verifications, _of_closings, _of_incidents, _of_windows, _of_keys)
    return [line for part in parts for line in part(session, story)]


def _lost(session: Session, story: Story) -> Iterator[str]:
    """Yield the tables that hold fewer rows than the chain records, or than other rows refer to."""
    kept = {
        "incidents": (story.incidents, Incident.id),
        "proposals": (story.offers, Proposal.id),
        "approvals": (story.approvals, Approval.proposal_id),
        "actions": (story.actions, Action.proposal_id),
        "verifications": (story.verifications, Verification.id),
        "maintenance windows": (story.windows, MaintenanceWindow.id),
        "keys": (story.keys, ApiKey.id),
    }
    for table, (named, column) in kept.items():
        if missing := sorted(named.keys() - set(session.scalars(select(column)))):
            which = ", ".join(map(str, missing[:10])) + (" …" if len(missing) > 10 else "")
            yield f"The chain records {len(named)} {table}, and the table lacks {len(missing)} of them ({which})."
    parents = (
        ("approvals", Approval.proposal_id, "proposals", Proposal.id),
        ("actions", Action.proposal_id, "proposals", Proposal.id),
        ("verifications", Verification.action_id, "actions", Action.id),
    )
    for table, reference, of, column in parents:
        there = set(session.scalars(select(column)))
        for number in sorted(found for found in session.scalars(select(reference)) if found and found not in there):
            yield f"The table of {table} refers to number {number} of the {of}, which is not there."


def _of_approvals(session: Session, story: Story) -> Iterator[str]:
    query = select(Approval, Proposal).join(Proposal, Proposal.id == Approval.proposal_id).order_by(Approval.id)
    for approval, proposal in session.execute(query):
        told = story.approvals.get(approval.proposal_id)
        name = f"proposal {approval.proposal_id}"
        if told is None:
            yield f"The chain says nothing of the approval of {name}: its end was cut off, or the row was forged."
        elif (told.actor, told.payload.get("user_id")) != (approval.decided_by, approval.decided_by_id):
            yield f"The approval of {name} is stored as that of {approval.decided_by}; the chain says {told.actor}."
        elif approval.decision != "approved":
            yield f"The decision on {name} is stored as “{approval.decision}”; the chain says that it was approved."
        elif not told.payload.get("content_hash") == approval.content_hash == current_hash(proposal):
            yield f"What {name} does is stored as something else than what {told.actor} approved."
        elif approval.decided_at != told.at:
            yield f"The approval of {name} is stored with another time than the chain says."
    for proposal in session.scalars(select(Proposal).order_by(Proposal.id)):
        if proposal.id not in story.approvals and not is_unaltered(proposal):
            yield f"What proposal {proposal.id} does is stored as something else than what its own hash says."


def _of_actions(session: Session, story: Story) -> Iterator[str]:
    query = select(Action, Proposal.incident_id).join(Proposal, Proposal.id == Action.proposal_id).order_by(Action.id)
    for action, incident_id in session.execute(query):
        name, told = f"The action of proposal {action.proposal_id}", story.actions.get(action.proposal_id)
        ending = story.ending(action.proposal_id)
        approved = story.approvals.get(action.proposal_id)
        if action.status != (ending or "running"):
            words = "nothing of its end" if ending is None else f"that it is {ending}"
            yield f"{name} is stored as {action.status}; the chain says {words}."
        elif action.incident_id != incident_id:
            yield f"{name} is stored as of incident {action.incident_id}; the proposal is of incident {incident_id}."
        elif approved is not None and action.started_at < approved.at:
            yield f"{name} is stored as begun before it was approved."
        elif told is not None:
            result = {key: value for key, value in told.payload.items() if key != "proposal_id"}
            if action.result != result or action.finished_at != told.at or action.started_at > told.at:
                yield f"{name} is stored with another result or time than the chain says."


def _of_verifications(session: Session, story: Story) -> Iterator[str]:
    for row in session.scalars(select(Verification).order_by(Verification.id)):
        told, name = story.verifications.get(row.id), f"Verification {row.id} of incident {row.incident_id}"
        said = verification_status(told) if told is not None else "running"
        if row.status != said:
            yield f"{name} is stored as {row.status}; the chain says {said}."
        elif told is not None and (row.incident_id != told.payload.get("incident_id") or row.finished_at != told.at):
            yield f"{name} is stored with another incident or end than the chain says."


def _of_closings(session: Session, story: Story) -> Iterator[str]:
    for incident in session.scalars(select(Incident).order_by(Incident.id)):
        said = story.closings.get(incident.id)
        who = said.told.actor if said is not None else None
        if incident.status.is_closed and said is None:
            yield f"Incident {incident.id} is stored as closed by {incident.closed_by}; the chain has no closing of it."
        elif not incident.status.is_closed and said is not None:
            yield f"Incident {incident.id} is stored as open; the chain says that {who} closed it."
        elif who != incident.closed_by:
            yield f"Incident {incident.id} is stored as closed by {incident.closed_by}; the chain says {who}."
        elif said is not None and incident.status is not said.status:
            yield f"Incident {incident.id} is stored as {incident.status}; the chain says {said.status}."
        elif difference := _closing_difference(incident, said):
            yield f"Incident {incident.id} is stored with another {difference} than the chain says."


def _closing_difference(incident: Incident, said: Closing | None) -> str | None:
    """Return the word for the first column of a closing that differs."""
    if incident.closed_at != (said.told.at if said is not None else None):
        return "time of closing"
    if incident.muted_until != (_moment(said.muted_until) if said is not None else None):
        return "end of its mute"
    is_complete = said is None or "reason" in said.told.payload or not said.is_by_hand
    if is_complete and incident.closing_reason != (said.reason if said is not None else None):
        return "reason of its closing"
    is_by_hand = said is not None and said.is_by_hand and "reason" in said.told.payload
    return "kind of closing (by hand or not)" if incident.closed_by_hand != is_by_hand else None


def _of_incidents(session: Session, story: Story) -> Iterator[str]:
    """Compare what keeps an incident quiet, and where people are sent. What is not set hides nothing."""
    for incident in session.scalars(select(Incident).order_by(Incident.id)):
        snooze, ticket = story.snoozes.get(incident.id), story.tickets.get(incident.id)
        escalation = story.escalations.get(incident.id)
        stored = {
            "snooze": incident.snoozed_until and (incident.snoozed_until, incident.snoozed_by),
            "ticket": incident.ticket_key,
            "escalation": incident.escalated_at and (incident.escalated_at, incident.escalated_by),
        }
        said = {
            "snooze": snooze and (_moment(snooze.payload.get("until")), snooze.actor),
            "ticket": ticket and ticket.payload.get("ticket"),
            "escalation": escalation and (escalation.at, escalation.actor),
        }
        for name, value in stored.items():
            if value and value != said[name]:
                yield f"Incident {incident.id} is stored with another {name} than the chain says."


def _of_windows(session: Session, story: Story) -> Iterator[str]:
    for window in session.scalars(select(MaintenanceWindow).order_by(MaintenanceWindow.id)):
        told = story.windows.get(window.id)
        if told is None:
            yield f"The chain says nothing of maintenance window {window.id}: somebody put it there past Argux."
            continue
        stored = {
            "service": window.service,
            "begins_at": window.begins_at,
            "ends_at": window.ends_at,
            "reason": window.reason,
        }
        said = {**told.payload, **{name: _moment(told.payload.get(name)) for name in ("begins_at", "ends_at")}}
        wrong = [name for name, value in stored.items() if said.get(name) != value]
        if wrong:
            yield f"Maintenance window {window.id} is stored with another {' and '.join(wrong)} than the chain says."


def _of_keys(session: Session, story: Story) -> Iterator[str]:
    """Compare the API keys. Those older than the first that the chain records were made before it recorded any."""
    first = min(story.keys, default=None)
    for key in session.scalars(select(ApiKey).order_by(ApiKey.id)):
        told, revoked = story.keys.get(key.id), story.revoked.get(key.id)
        if (revoked is not None or told is not None) and key.revoked_at != (revoked.at if revoked else None):
            words = f"{revoked.actor} revoked it" if revoked else "nobody revoked it"
            yield f"The key {key.name} is stored with another time of its revocation; the chain says that {words}."
        if told is None:
            if first is not None and key.id > first:
                yield f"The chain says nothing of the key {key.name}: somebody put it there past Argux."
            continue
        stored = {"name": key.name, "role": key.role, "secret_hash": key.secret_hash}
        wrong = [name for name, value in stored.items() if told.payload.get(name) != value]
        if wrong:
            yield f"The key {key.name} is stored with another {' and '.join(wrong)} than the chain says."


def _moment(text: object) -> datetime | None:
    """Return a time of a payload, which is ISO 8601 in any zone."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None
