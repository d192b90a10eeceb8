"""Hold the audit chain against the tables: what the chain records must stand there, and what stands must be recorded.

The chain alone shows that its entries are whole. This shows that somebody changed, added or emptied the rows beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from storage.audit import APPROVED
from storage.models import Action, Approval, AuditEntry, Incident, Proposal
from storage.proposals import current_hash

_CLOSED = {str(status) for status in IncidentStatus if status.is_closed}
_CLOSINGS = {"resolve", "false_alarm"}
_ENDINGS = {"action_done": "done", "action_failed": "failed"}


@dataclass
class _Recorded:
    """What the chain says: approvals by proposal, ended actions by proposal, incidents and who closed them last."""

    approvals: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    actions: dict[int, str] = field(default_factory=dict)
    offers: set[int] = field(default_factory=set)
    incidents: set[int] = field(default_factory=set)
    closed_by: dict[int, str | None] = field(default_factory=dict)

    def read(self, actor: str, event: str, payload: Mapping[str, Any]) -> None:
        """Take one entry in, in the order of the chain."""
        proposal_id, incident_id = payload.get("proposal_id"), payload.get("incident_id")
        if event == APPROVED and isinstance(proposal_id, int):
            self.approvals[proposal_id] = (actor, str(payload.get("user_id")), str(payload.get("content_hash")))
        elif event in _ENDINGS and isinstance(proposal_id, int):
            self.actions[proposal_id] = _ENDINGS[event]
        elif event == "proposal_offered" and isinstance(proposal_id, int):
            self.offers.add(proposal_id)
        elif event == "incident_opened" and isinstance(incident_id, int):
            self.incidents.add(incident_id)
        if isinstance(incident_id, int):
            self._follow(incident_id, actor, event, payload)

    def _follow(self, incident_id: int, actor: str, event: str, payload: Mapping[str, Any]) -> None:
        """Note whether the incident is closed after this entry, and by whom."""
        changed = payload.get("status")
        if event in _CLOSINGS:
            self.closed_by[incident_id] = actor
        elif event == "verification_finished" and changed == "recovered":
            # An incident that a person closed before the verification ended stays closed by that person.
            self.closed_by[incident_id] = self.closed_by.get(incident_id) or actor
        elif event == "reopen":
            self.closed_by[incident_id] = None
        elif event == "incident_changed" and isinstance(changed, list):
            self.closed_by[incident_id] = actor if changed[-1] in _CLOSED else None


def disagreements(session: Session) -> list[str]:
    """Return in what the chain and the tables disagree, one sentence each; none if they agree."""
    recorded = _Recorded()
    query = select(AuditEntry.actor, AuditEntry.event, AuditEntry.payload).order_by(AuditEntry.sequence)
    with closing(session.execute(query.execution_options(yield_per=1000))) as rows:
        for actor, event, payload in rows:
            recorded.read(actor, event, payload)
    return [
        *_lost(session, recorded),
        *_of_approvals(session, recorded),
        *_of_actions(session, recorded),
        *_of_closings(session, recorded),
    ]


def _lost(session: Session, recorded: _Recorded) -> Iterator[str]:
    """Yield the tables that hold fewer rows than the chain records."""
    kept = {
        "incidents": (recorded.incidents, set(session.scalars(select(Incident.id)))),
        "proposals": (recorded.offers, set(session.scalars(select(Proposal.id)))),
        "approvals": (set(recorded.approvals), set(session.scalars(select(Approval.proposal_id)))),
        "actions": (set(recorded.actions), set(session.scalars(select(Action.proposal_id)))),
    }
    for table, (named, stored) in kept.items():
        if missing := sorted(named - stored):
            which = ", ".join(map(str, missing[:10])) + (" …" if len(missing) > 10 else "")
            yield f"The chain records {len(named)} {table}, and the table lacks {len(missing)} of them ({which})."


def _of_approvals(session: Session, recorded: _Recorded) -> Iterator[str]:
    query = select(Approval, Proposal).join(Proposal, Proposal.id == Approval.proposal_id).order_by(Approval.id)
    for approval, proposal in session.execute(query):
        said = recorded.approvals.get(approval.proposal_id)
        name = f"proposal {approval.proposal_id}"
        if said is None:
            yield f"The chain says nothing of the approval of {name}: its end was cut off, or the row was forged."
        elif said[:2] != (approval.decided_by, approval.decided_by_id):
            yield f"The approval of {name} is stored as that of {approval.decided_by}; the chain says {said[0]}."
        elif approval.decision != "approved":
            yield f"The decision on {name} is stored as “{approval.decision}”; the chain says that it was approved."
        elif not said[2] == approval.content_hash == current_hash(proposal):
            yield f"What {name} does is stored as something else than what {said[0]} approved."


def _of_actions(session: Session, recorded: _Recorded) -> Iterator[str]:
    for action in session.scalars(select(Action).where(Action.status != "running").order_by(Action.id)):
        said = recorded.actions.get(action.proposal_id)
        if said != action.status:
            words = "nothing of its end" if said is None else f"that it is {said}"
            yield f"The action of proposal {action.proposal_id} is stored as {action.status}; the chain says {words}."


def _of_closings(session: Session, recorded: _Recorded) -> Iterator[str]:
    query = select(Incident.id, Incident.status, Incident.closed_by).order_by(Incident.id)
    for incident_id, status, closed_by in session.execute(query):
        said = recorded.closed_by.get(incident_id)
        if status.is_closed and said is None:
            yield f"Incident {incident_id} is stored as closed by {closed_by}; the chain has no closing of it."
        elif not status.is_closed and said is not None:
            yield f"Incident {incident_id} is stored as open; the chain says that {said} closed it."
        elif said != closed_by:
            yield f"Incident {incident_id} is stored as closed by {closed_by}; the chain says {said}."
