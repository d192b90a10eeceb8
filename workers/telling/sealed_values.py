"""Seal what a dialog brings back: for whom it was opened, and what it is about.

A submitted dialog carries its value, and Slack keeps that value for us. The seal makes sure that it is a value of ours,
that it belongs to this dialog, and that whoever submits it is the person who was shown it.
"""

from __future__ import annotations

import hmac
from dataclasses import replace

from integrations.cards import Modal
from workers.errors import RefusedError
from workers.services import Services

_MARK = "|"
_LENGTH = 32


def seal(services: Services, modal: Modal, user_id: str) -> Modal:
    """Return the dialog with its value sealed for this person."""
    return replace(modal, value=f"{modal.value}{_MARK}{_seal(services, modal.callback_id, modal.value, user_id)}")


def value_of(sealed: str) -> str:
    """Return the value without its seal, which is not looked at."""
    return sealed.rpartition(_MARK)[0] or sealed


def check_seal(services: Services, callback_id: str, sealed: str, user_id: str) -> None:
    """Raise RefusedError unless this dialog was opened with this value, for this person."""
    value, _, given = sealed.rpartition(_MARK)
    if not hmac.compare_digest(_seal(services, callback_id, value, user_id).encode(), given.encode()):
        raise RefusedError(
            "This dialog was opened for somebody else, or by another version of Argux, so nothing was done. "
            "Press the button on the incident's message."
        )


def _seal(services: Services, callback_id: str, value: str, user_id: str) -> str:
    key = hmac.digest(services.audit_key, b"argux: dialogs", "sha256")
    content = "\n".join((callback_id, user_id, value)).encode()
    return hmac.digest(key, content, "sha256").hex()[:_LENGTH]
