"""Handle alerts that ended: post it on their incident, and resolve an incident that has only ended alerts.

A flapping alert fires again within minutes. So its end is posted, and its incident resolved, only when it has not fired
for QUIET_SECONDS. Flapping then makes one incident with few messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from detection.types import IncidentStatus, Metric
from integrations.cards import Card
from integrations.text import ours
from storage import audit, incidents
from storage.alerts import FIRING, alerts_named, resolve_stale_alerts, unannounced_ends
from storage.database.rows import hold
from storage.models import Alert, FindingRecord, Incident
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.troubles import Troubles
from workers.words.findings import duration_text

QUIET_SECONDS = 120.0
"""How long an alert must have been over before its end is posted."""


def resolve_ended_alerts(services: Services, troubles: Troubles, now: datetime) -> None:
    """Post the ends of alerts over for QUIET_SECONDS, and resolve the incidents whose findings are all ended alerts.

    Each alert and each incident is a transaction of its own.
    """
    ended_by = now - timedelta(seconds=QUIET_SECONDS)
    with troubles.apart("ending alerts that are no longer sent"), services.sessions.begin() as session:
        resolve_stale_alerts(session, now=now)
    with services.readers() as session:
        ended = unannounced_ends(session, ended_by=ended_by)
        active = incidents.active_incidents(session)
        over = []
        for incident in active:
            with troubles.apart(f"looking whether the alerts of incident #{incident.id} are over"):
                over += [incident.id] if _are_alerts_over(session, incident, ended_by) else []
    for alert_id in ended:
        with troubles.apart(f"telling the end of alert {alert_id}"), services.sessions.begin() as session:
            _post_end(services, session, session.get_one(Alert, alert_id), active, now)
    for incident_id in over:
        with troubles.apart(f"resolving incident #{incident_id}"), services.sessions.begin() as session:
            incident = incidents.get_incident(session, incident_id)
            hold(session, incident)
            if _are_alerts_over(session, incident, ended_by):
                _resolve(services, session, incident, now)


def _post_end(services: Services, session: Session, alert: Alert, active: Sequence[Incident], now: datetime) -> None:
    """Post on the alert's active incident, if there is one, that the alert ended."""
    incident = next((one for one in active if any(_matches(record, alert) for record in one.findings)), None)
    if incident is not None:
        hold(session, incidents.get_incident(session, incident.id))
    alert.told_at = now
    if incident is None or alert.ended_at is None:
        return
    lasted = duration_text((alert.ended_at - alert.started_at).total_seconds())
    others = [one for one in alerts_named(session, alert.name, alert.service) if one.state == FIRING]
    text = ours("{name} is over; it fired for {lasted}.", name=alert.name, lasted=lasted)
    if others:
        text = ours(
            "{name} is over in one place, where it fired for {lasted}; {others} still firing.",
            name=alert.name,
            lasted=lasted,
            others=len(others),
        )
    incidents.add_timeline(session, incident.id, kind="alert_over", actor=incidents.ARGUX, text=text, now=now)
    enqueue_thread_message(
        session,
        incident.id,
        key=f"alert_over:{alert.id}:{alert.ended_at.timestamp()}",
        card=Card(title="Alert over", text=text),
        channel=services.settings.slack_channel,
        now=now,
    )
    enqueue_refresh(session, incident.id, key=f"alerts_over:{incident.id}:{now.timestamp()}", now=now)


def _matches(record: FindingRecord, alert: Alert) -> bool:
    subject = record.subject
    return (
        record.metric == Metric.ALERT.value
        and subject["name"] == alert.name
        and subject.get("service") == alert.service
    )


def _are_alerts_over(session: Session, incident: Incident, ended_by: datetime) -> bool:
    """Return whether all findings of an open or acknowledged incident are alerts that ended by `ended_by`."""
    if not incident.status.awaits_people or not incident.findings:
        return False
    if any(record.metric != Metric.ALERT.value for record in incident.findings):
        return False
    return all(is_alert_over(session, record, ended_by) for record in incident.findings)


def is_alert_over(session: Session, record: FindingRecord, ended_by: datetime) -> bool:
    """Return whether all alerts of this finding ended by `ended_by`."""
    alerts = alerts_named(session, record.subject["name"], record.subject["service"])
    return all(alert.state != FIRING and alert.ended_at is not None and alert.ended_at <= ended_by for alert in alerts)


def _resolve(services: Services, session: Session, incident: Incident, now: datetime) -> None:
    incidents.change_status(session, incident, IncidentStatus.RESOLVED, actor=incidents.ARGUX, now=now)
    count = len(incident.findings)
    which = "Its alert is" if count == 1 else f"All {count} of its alerts are"
    lasted = duration_text((now - incident.onset_at).total_seconds())
    text = ours(
        "{which} over, and nothing else was wrong. The incident is resolved; it lasted {lasted}.",
        which=which,
        lasted=lasted,
    )
    enqueue_thread_message(
        session,
        incident.id,
        key=f"alerts_over:{incident.id}:{now.timestamp()}",
        card=Card(title="Resolved", text=text),
        channel=services.settings.slack_channel,
        now=now,
    )
    payload = {"incident_id": incident.id, "why": "all alerts are over"}
    audit.append(session, key=services.audit_key, actor=incidents.ARGUX, event="resolve", payload=payload, now=now)
    enqueue_refresh(session, incident.id, key=f"resolved:{incident.id}:{now.timestamp()}", now=now)
