"""Handle clicks on the buttons of messages.

Each decision is one transaction. Only the person who clicked sees why a click is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from integrations.errors import PermanentError, RetryableError
from integrations.protocols import MessageReference
from integrations.text import ours
from storage import audit, diagnoses, incidents, outbox, proposals
from storage.errors import StorageError
from storage.models import Incident
from workers.clicks import closing_dialogs, ticket_dialog
from workers.clicks.cause import say_cause
from workers.clicks.closing import reopen_by_hand
from workers.clicks.dead_letters import dismiss_listed, retry_listed
from workers.clicks.ids import OTHER_VERSION, id_of, ids_of
from workers.clicks.own_message import (
    check_diagnosis_message,
    check_digest_message,
    check_incident_message,
    check_list_message,
)
from workers.clicks.snooze import BUTTON_MINUTES, snooze_incident, unsnooze_incident
from workers.clicks.waiting import tell_waiting
from workers.clicks.woken import word_on_waiting
from workers.diagnosis.job import CAUSE_RIGHT, CAUSE_WRONG, diagnose_again
from workers.errors import RefusedError, told, told_plainly
from workers.remediation import approvals
from workers.services import Services
from workers.telling import dialogs
from workers.telling.channels.private_messages import post_privately
from workers.telling.enqueue import enqueue_refresh
from workers.telling.holding_back import refuse_while_quiet
from workers.telling.offered import unset_buttons
from workers.telling.permissions import member
from workers.triage.answer import SHOULD_HAVE_WOKEN

LONGEST_NAME = 200
"""The longest actor of an audit entry. A name that the chat sent, and nobody checked, may be longer."""


@dataclass(frozen=True, slots=True)
class Click:
    """One button click.

    `value` is an incident's id; a proposal's for approve_fix, a diagnosis's for its verdict, that of a decision of
    triage for should_have_woken.
    """

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
        return id_of(self.value)


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
    team_id: str | None = None,
) -> None:
    """Run the handler of the button. Send a refusal privately to the person who clicked.

    team_id: the workspace that Slack says the person belongs to.
    """
    try:
        handler = HANDLERS.get(action_id)
        if handler is None:
            raise RefusedError(OTHER_VERSION)
        name = member(services, user_id, team_id=team_id).name
        click = Click(action_id, value, user_id, name, channel, message_ts, trigger_id)
        _check_message(services, click)
        handler(services, click)
    except (RefusedError, StorageError) as refusal:
        record_refusal(services, action_id, value, user_id=user_id, user_name=user_name, reason=told_plainly(refusal))
        if action_id in dialogs.TITLES and dialogs.show_text(services, action_id, trigger_id, told(refusal)):
            return
        post_privately(services, channel, user_id, told(refusal), response_url=response_url)
    except RetryableError as error:
        text = ours("{error}. Argux tries again by itself, and goes on here.", error=error)
        if action_id not in dialogs.TITLES or not dialogs.show_text(services, action_id, trigger_id, text):
            tell_waiting(services, channel, user_id, error, response_url=response_url)
        raise


def click_given_up(services: Services, reason: str, **arguments: Any) -> None:
    """Tell the person who clicked that the click failed even after all retries."""
    text = ours("This could not be done: {reason}. Press the button again when it is mended.", reason=reason)
    if arguments["action_id"] in dialogs.TITLES:
        dialogs.show_text(services, arguments["action_id"], arguments["trigger_id"], text)
    response_url = arguments.get("response_url")
    post_privately(services, arguments["channel"], arguments["user_id"], text, response_url=response_url)


def _check_message(services: Services, click: Click) -> None:
    """Raise RefusedError if the button was pressed on a message that is known to be another one's."""
    pressed_on = MessageReference(click.channel, click.message_ts)
    with services.readers() as session:
        if click.action_id in JOB_BUTTONS:
            check_list_message(session, ids_of(click.value), pressed_on)
            return
        if click.action_id in DIAGNOSIS_BUTTONS:
            check_diagnosis_message(session, diagnoses.get_diagnosis(session, click.subject_id), pressed_on)
            return
        if click.action_id == SHOULD_HAVE_WOKEN:
            check_digest_message(session, click.subject_id, pressed_on)
            return
        incident_id = click.subject_id
        if click.action_id == "approve_fix":
            incident_id = proposals.get_proposal(session, incident_id).incident_id
        check_incident_message(session, incident_id, pressed_on)


