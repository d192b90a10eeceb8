"""The button under the digest: a person says that what waited should have woken people."""

from __future__ import annotations

from storage import outbox
from workers.errors import RefusedError
from workers.services import Services
from workers.triage.answer import SHOULD_HAVE_WOKEN, say_it_should_have_woken


def word_on_waiting(services: Services, decision_id: int, *, channel: str, user_id: str, user_name: str) -> None:
    """Keep the word and tell the person what follows from it. Raise RefusedError if somebody has said so already."""
    now = services.clock()
    with services.sessions.begin() as session:
        is_new, text = say_it_should_have_woken(services, session, decision_id, actor=user_name, user_id=user_id)
        if not is_new:
            raise RefusedError("Somebody has said that already, and it counts.")
        arguments = {
            "channel": channel,
            "user_id": user_id,
            "text": text,
            "thread_id": None,
            "response_url": None,
            "since": now.timestamp(),
        }
        outbox.enqueue(session, "tell_person", arguments, key=f"{SHOULD_HAVE_WOKEN}:{decision_id}", now=now)
        outbox.finish_running(session, now)
