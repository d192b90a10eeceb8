"""The dialogs of Resolve and False alarm: they say what is broken still, and ask for a confirmation or a reason."""

from __future__ import annotations

from collections.abc import Mapping

from detection.types import IncidentStatus
from integrations.cards import Modal, ModalInput
from integrations.text import Markup, ours
from storage import deliveries, incidents
from storage.errors import InvalidTransitionError
from workers.clicks.closing import LONGEST_REASON, broken_now, close_by_hand, closed_text
from workers.clicks.ids import id_of
from workers.errors import RefusedError
from workers.lifecycle.grouping import MUTE_HOURS
from workers.services import Services
from workers.telling import dialogs
from workers.watching.still_broken import Condition

CALLBACKS = {"confirm_resolve": IncidentStatus.RESOLVED, "confirm_false_alarm": IncidentStatus.FALSE_ALARM}
"""The dialogs' callback ids, and what each of them closes an incident as."""

REASON = "reason"
_BROKEN, _USUAL = "broken", "usual"


def resolve_pressed(services: Services, incident_id: int, trigger_id: str, *, user_id: str, user_name: str) -> None:
    """Resolve the incident; if it is broken still, open the dialog that says so instead."""
    _refuse_if_closed(services, incident_id, IncidentStatus.RESOLVED)
    broken = broken_now(services, incident_id)
    if broken:
        dialogs.show(services, trigger_id, _resolve_modal(incident_id, broken), user_id=user_id)
        return
    text = _close(services, incident_id, IncidentStatus.RESOLVED, user_id=user_id, user_name=user_name, broken=broken)
    dialogs.show_text(services, "resolve", trigger_id, text)


def false_alarm_pressed(services: Services, incident_id: int, trigger_id: str, *, user_id: str) -> None:
    """Open the dialog that asks why it is a false alarm, and says what is broken still."""
    _refuse_if_closed(services, incident_id, IncidentStatus.FALSE_ALARM)
    modal = _false_alarm_modal(incident_id, broken_now(services, incident_id))
    dialogs.show(services, trigger_id, modal, user_id=user_id)


def submitted(
    services: Services, callback_id: str, value: str, answers: Mapping[str, str], *, user_id: str, user_name: str
) -> None:
    """Close the incident as the submitted dialog says. Raise RefusedError if it broke again since the dialog opened."""
    incident_id, was_broken = parse_value(value)
    broken = broken_now(services, incident_id)
    if broken.broken and not was_broken:
        raise RefusedError(
            ours(
                "It is broken again since you looked: {broken}. Nothing was closed; press the button again.",
                broken=broken.text,
            )
        )
    _close(
        services,
        incident_id,
        CALLBACKS[callback_id],
        user_id=user_id,
        user_name=user_name,
        broken=broken,
        reason=answers.get(REASON, ""),
    )


def parse_value(value: str) -> tuple[int, bool]:
    """Return the incident's id, and whether the dialog said that it is broken still. Raises RefusedError."""
    incident_id, _, state = value.partition(":")
    if state not in (_BROKEN, _USUAL):
        raise RefusedError("This dialog is from another version of Argux. Press the button again.")
    return id_of(incident_id), state == _BROKEN


def channel_of(services: Services, incident_id: int) -> str:
    """Return the channel of the incident's message; a dialog's submission does not carry it."""
    with services.readers() as session:
        root = deliveries.root_delivery(session, incident_id)
        return root.channel if root is not None else services.settings.slack_channel


def _refuse_if_closed(services: Services, incident_id: int, status: IncidentStatus) -> None:
    with services.readers() as session:
        incident = incidents.get_incident(session, incident_id)
        if incident.status.is_closed:
            raise InvalidTransitionError(incident.status, status)


def _close(
    services: Services,
    incident_id: int,
    status: IncidentStatus,
    *,
    user_id: str,
    user_name: str,
    broken: Condition,
    reason: str = "",
) -> Markup:
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        close_by_hand(
            services,
            session,
            incident,
            status,
            actor=user_name,
            user_id=user_id,
            broken=broken,
            reason=reason,
            now=services.clock(),
        )
        return closed_text(incident)


def _resolve_modal(incident_id: int, broken: Condition) -> Modal:
    effect = ours("If it stays so, `/argux status` goes on saying it, and the incident is opened again after a while.")
    return _modal("resolve", incident_id, broken, submit_label="Resolve all the same", effect=effect)


def _false_alarm_modal(incident_id: int, broken: Condition) -> Modal:
    effect = ours(
        "The same findings are told to nobody for {hours} h. They are recorded, `/argux status` shows "
        "them, and Reopen ends the mute. An offered fix is withdrawn, and its pull request closed.",
        hours=f"{MUTE_HOURS:.0f}",
    )
    reason = ModalInput(REASON, "Why is this a false alarm?", LONGEST_REASON)
    return _modal("false_alarm", incident_id, broken, submit_label="Mute for a day", effect=effect, inputs=(reason,))


def _modal(
    action_id: str,
    incident_id: int,
    broken: Condition,
    *,
    submit_label: str,
    effect: Markup,
    inputs: tuple[ModalInput, ...] = (),
) -> Modal:
    """Return the dialog of a closing: whether it is broken still, and what closing it does."""
    state = (
        ours("**{heading}:** {broken}.", heading=broken.heading, broken=broken.text)
        if broken
        else ours("Nothing of it is measured as broken any more.")
    )
    return Modal(
        callback_id=f"confirm_{action_id}",
        title=dialogs.TITLES[action_id],
        submit_label=submit_label,
        value=f"{incident_id}:{_BROKEN if broken else _USUAL}",
        sections=(state, effect),
        inputs=inputs,
    )