def _acknowledge(services: Services, click: Click) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        if incident.acknowledged_by:
            raise RefusedError(f"{incident.acknowledged_by} is on it already.")
        if incident.status is IncidentStatus.MITIGATING:
            raise RefusedError("A fix is under way; the thread says how it goes.")
        incidents.change_status(session, incident, IncidentStatus.ACKNOWLEDGED, actor=click.user_name, now=now)
        enqueue_refresh(session, incident.id, key=f"acknowledged:{incident.id}:{now.timestamp()}", now=now)
        outbox.finish_running(session, now)
        _record(services, session, click, now)


def _resolve(services: Services, click: Click) -> None:
    closing_dialogs.resolve_pressed(
        services, click.subject_id, click.trigger_id, user_id=click.user_id, user_name=click.user_name
    )


def _false_alarm(services: Services, click: Click) -> None:
    closing_dialogs.false_alarm_pressed(services, click.subject_id, click.trigger_id, user_id=click.user_id)


def _reopen(services: Services, click: Click) -> None:
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        reopen_by_hand(services, session, incident, actor=click.user_name, user_id=click.user_id, now=services.clock())


def _create_ticket(services: Services, click: Click) -> None:
    """Enqueue the ticket, or open the dialog that asks for what the Jira project wants filled in."""
    with services.readers() as session:
        _refuse_if_useless(services, incidents.get_incident(session, click.subject_id), click, _ticket_is_there)
    was_opened = bool(dialogs.questions(services, click.action_id))
    if fields := ticket_dialog.fields_to_ask(services):
        ticket_dialog.show(services, click.subject_id, click.trigger_id, fields, user_id=click.user_id)
        return
    enqueue_ticket(services, click, {})
    if was_opened:
        dialogs.show_text(services, click.action_id, click.trigger_id, _TICKET_COMES)


_TICKET_COMES = ours("The ticket is on its way; the incident's thread says its key.")


def _ticket_is_there(incident: Incident) -> str:
    return f"The ticket is there already: {incident.ticket_key}, {incident.ticket_url}" if incident.ticket_key else ""


def enqueue_ticket(services: Services, click: Click, answers: Mapping[str, str]) -> None:
    """Enqueue the ticket, with the fields that a person has filled."""
    more = {"answers": dict(answers)} if answers else {}
    _enqueue_job(services, click, "create_ticket", key="ticket", refusal=_ticket_is_there, more=more)


def _escalate(services: Services, click: Click) -> None:
    def refusal(incident: Incident) -> str:
        return f"{incident.escalated_by} has escalated this already." if incident.escalated_by else ""

    with services.readers() as session:
        refuse_while_quiet(session, incidents.get_incident(session, click.subject_id), services.clock())
    _enqueue_job(services, click, "escalate", key="escalate", refusal=refusal)


def _enqueue_job(
    services: Services,
    click: Click,
    actor: str,
    *,
    key: str,
    refusal: Callable[[Incident], str],
    more: Mapping[str, Any] | None = None,
) -> None:
    """Enqueue the button's job, once per incident; one that was given up begins anew. more: arguments of its own.

    Raise RefusedError where `_refuse_if_useless` does, and while the job is on its way.
    """
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        _refuse_if_useless(services, incident, click, refusal)
        arguments = {"incident_id": incident.id, "user_name": click.user_name, **(more or {})}
        if not outbox.enqueue_again(session, actor, arguments, key=f"{key}:{incident.id}", now=now):
            raise RefusedError("That was asked for already and is on its way; the thread says how it goes.")
        outbox.finish_running(session, now)
        _record(services, session, click, now)


def _refuse_if_useless(
    services: Services, incident: Incident, click: Click, refusal: Callable[[Incident], str]
) -> None:
    """Raise RefusedError if the button's system is not connected, the incident is closed, or `refusal` says so.

    refusal: returns why the button does nothing more for this incident, or "".
    """
    if missing := unset_buttons(services.settings).get(click.action_id):
        raise RefusedError(missing)
    if incident.status.is_closed:
        raise RefusedError("The incident is closed already. Press Reopen on its message first.")
    if reason := refusal(incident):
        raise RefusedError(reason)


