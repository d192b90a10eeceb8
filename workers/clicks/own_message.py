"""Check that a button belongs to the message on which it was pressed.

Slack names the message of each click. An incident's buttons stand on its root message, or on one that stood or stands
in for it; those of failed jobs stand on a list that names them. A click whose value names anything else was not drawn
by Argux.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from integrations.protocols import MessageReference
from storage import deliveries
from storage.models import Delivery
from workers.errors import RefusedError
from workers.telling.dead_letters import LISTED, PURPOSE

ELSEWHERE = (
    "This button was pressed on a message that is not its own, so nothing was done. "
    "Use the newest message about it in the channel."
)


def check_incident_message(session: Session, incident_id: int, pressed_on: MessageReference) -> None:
    """Raise RefusedError unless the message shows the incident, or showed it before it was posted anew."""
    root = deliveries.root_delivery(session, incident_id)
    if root is not None and pressed_on in [MessageReference(*place) for place in deliveries.places(root)]:
        return
    _refuse_unless_just_posted(session, root, pressed_on)


def check_list_message(session: Session, job_ids: Sequence[int], pressed_on: MessageReference) -> None:
    """Raise RefusedError unless the message is a list of failed jobs that names, or named, each of these."""
    pressed = deliveries.at(session, pressed_on.channel, pressed_on.message_id)
    if pressed is not None and pressed.purpose == PURPOSE:
        # A list of an earlier version does not say what it named.
        listed = pressed.content.get(LISTED)
        if listed is None or set(job_ids) <= set(listed):
            return
        raise RefusedError(ELSEWHERE)
    _refuse_unless_just_posted(session, deliveries.newest(session, PURPOSE), pressed_on)


def _refuse_unless_just_posted(session: Session, own: Delivery | None, pressed_on: MessageReference) -> None:
    """Let a click pass on a message that is not known yet: it was just posted, and its id is not stored yet."""
    is_stored = own is not None and own.message_id is not None
    if is_stored or deliveries.at(session, pressed_on.channel, pressed_on.message_id) is not None:
        raise RefusedError(ELSEWHERE)
