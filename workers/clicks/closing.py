"""Close an incident by hand, and open it again: the same rules for the buttons and for the API.

A click may never hide a live outage, so whoever closes an incident that is broken still is told so, and confirms it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from integrations.cards import Card, moment
from integrations.text import Markup, ours
from integrations.wording import plain
from storage import audit, incidents, outbox, proposals
from storage.models import Incident
from workers.errors import RefusedError
from workers.lifecycle.grouping import MUTE_HOURS
from workers.remediation.catalogue import RevertPullRequest
from workers.remediation.closing import enqueue_close
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.watching.still_broken import Condition, seen, standing

EVENTS = {
    IncidentStatus.RESOLVED: "resolve",
    IncidentStatus.FALSE_ALARM: "false_alarm",
    IncidentStatus.OPEN: "reopen",
}
"""The audit event of each change, which is also the button's name."""

LONGEST_REASON = 200


def broken_now(services: Services, incident_id: int) -> Condition:
    """Return what of the incident is broken still, or is not known to be well because too little is measured."""
    with services.readers() as session:
        known = seen(incidents.get_incident(session, incident_id))
    return standing(services, known, services.clock())


def close_by_hand(
    services: Services,
    session: Session,
    incident: Incident,
    status: IncidentStatus,
    *,
    actor: str,
    user_id: str,
    broken: Condition,
    reason: str = "",
    now: datetime,
) -> None:
    """Close the incident as resolved or as a false alarm. broken: what was broken still when the person confirmed.

    A false alarm needs a reason. Its findings are told to nobody for MUTE_HOURS, and the pull request of its open offer
    is closed. Raises RefusedError without a reason, InvalidTransitionError if it is closed already.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    is_false_alarm = status is IncidentStatus.FALSE_ALARM
    if is_false_alarm and not reason:
        raise RefusedError("Say in a few words why it is a false alarm: the next person on call reads it.")
    incidents.change_status(
        session, incident, status, actor=actor, now=now, by_hand=True, reason=reason if is_false_alarm else None
    )
    found = plain(broken.text)
    payload = {"incident_id": incident.id, "user_id": user_id, "still_broken": found, "reason": reason}
    if broken:
        text = ours("Closed although broken still: {broken}.", broken=broken.text)
        if not broken.broken:
            text = ours("Closed without knowing that it is well: {broken}.", broken=broken.text)
        incidents.add_timeline(session, incident.id, kind="still_broken", actor=actor, text=text, now=now)
    if is_false_alarm:
        incident.muted_until = now + timedelta(hours=MUTE_HOURS)
        payload["muted_until"] = incident.muted_until.isoformat()
        _withdraw_offer(services, session, incident, reason, actor=actor, now=now)
    enqueue_refresh(session, incident.id, key=f"{status}:{incident.id}:{now.timestamp()}", now=now)
    outbox.finish_running(session, now)
    audit.append(session, key=services.audit_key, actor=actor, event=EVENTS[status], payload=payload, now=now)


def reopen_by_hand(
    services: Services, session: Session, incident: Incident, *, actor: str, user_id: str, now: datetime
) -> None:
    """Open a closed incident again, which also ends its mute. Raises RefusedError if it is not closed."""
    if not incident.status.is_closed:
        raise RefusedError("This is open already.")
    was = incident.status
    incidents.change_status(session, incident, IncidentStatus.OPEN, actor=actor, now=now)
    enqueue_refresh(session, incident.id, key=f"reopened:{incident.id}:{now.timestamp()}", now=now)
    outbox.finish_running(session, now)
    payload = {"incident_id": incident.id, "user_id": user_id, "was": str(was)}
    audit.append(session, key=services.audit_key, actor=actor, event="reopen", payload=payload, now=now)


def closed_text(incident: Incident) -> Markup:
    """Say what a closing did: "Closed as a false alarm. The same findings are told to nobody until …"."""
    if incident.muted_until is None:
        return ours("The incident is resolved.")
    return ours(
        "Closed as a false alarm. The same findings are recorded, but told to nobody until {end}. "
        "Reopen on its message ends that.",
        end=moment(incident.muted_until.timestamp()),
    )


def withdrawn_comment(incident_id: int, reason: str, *, actor: str) -> Markup:
    """Say on the pull request and in the thread why an offer is withdrawn."""
    return ours(
        "{name} marked incident #{number} as a false alarm: {reason}.",
        name=actor,
        number=incident_id,
        reason=reason.rstrip("."),
    )


def _withdraw_offer(
    services: Services, session: Session, incident: Incident, reason: str, *, actor: str, now: datetime
) -> None:
    """Withdraw the offer that awaits a decision, and have its pull request closed with a comment that says why."""
    proposal = proposals.current_proposal(session, incident.id)
    if proposal is None or not proposals.withdraw(session, proposal):
        return
    plan = RevertPullRequest.model_validate(proposal.parameters)
    comment = withdrawn_comment(incident.id, reason, actor=actor)
    text = ours("Pull request #{number} is closed without merging. {why}", number=plan.number, why=comment)
    card = Card(title="Offer withdrawn", text=text)
    enqueue_thread_message(
        session,
        incident.id,
        key=f"withdrawn:{proposal.id}",
        card=card,
        channel=services.settings.slack_channel,
        now=now,
        is_answer=True,
    )
    enqueue_close(session, incident.id, repository=plan.repository, number=plan.number, comment=comment, now=now)
