"""Check that a button belongs to the message on which it was pressed.

Slack names the message of each click. An incident's buttons stand on its root message, or on one that stood or stands
in for it; those of failed jobs stand on a list that names them, those of a diagnosis under it in the thread, those of
what could wait under a digest that lists it. A click on
a message that is known to be another one's was not drawn by Argux. A message that is not known passes: its id may have
been lost, when Slack's answer was.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from integrations.protocols import MessageReference
from storage import deliveries
from storage.models import Diagnosis
from workers.errors import RefusedError
from workers.telling.dead_letters import LISTED, PURPOSE
from workers.telling.enqueue import thread_key
from workers.triage import digest

ELSEWHERE = (
    "This button was pressed on a message that is not its own, so nothing was done. "
    "Use the newest message about it in the channel."
)


def check_incident_message(session: Session, incident_id: int, pressed_on: MessageReference) -> None:
    """Raise RefusedError if the message is known, and neither shows the incident nor showed it earlier."""
    root = deliveries.root_delivery(session, incident_id)
    if root is not None and pressed_on in [MessageReference(*place) for place in deliveries.places(root)]:
        return
    if deliveries.at(session, pressed_on.channel, pressed_on.message_id) is not None:
        raise RefusedError(ELSEWHERE)


def check_diagnosis_message(session: Session, diagnosis: Diagnosis, pressed_on: MessageReference) -> None:
    """Raise RefusedError if the message is known, and is not the one that tells this diagnosis in the thread."""
    pressed = deliveries.at(session, pressed_on.channel, pressed_on.message_id)
    if pressed is not None and pressed.key != thread_key(diagnosis.incident_id, f"diagnosis:{diagnosis.id}"):
        raise RefusedError(ELSEWHERE)


def check_list_message(session: Session, job_ids: Sequence[int], pressed_on: MessageReference) -> None:
    """Raise RefusedError if the message is known, and is no list of failed jobs that names, or named, each of these."""
    pressed = deliveries.at(session, pressed_on.channel, pressed_on.message_id)
    if pressed is None:
        return
    # A list of an earlier version does not say what it named.
    listed = pressed.content.get(LISTED, job_ids) if pressed.purpose == PURPOSE else ()
    if not set(job_ids) <= set(listed):
        raise RefusedError(ELSEWHERE)


def check_digest_message(session: Session, decision_id: int, pressed_on: MessageReference) -> None:
    """Raise RefusedError if the message is known, and is no digest that lists this decision."""
    pressed = deliveries.at(session, pressed_on.channel, pressed_on.message_id)
    if pressed is None:
        return
    listed = pressed.content.get(digest.LISTED, ()) if pressed.purpose == digest.PURPOSE else ()
    if decision_id not in listed:
        raise RefusedError(ELSEWHERE)
