"""Handle submitted dialogs. Only the person who submitted one sees why it is refused."""

from __future__ import annotations

from typing import Any

from integrations.errors import RetryableError
from integrations.text import ours
from storage.errors import StorageError
from workers.clicks import closing_dialogs, ticket_dialog
from workers.clicks.buttons import Click, enqueue_ticket, record_refusal
from workers.clicks.waiting import tell_waiting
from workers.errors import RefusedError, told, told_plainly
from workers.remediation import approvals
from workers.services import Services
from workers.telling.channels.private_messages import post_privately
from workers.telling.permissions import member
from workers.telling.sealed_values import check_seal, value_of


def handle_submission(
    services: Services,
    callback_id: str,
    value: str,
    user_id: str,
    user_name: str,
    view_id: str,
    answers: dict[str, str] | None = None,
    team_id: str | None = None,
) -> None:
    """Handle a submitted dialog: an approval, the closing of an incident, or a ticket's fields.

    value: sealed for the person whom the dialog was opened for. answers: what was typed and chosen in it.
    """
    sealed, value = value, value_of(value)
    try:
        if callback_id not in _SUBMISSIONS:
            raise RefusedError("This dialog is from another version of Argux. Press the button again.")
        name = member(services, user_id, team_id=team_id).name
        check_seal(services, callback_id, sealed, user_id)
        if callback_id == approvals.CALLBACK_ID:
            approvals.approve(services, value, user_id=user_id, user_name=name)
        elif callback_id == ticket_dialog.CALLBACK:
            enqueue_ticket(services, Click(ticket_dialog.ACTION, value, user_id, name, "", "", ""), answers or {})
        else:
            closing_dialogs.submitted(services, callback_id, value, answers or {}, user_id=user_id, user_name=name)
    except (RefusedError, StorageError) as refusal:
        record_refusal(services, callback_id, value, user_id=user_id, user_name=user_name, reason=told_plainly(refusal))
        post_privately(services, _channel_of_dialog(services, callback_id, value), user_id, told(refusal))
    except RetryableError as error:
        tell_waiting(services, _channel_of_dialog(services, callback_id, value), user_id, error)
        raise


def _channel_of_dialog(services: Services, callback_id: str, value: str) -> str:
    """Return the channel of the message that the dialog is about; the channel of all incidents if that is not known."""
    try:
        if callback_id in closing_dialogs.CALLBACKS:
            return closing_dialogs.channel_of(services, closing_dialogs.parse_value(value)[0])
        if callback_id == ticket_dialog.CALLBACK:
            return closing_dialogs.channel_of(services, Click("", value, "", "", "", "", "").subject_id)
        return approvals.channel_of(services, value)
    except (RefusedError, StorageError):
        return services.settings.slack_channel


def submission_given_up(services: Services, reason: str, **arguments: Any) -> None:
    """Tell the person who submitted the dialog that it failed even after all retries."""
    callback_id, value = arguments["callback_id"], value_of(arguments["value"])
    text = ours(
        "{what}: {reason}. {outcome} Press {button} again when it is mended.",
        reason=reason,
        **_SUBMISSIONS.get(callback_id, _SUBMISSIONS[approvals.CALLBACK_ID]),
    )
    post_privately(services, _channel_of_dialog(services, callback_id, value), arguments["user_id"], text)


_SUBMISSIONS = {
    approvals.CALLBACK_ID: {
        "what": "Your approval could not be recorded",
        "outcome": "Nothing was merged.",
        "button": "Approve fix",
    },
    "confirm_resolve": {
        "what": "The incident could not be resolved",
        "outcome": "It is open still.",
        "button": "Resolve",
    },
    "confirm_false_alarm": {
        "what": "The incident could not be closed as a false alarm",
        "outcome": "It is open still.",
        "button": "False alarm",
    },
    ticket_dialog.CALLBACK: {
        "what": "Your answers could not be recorded",
        "outcome": "No ticket was created.",
        "button": "Create Jira ticket",
    },
}
"""The dialogs: what each did not do when it failed for good, and the button that opens it."""
