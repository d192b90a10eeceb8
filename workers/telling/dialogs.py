"""The dialog that a click opens: there at once, filled when what it shows has been read.

Slack takes a dialog only within 3 seconds of the click, and only once; reading a change may take longer. So the web
process opens it empty as soon as the click is stored, and the worker fills it, whenever that is. Whichever of the two
comes first opens it: the dialog's own id, drawn from the click, keeps there from being two.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import structlog

from integrations.cards import Modal
from integrations.errors import IntegrationError, NotFoundError, RejectedError
from workers.errors import NotConfiguredError, RefusedError
from workers.services import Services

log = structlog.get_logger()

TITLES = {"approve_fix": "Approve fix"}
"""The buttons that open a dialog, and what it is called."""


def open_at_once(services: Services, action_id: str, trigger_id: str) -> None:
    """Show the dialog, still empty. What goes wrong is left to the worker, which opens it where it is not open."""
    loading = _words(action_id, trigger_id, "Loading the change …")
    try:
        services.chat.open_modal(trigger_id, loading)
    except (IntegrationError, NotConfiguredError) as error:
        log.info("dialog_not_opened_at_once", error=str(error))


def show(services: Services, trigger_id: str, modal: Modal) -> None:
    """Fill the dialog, or open it filled; RefusedError where it was closed, or never came up in time."""
    modal = replace(modal, dialog_id=_dialog_id(trigger_id))
    try:
        services.chat.update_modal(modal)
    except NotFoundError:
        _open(services, trigger_id, modal)


def _open(services: Services, trigger_id: str, modal: Modal) -> None:
    try:
        services.chat.open_modal(trigger_id, modal)
    except RejectedError:
        # The web process may have opened it since the update found nothing.
        try:
            services.chat.update_modal(modal)
        except NotFoundError as error:
            raise RefusedError(
                f"The dialog is not open any more, or Slack let it go. Press {modal.title} again."
            ) from error


def tell(services: Services, action_id: str, trigger_id: str, text: str) -> bool:
    """Say in the open dialog why there is nothing to decide (yet); False where no dialog is open."""
    with suppress(NotFoundError):
        services.chat.update_modal(_words(action_id, trigger_id, text))
        return True
    return False


def _words(action_id: str, trigger_id: str, text: str) -> Modal:
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
