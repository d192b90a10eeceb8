"""Release the messages that a snooze or a maintenance window held back, if the incident is still open."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integrations.cards import Card
from integrations.text import Markup, ours
from storage import deliveries, incidents, maintenance, outbox
from storage.database.rows import hold
from storage.models import Delivery, Incident
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.telling.quiet_reasons import quiet_time_of
from workers.troubles import Troubles
from workers.words.findings import duration_text


def end_quiet_times(services: Services, troubles: Troubles) -> None:
    """End the snoozes and maintenance windows whose time is over, and release the messages they held.

    Each incident and each window is a transaction of its own.
    """
    now = services.clock()
    with services.readers() as session:
        snoozed = incidents.expired_snoozes(session, now)
        held = deliveries.incidents_with_held(session)
    for incident_id in snoozed:
        with troubles.apart(f"ending the snooze of incident #{incident_id}"), services.sessions.begin() as session:
            incident = incidents.get_incident(session, incident_id)
            hold(session, incident)
            if incident.snoozed_until is not None and incident.snoozed_until <= now:
                text = ours("The snooze is over.")
                end_snooze(services, session, incident, text=text, actor=incidents.ARGUX, now=now)
    with troubles.apart("ending maintenance windows"), services.sessions.begin() as session:
        for window in maintenance.close_ended_windows(session, now):
            for incident in incidents.active_incidents(session):
                # The incident's message may still show the window.
                enqueue_refresh(session, incident.id, key=f"window:{window.id}:{incident.id}", now=now)
    for incident_id in held:
        with troubles.apart(f"releasing the messages of incident #{incident_id}"), services.sessions.begin() as session:
            incident = incidents.get_incident(session, incident_id)
            hold(session, incident)
            release(services, session, incident, now=now)


def end_snooze(
    services: Services, session: Session, incident: Incident, *, text: Markup, actor: str, now: datetime
) -> None:
    """End an incident's snooze. If it is still open and its root message is posted, say so in the thread."""
    incident.snoozed_until = incident.snoozed_by = None
    incidents.add_timeline(session, incident.id, kind="unsnoozed", actor=actor, text=text, now=now)
    enqueue_refresh(session, incident.id, key=f"unsnoozed:{incident.id}:{now.timestamp()}", now=now)
    root = deliveries.root_delivery(session, incident.id)
    if incident.status.is_closed or root is None or root.message_id is None:
        return
    lasted = duration_text((now - incident.onset_at).total_seconds())
    card = Card(title="Still broken", text=ours("{text} It has been going on for {lasted}.", text=text, lasted=lasted))
    key = f"unsnoozed:{now.timestamp()}"
    enqueue_thread_message(session, incident.id, key=key, card=card, channel=services.settings.slack_channel, now=now)


def release(services: Services, session: Session, incident: Incident, *, now: datetime) -> None:
    """Enqueue the held messages, unless the incident is still quiet. Those of a closed incident are never sent."""
    if quiet_time_of(session, incident, now) is not None:
        return
    held = deliveries.held(session, incident.id)
    is_over = incident.status.is_closed
    for delivery in held:
        delivery.status = "muted" if is_over else "pending"
        if not is_over:
            _enqueue(session, delivery, incident.id, now)
    if held and not is_over and any(delivery.purpose == "root" for delivery in held):
        text = "Told now: the quiet time is over, and it still goes on."
        incidents.add_timeline(session, incident.id, kind="told", actor=incidents.ARGUX, text=text, now=now)


def _enqueue(session: Session, delivery: Delivery, incident_id: int, now: datetime) -> None:
    if delivery.purpose == "root":
        enqueue_refresh(session, incident_id, key=f"told:{incident_id}:{now.timestamp()}", now=now)
        return
    key = f"deliver:{delivery.key}:{now.timestamp()}"
    outbox.enqueue(session, "deliver", {"delivery_id": delivery.id}, key=key, now=now)
