"""Escalate an incident: post its card, without buttons, to the Teams webhook."""

from __future__ import annotations

from integrations.cards import Card
from integrations.errors import RetryableError
from integrations.text import ours, theirs
from storage import audit, incidents
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.telling.given_up import tell_given_up
from workers.telling.incident_view import incident_view
from workers.telling.root_card import root_card


def escalate(services: Services, incident_id: int, user_name: str) -> None:
    """Post the card once. If the webhook's response is lost, the retry posts again: a webhook cannot be queried."""
    with services.readers() as session:
        view = incident_view(session, incident_id)
        if view.incident.escalated_at is not None:
            return
        card = root_card(view, None)
    call = Card(
        title=card.title,
        severity=card.severity,
        text=card.text,
        fields=(*card.fields, ("Escalated by", theirs(user_name))),
        sections=card.sections,
        links=card.links,
        context=ours("Answer in {channel} on Slack.", channel=services.settings.slack_channel),
    )
    try:
        services.escalation.escalate(call)
    except RetryableError as error:
        _tell_waiting(services, incident_id, error)
        raise
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        incident.escalated_at, incident.escalated_by = now, user_name
        text = ours("{who} escalated this to Teams.", who=user_name)
        incidents.add_timeline(session, incident_id, kind="escalated", actor=user_name, text=text, now=now)
        audit.append(
            session,
            key=services.audit_key,
            actor=user_name,
            event="escalated",
            payload={"incident_id": incident_id},
            now=now,
        )
        channel = services.settings.slack_channel
        enqueue_thread_message(
            session, incident_id, key="escalated", card=Card(title="Escalated", text=text), channel=channel, now=now
        )
        enqueue_refresh(session, incident_id, key=f"escalated:{incident_id}", now=now)


def _tell_waiting(services: Services, incident_id: int, error: RetryableError) -> None:
    """Say once in the thread that nobody is called yet, because whoever pressed the button counts on it."""
    text = ours(
        "{error}. Nobody is called yet: Argux goes on trying by itself, and says here how it ends. If it cannot wait, "
        "call somebody yourself.",
        error=error,
    )
    with services.sessions.begin() as session:
        enqueue_thread_message(
            session,
            incident_id,
            key="escalation_waits",
            card=Card(title="The escalation waits", text=text),
            channel=services.settings.slack_channel,
            now=services.clock(),
            is_answer=True,
        )


def escalation_given_up(services: Services, incident_id: int, user_name: str, reason: str) -> None:
    """Say in the thread why nobody was called; the button works again."""
    tell_given_up(
        services,
        incident_id,
        title="Nobody was called",
        text=ours(
            "{name} escalated this, and Teams could not be told: {reason}. "
            "Call somebody yourself; when that is mended, **Escalate** works again.",
            name=user_name,
            reason=reason,
        ),
    )
