"""Say in an incident's thread that something a person asked for was given up."""

from __future__ import annotations

from integrations.cards import Card
from integrations.text import Markup
from storage.outbox import finish_running
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message


def tell_given_up(services: Services, incident_id: int, *, title: str, text: Markup) -> None:
    """Post why it was given up, even in a quiet time, because a person waits for it."""
    now = services.clock()
    with services.sessions.begin() as session:
        enqueue_thread_message(
            session,
            incident_id,
            key=f"given_up:{title}:{now.timestamp()}",
            card=Card(title=title, text=text),
            channel=services.settings.slack_channel,
            now=now,
            is_answer=True,
        )
        # One transaction tells and ends the job, so that a killed worker leaves nothing to be said twice.
        finish_running(session, now)
