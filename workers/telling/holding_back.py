"""Hold a message back while its incident is quiet: under maintenance, or snoozed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from integrations.cards import NOTHING
from integrations.text import Markup, ours
from storage import deliveries, incidents
from storage.models import Delivery, Incident
from workers.errors import RefusedError
from workers.services import Services
from workers.telling.quiet_reasons import quiet_time_of
from workers.words.findings import duration_text

_QUIET_STATUSES = ("held", "muted")
"""The statuses of a delivery held back during a quiet time, and dropped after it."""


def hold_back_if_quiet(services: Services, session: Session, delivery: Delivery) -> bool:
    """Hold a message back if its incident is quiet now; drop it if the incident was closed during its quiet time.

    Return whether the message was held back or dropped. This is the only place where maintenance windows and snoozes
    suppress anything; everything is recorded anyway. The answer to a person's own decision is always sent if the
    incident's root message is posted.
    """
    assert delivery.incident_id is not None
    if delivery.purpose == "answer" and _is_posted(deliveries.root_delivery(session, delivery.incident_id)):
        return False
    now = services.clock()
    incident = incidents.get_incident(session, delivery.incident_id)
    quiet = quiet_time_of(session, incident, now)
    if quiet is not None:
        if delivery.purpose == "root" and delivery.status != "held":
            incidents.add_timeline(
                session,
                incident.id,
                kind="quiet",
                actor=incidents.ARGUX,
                text=ours("Quiet: {quiet}.", quiet=quiet.text),
                now=now,
            )
        if delivery.purpose == "root":
            delivery.content = {**delivery.content, "kept_quiet": quiet.why}
        delivery.status = "held"
        return True
    root = deliveries.root_delivery(session, incident.id)
    was_quiet = delivery.status in _QUIET_STATUSES or (root is not None and root.status in _QUIET_STATUSES)
    if was_quiet and incident.status.is_closed:
        delivery.status = "muted"
        return True
    return False


def _is_posted(root: Delivery | None) -> bool:
    return root is not None and root.message_id is not None


def late_reason(services: Services, incident: Incident, content: dict[str, Any]) -> Markup:
    """Return why the message is late, if it was held back; else an empty text."""
    if "kept_quiet" not in content:
        return NOTHING
    lasted = duration_text((services.clock() - incident.onset_at).total_seconds())
    return ours("Told only now: {why}. It has been going on for {lasted}.", why=content["kept_quiet"], lasted=lasted)


def refuse_while_quiet(session: Session, incident: Incident, now: datetime) -> None:
    """Raise RefusedError during a quiet time, when no more people may be called."""
    quiet = quiet_time_of(session, incident, now)
    if quiet is not None:
        raise RefusedError(ours("{quiet}: nobody is called. End that first.", quiet=quiet.text))
