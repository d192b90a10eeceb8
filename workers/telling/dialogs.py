"""The dialog that a click opens: opened at once, filled when its content has been read.

Slack accepts a dialog only within 3 seconds of the click, and only once, but reading a change may take longer. So the
web process opens the dialog empty once the click is stored, and the worker fills it later. The first of the two opens
it; the dialog's id, derived from the click, prevents a second one.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

import structlog
from redis.exceptions import RedisError

from integrations.cards import Modal
from integrations.errors import IntegrationError, NotFoundError, RejectedError
from integrations.text import Markup, ours
from workers.errors import NotConfiguredError, RefusedError
from workers.services import Services
from workers.telling.sealed_values import seal

log = structlog.get_logger()

TITLES = {
    "approve_fix": "Approve fix",
    "create_ticket": "Create Jira ticket",
    "false_alarm": "False alarm",
    "resolve": "Resolve",
}
"""The dialog's title for each button that opens one."""

SOMETIMES = frozenset({"create_ticket"})
"""The buttons that open a dialog only where there is something to ask: `note_questions` says so."""

LOADING = {
    "approve_fix": ours("Loading the change …"),
    "create_ticket": ours("Asking Jira what the ticket needs …"),
    "resolve": ours("Measuring how it stands …"),
    "false_alarm": ours("Measuring how it stands …"),
}
"""What each dialog shows until it is filled."""

_QUESTIONS_SECONDS = 30 * 24 * 3600


def open_at_once(services: Services, action_id: str, trigger_id: str) -> None:
    """Open the dialog, still empty. On failure only log: the worker opens it if it is not open."""
    if action_id in SOMETIMES and not questions(services, action_id):
        return
    loading = _text_modal(action_id, trigger_id, LOADING[action_id])
    try:
        services.chat.open_modal(trigger_id, loading)
    except (IntegrationError, NotConfiguredError) as error:
        log.info("dialog_not_opened_at_once", error=str(error))


def note_questions(services: Services, action_id: str, names: Collection[str]) -> None:
    """Keep what a button's dialog has to ask for, so that the next press opens it at once; no names: forget it."""
    with suppress(RedisError, NotConfiguredError):
        if names:
            services.redis.set(_questions_key(action_id), json.dumps(sorted(names)), ex=_QUESTIONS_SECONDS)
        else:
            services.redis.delete(_questions_key(action_id))


def questions(services: Services, action_id: str) -> list[str]:
    """Return what the button's dialog had to ask for of late; nothing while that cannot be looked up."""
    with suppress(RedisError, NotConfiguredError):
        kept = services.redis.get(_questions_key(action_id))
        if isinstance(kept, bytes):
            return [str(name) for name in json.loads(kept)]
    return []


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
    except RejectedError as refusal:
        # The web process may have opened the dialog after our update failed.
        try:
            services.chat.update_modal(modal)
        except NotFoundError as error:
            raise RefusedError(
                f"The dialog is not open any more, or Slack let it go ({refusal}). Press {modal.title} again."
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


def _questions_key(action_id: str) -> str:
    return f"argux:questions:{action_id}"


def _dialog_id(trigger_id: str) -> str:
    return f"argux:{trigger_id}"
