"""Create an incident's Jira ticket."""

from __future__ import annotations

from collections.abc import Mapping

from detection.types import Finding
from integrations.cards import Card, CardLink
from integrations.errors import FieldsRequiredError, RetryableError
from integrations.text import Markup, bullets, lines, ours
from storage import audit, incidents
from storage.models import Diagnosis
from workers.clicks import ticket_dialog
from workers.diagnosis.account import account, evidence_lines
from workers.services import Services
from workers.telling import dialogs
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.telling.given_up import tell_given_up
from workers.telling.incident_view import incident_view
from workers.words.findings import finding_sentence


def create_ticket(
    services: Services, incident_id: int, user_name: str, answers: Mapping[str, str] | None = None
) -> None:
    """Create the ticket, or find it if an earlier try created it. Record its key on the incident and in the thread.

    answers: what a person filled in for the fields that the project wants, by the fields' ids.
    """
    with services.readers() as session:
        view = incident_view(session, incident_id)
        if view.incident.ticket_key:
            return
        title, severity = view.incident.title, view.incident.severity
        body = _body(view.findings, view.diagnosis, incident_id)
    try:
        ticket = services.tickets.create(
            idempotency_key=f"incident-{incident_id}",
            title=title,
            body=body,
            severity=severity,
            answers=answers or {},
        )
    except FieldsRequiredError as error:
        # The next press of the button asks for them.
        dialogs.note_questions(services, ticket_dialog.ACTION, error.keys)
        raise
    except RetryableError as error:
        _tell_waiting(services, incident_id, error)
        raise
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


def ticket_given_up(
    services: Services, incident_id: int, user_name: str, reason: str, answers: Mapping[str, str] | None = None
) -> None:
    """Say in the thread why there is no ticket; the button works again."""
    tell_given_up(
        services,
        incident_id,
        title="No ticket was created",
        text=ours(
            "{name} asked for a Jira ticket, and it could not be created: {reason}. "
            "When that is mended, press **Create Jira ticket** again.",
            name=user_name,
            reason=reason,
        ),
    )


def _tell_waiting(services: Services, incident_id: int, error: RetryableError) -> None:
    """Say once in the thread that the ticket comes later, because whoever pressed the button waits for it."""
    text = ours("{error}. Argux goes on trying by itself, and says here how it ends.", error=error)
    card = Card(title="The ticket waits", text=text)
    with services.sessions.begin() as session:
        enqueue_thread_message(
            session,
            incident_id,
            key="ticket_waits",
            card=card,
            channel=services.settings.slack_channel,
            now=services.clock(),
            is_answer=True,
        )


def _body(findings: tuple[Finding, ...], diagnosis: Diagnosis | None, incident_id: int) -> Markup:
    parts = [
        ours("Argux incident #{number}\n", number=incident_id),
        bullets(finding_sentence(finding) for finding in findings),
    ]
    if diagnosis is not None and diagnosis.root_cause:
        parts += [ours("\nCause:"), *account(diagnosis), ours("\nEvidence:"), bullets(evidence_lines(diagnosis))]
    return lines(parts)
