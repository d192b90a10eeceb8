"""The dialog that a click opens: opened at once, filled when its content has been read.

Slack accepts a dialog only within 3 seconds of the click, and only once, but reading a change may take longer. So the
web process opens the dialog empty once the click is stored, and the worker fills it later. The first of the two opens
it; the dialog's id, derived from the click, prevents a second one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import structlog

from integrations.cards import Modal
from integrations.errors import IntegrationError, NotFoundError, RejectedError
from integrations.text import Markup, ours
from workers.errors import NotConfiguredError, RefusedError
from workers.services import Services
from workers.telling.sealed_values import seal

log = structlog.get_logger()

TITLES = {"approve_fix": "Approve fix", "resolve": "Resolve", "false_alarm": "False alarm"}
"""The dialog's title for each button that opens one."""

LOADING = {
    "approve_fix": ours("Loading the change …"),
    "resolve": ours("Measuring how it stands …"),
    "false_alarm": ours("Measuring how it stands …"),
}
"""What each dialog shows until it is filled."""


def open_at_once(services: Services, action_id: str, trigger_id: str) -> None:
    """Open the dialog, still empty. On failure only log: the worker opens it if it is not open."""
    loading = _text_modal(action_id, trigger_id, LOADING[action_id])
    try:
        services.chat.open_modal(trigger_id, loading)
    except (IntegrationError, NotConfiguredError) as error:
        log.info("dialog_not_opened_at_once", error=str(error))


def show(services: Services, trigger_id: str, modal: Modal, *, user_id: str) -> None:
    """Fill the dialog, or open it filled, for the person who clicked.

    Raise RefusedError, which they are told, when Slack does not show it.

    Nothing is tried again: the click that may open the dialog is used up by then, and the next click brings a new one.
    """
    modal = replace(seal(services, modal, user_id), dialog_id=_dialog_id(trigger_id))
    try:
        try:
            services.chat.update_modal(modal)
        except NotFoundError:
            _open(services, trigger_id, modal)
    except (IntegrationError, NotConfiguredError) as error:
        raise RefusedError(f"The dialog could not be shown: {error}. Press {modal.title} again.") from error


def _open(services: Services, trigger_id: str, modal: Modal) -> None:
    try:
        services.chat.open_modal(trigger_id, modal)
    except RejectedError:
        # The web process may have opened the dialog after our update failed.
        try:
            services.chat.update_modal(modal)
        except NotFoundError as error:
            raise RefusedError(
                f"The dialog is not open any more, or Slack let it go. Press {modal.title} again."
            ) from error


def show_text(services: Services, action_id: str, trigger_id: str, text: Markup) -> bool:
    """Show a text in the open dialog, such as why there is nothing to decide; return False if it does not."""
    with suppress(IntegrationError, NotConfiguredError):
        services.chat.update_modal(_text_modal(action_id, trigger_id, text))
        return True
    return False


def _text_modal(action_id: str, trigger_id: str, text: Markup) -> Modal:
    return Modal(
        callback_id=f"{action_id}_words",
        title=TITLES[action_id],
        submit_label="",
        value="",
        sections=(text,),
        dialog_id=_dialog_id(trigger_id),
    )


def _dialog_id(trigger_id: str) -> str:
    return f"argux:{trigger_id}"