def _diagnose_again(services: Services, click: Click) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        diagnose_again(session, incident, actor=click.user_name, now=now)
        outbox.finish_running(session, now)
        _record(services, session, click, now)


def _cause_right(services: Services, click: Click) -> None:
    _say_cause(services, click, is_right=True)


def _cause_wrong(services: Services, click: Click) -> None:
    _say_cause(services, click, is_right=False)


def _say_cause(services: Services, click: Click, *, is_right: bool) -> None:
    with services.sessions.begin() as session:
        diagnosis = diagnoses.get_diagnosis(session, click.subject_id)
        who, user_id = click.user_name, click.user_id
        if not say_cause(services, session, diagnosis, is_right=is_right, actor=who, user_id=user_id):
            raise RefusedError("That was said already; the thread shows by whom.")
        outbox.finish_running(session, services.clock())


def _should_have_woken(services: Services, click: Click) -> None:
    word_on_waiting(services, click.subject_id, channel=click.channel, user_id=click.user_id, user_name=click.user_name)


def _approve_fix(services: Services, click: Click) -> None:
    """Fill the approval dialog, or show in it why that is not possible."""
    try:
        modal = approvals.confirmation(services, click.subject_id, user_id=click.user_id)
    except PermanentError as error:
        if dialogs.show_text(services, click.action_id, click.trigger_id, told(error)):
            return
        raise
    dialogs.show(services, click.trigger_id, modal, user_id=click.user_id)


def _snooze(services: Services, click: Click) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        snooze_incident(services, session, incident, minutes=BUTTON_MINUTES, actor=click.user_name, now=now)
        outbox.finish_running(session, now)


def _unsnooze(services: Services, click: Click) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, click.subject_id)
        unsnooze_incident(services, session, incident, actor=click.user_name, now=now)
        outbox.finish_running(session, now)


def _retry_jobs(services: Services, click: Click) -> None:
    retry_listed(services, click.value, actor=click.user_name)


def _dismiss_jobs(services: Services, click: Click) -> None:
    dismiss_listed(services, click.value, actor=click.user_name)


def record_refusal(services: Services, action: str, value: str, *, user_id: str, user_name: str, reason: str) -> None:
    """Keep in the audit chain what was refused, to whom, and why. user_name: as the chat sent it, not checked."""
    payload = {"action": action, "value": value, "user_id": user_id, "reason": reason}
    with services.sessions.begin() as session:
        audit.append(
            session,
            key=services.audit_key,
            actor=(user_name or user_id)[:LONGEST_NAME],
            event="refused",
            payload=payload,
            now=services.clock(),
        )


def _record(services: Services, session: Session, click: Click, now: datetime) -> None:
    audit.append(
        session,
        key=services.audit_key,
        actor=click.user_name,
        event=click.action_id,
        payload={"incident_id": click.subject_id, "user_id": click.user_id},
        now=now,
    )


JOB_BUTTONS = frozenset(("retry_jobs", "dismiss_jobs"))
"""The buttons under the list of failed jobs."""

DIAGNOSIS_BUTTONS = frozenset((CAUSE_RIGHT, CAUSE_WRONG))
"""The buttons under a diagnosis in the thread. All others stand on an incident's message, or on a digest."""

HANDLERS: dict[str, Callable[[Services, Click], None]] = {
    "acknowledge": _acknowledge,
    "approve_fix": _approve_fix,
    CAUSE_RIGHT: _cause_right,
    CAUSE_WRONG: _cause_wrong,
    "create_ticket": _create_ticket,
    "diagnose_again": _diagnose_again,
    "dismiss_jobs": _dismiss_jobs,
    "escalate": _escalate,
    "false_alarm": _false_alarm,
    "reopen": _reopen,
    "resolve": _resolve,
    "retry_jobs": _retry_jobs,
    SHOULD_HAVE_WOKEN: _should_have_woken,
    "snooze": _snooze,
    "unsnooze": _unsnooze,
}
