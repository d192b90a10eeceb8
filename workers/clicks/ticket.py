"""Create an incident's Jira ticket."""

from __future__ import annotations

from detection.types import Finding
from integrations.cards import Card, CardLink
from integrations.text import Markup, bullets, lines, ours
from storage import audit, incidents
from storage.models import Diagnosis
from workers.diagnosis.account import account, evidence_lines
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.telling.incident_view import incident_view
from workers.words.findings import finding_sentence


def create_ticket(services: Services, incident_id: int, user_name: str) -> None:
    """Create the ticket, or find it if an earlier try created it. Record its key on the incident and in the thread."""
    with services.readers() as session:
        view = incident_view(session, incident_id)
        if view.incident.ticket_key:
            return
        title, severity = view.incident.title, view.incident.severity
        body = _body(view.findings, view.diagnosis, incident_id)
    ticket = services.tickets.create(
        idempotency_key=f"incident-{incident_id}", title=title, body=body, severity=severity
    )
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        incident.ticket_key, incident.ticket_url = ticket.key, ticket.url
        text = ours("{who} created ticket {key}.", who=user_name, key=ticket.key)
        incidents.add_timeline(session, incident_id, kind="ticket_created", actor=user_name, text=text, now=now)
        audit.append(
            session,
            key=services.audit_key,
            actor=user_name,
            event="ticket_created",
            payload={"incident_id": incident_id, "ticket": ticket.key},
            now=now,
        )
        card = Card(title="Ticket created", text=text, links=(CardLink(ticket.key, ticket.url),))
        channel = services.settings.slack_channel
        enqueue_thread_message(session, incident_id, key="ticket", card=card, channel=channel, now=now, is_answer=True)
        enqueue_refresh(session, incident_id, key=f"ticket:{incident_id}", now=now)


def _body(findings: tuple[Finding, ...], diagnosis: Diagnosis | None, incident_id: int) -> Markup:
    parts = [
        ours("Argux incident #{number}\n", number=incident_id),
        bullets(finding_sentence(finding) for finding in findings),
    ]
    if diagnosis is not None and diagnosis.root_cause:
        parts += [ours("\nCause:"), *account(diagnosis), ours("\nEvidence:"), bullets(evidence_lines(diagnosis))]
    return lines(parts)
