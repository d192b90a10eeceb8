"""Handle button clicks and dialog submissions.

Each decision is one transaction. Only the person who clicked sees why a click is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from integrations.errors import PermanentError, RetryableError
from integrations.text import ours
from storage import audit, incidents, outbox
from storage.errors import StorageError
from storage.models import Incident
from workers.clicks.snooze import BUTTON_MINUTES, snooze_incident, unsnooze_incident
from workers.diagnosis.job import diagnose_again
from workers.errors import RefusedError, told
from workers.remediation import approvals
from workers.services import Services
from workers.telling import dialogs
from workers.telling.delivery import post_privately, refuse_while_quiet
from workers.telling.enqueue import enqueue_refresh
from workers.telling.names import display_name


@dataclass(frozen=True, slots=True)
class Click:
    """One button click. `value` is an incident's id, or a proposal's id for approve_fix."""

    action_id: str
    value: str
    user_id: str
    user_name: str
    channel: str
    message_ts: str
    trigger_id: str

    @property
    def subject_id(self) -> int:
        """The id in the button's value; RefusedError if it is none."""
        if not self.value.isdigit():
            raise RefusedError("This button is from another version of Argux. Use the newest message.")
        return int(self.value)


def handle_click(
    services: Services,
    action_id: str,
    value: str,
    user_id: str,
    user_name: str,
    channel: str,
    message_ts: str,
    trigger_id: str,
    thread_ts: str | None = None,
    response_url: str | None = None,
) -> None:
    """Run the handler of the button. Send a refusal privately to the person who clicked."""
    name = display_name(services, user_id, user_name)
    click = Click(action_id, value, user_id, name, channel, message_ts, trigger_id)
    try:
        handler = HANDLERS.get(action_id)
        if handler is None:
            raise RefusedError("This button is from another version of Argux. Use the newest message.")
        handler(services, click)
    except (RefusedError, StorageError) as refusal:
        post_privately(services, channel, user_id, told(refusal))


def click_given_up(services: Services, reason: str, **arguments: Any) -> None:
    """Tell the person who clicked that the click failed even after all retries."""
    text = ours("This could not be done: {reason}. Press the button again when it is mended.", reason=reason)
    if arguments["action_id"] in dialogs.TITLES:
        dialogs.show_text(services, arguments["action_id"], arguments["trigger_id"], text)
    post_privately(services, arguments["channel"], arguments["user_id"], text)


def handle_submission(
    services: Services, callback_id: str, value: str, user_id: str, user_name: str, view_id: str
) -> None:
    """Handle a submitted dialog. The only kind confirms an approval."""
    try:
        if callback_id != approvals.CALLBACK_ID:
            raise RefusedError("This dialog is from another version of Argux. Press the button again.")
        name = display_name(services, user_id, user_name)
        approvals.approve(services, value, user_id=user_id, user_name=name)
    except (RefusedError, StorageError) as refusal:
        channel = approvals.channel_of(services, value)
        post_privately(services, channel, user_id, told(refusal))


def _acknowledge(services: Services, click: Click) -> None:
    def refuse_if_acknowledged(session: Session) -> None:
        incident = incidents.get_incident(session, click.subject_id)
        if incident.acknowledged_by:
            raise RefusedError(f"{incident.acknowledged_by} is on it already.")

    _change(services, click, IncidentStatus.ACKNOWLEDGED, before=refuse_if_acknowledged)


def _resolve(services: Services, click: Click) -> None:
    _change(services, click, IncidentStatus.RESOLVED)


def _false_alarm(services: Services, click: Click) -> None:
    _change(services, click, IncidentStatus.FALSE_ALARM)


def _change(
    services: Services, click: Click, status: IncidentStatus, before: Callable[[Session], None] | None = None
) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        if before is not None:
            before(session)
        incident = incidents.get_incident(session, click.subject_id)
        incidents.change_status(session, incident, status, actor=click.user_name, now=now)
        _record(services, session, click, now)
        enqueue_refresh(session, incident.id, key=f"{status}:{incident.id}:{now.timestamp()}", now=now)


def _create_ticket(services: Services, click: Click) -> None:
    def refusal(incident: Incident) -> str:
        key = incident.ticket_key
        return f"The ticket is there already: {key}, {incident.ticket_url}" if key else ""

    _enqueue_job(services, click, "create_ticket", key="ticket", refusal=refusal)


def _escalate(services: Services, click: Click) -> None:
    def refusal(incident: Incident) -> str:
        return f"{incident.escalated_by} has escalated this already." if incident.escalated_by else ""

    with services.readers() as session:
        refuse_while_quiet(session, incidents.get_incident(session, click.subject_id), services.clock())
    _enqueue_job(services, click, "escalate", key="escalate", refusal=refusal)


def _enqueue_job(services: Services, click: Click, actor: str, *, key: str, refusal: Callable[[Incident], str]) -> None:
    """Enqueue the button's job, once per incident. Raise RefusedError with the text of `refusal`, if it returns one."""
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        if reason := refusal(incident):
            raise RefusedError(reason)
        _record(services, session, click, now)
        arguments = {"incident_id": incident.id, "user_name": click.user_name}
        outbox.enqueue(session, actor, arguments, key=f"{key}:{incident.id}", now=now)


def _diagnose_again(services: Services, click: Click) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        diagnose_again(session, incident, actor=click.user_name, now=now)
        _record(services, session, click, now)


def _approve_fix(services: Services, click: Click) -> None:
    """Fill the approval dialog, or show in it why that is not possible. A transient error is retried."""
    try:
        modal = approvals.confirmation(services, click.subject_id, user_id=click.user_id)
    except RetryableError as error:
        retrying = ours("{error}. Argux tries again by itself; the change comes up here.", error=error)
        dialogs.show_text(services, click.action_id, click.trigger_id, retrying)
        raise
    except (RefusedError, StorageError, PermanentError) as refusal:
        if dialogs.show_text(services, click.action_id, click.trigger_id, told(refusal)):
            return
        raise
    dialogs.show(services, click.trigger_id, modal)


def _snooze(services: Services, click: Click) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        snooze_incident(services, session, incident, minutes=BUTTON_MINUTES, actor=click.user_name, now=now)


def _unsnooze(services: Services, click: Click) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        unsnooze_incident(services, session, incident, actor=click.user_name, now=now)


def _record(services: Services, session: Session, click: Click, now: datetime) -> None:
    audit.append(
        session,
        key=services.audit_key,
        actor=click.user_name,
        event=click.action_id,
        payload={"incident_id": click.subject_id, "user_id": click.user_id},
        now=now,
    )


HANDLERS: dict[str, Callable[[Services, Click], None]] = {
    "acknowledge": _acknowledge,
    "approve_fix": _approve_fix,
    "create_ticket": _create_ticket,
    "diagnose_again": _diagnose_again,
    "escalate": _escalate,
    "false_alarm": _false_alarm,
    "resolve": _resolve,
    "snooze": _snooze,
    "unsnooze": _unsnooze,
}
