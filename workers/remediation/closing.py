"""Close a pull request that Argux opened and does not offer any more, as a job of the transaction that decides it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integrations.cards import Card
from integrations.errors import NotFoundError, RejectedError, RetryableError
from integrations.text import Markup, ours, stored
from storage import outbox
from workers.remediation.waiting import is_worth_telling
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message


def enqueue_close(
    session: Session, incident_id: int, *, repository: str, number: int, comment: Markup, now: datetime
) -> None:
    """Enqueue the closing of a pull request; the comment on it says why."""
    arguments = {"incident_id": incident_id, "repository": repository, "number": number, "comment": comment}
    outbox.enqueue(session, "close_pull_request", arguments, key=f"close:{repository}#{number}", now=now)


def close_pull_request(services: Services, incident_id: int, repository: str, number: int, comment: str) -> None:
    """Close the pull request. Idempotent: one that is closed, merged or gone already is left as it is."""
    try:
        services.code_host.close(repository, number, comment=stored(comment))
    except (NotFoundError, RejectedError) as error:
        _tell(services, incident_id, number, ours("{error}.", error=error))
    except RetryableError as error:
        _tell_open_still(services, incident_id, number, error)
        raise


def _tell_open_still(services: Services, incident_id: int, number: int, error: RetryableError) -> None:
    """Say once that the pull request is open still; a hiccup that passes is not told."""
    now = services.clock()
    with services.sessions.begin() as session:
        job = outbox.running_job(session)
        if not is_worth_telling(error, job.since if job is not None else now, now):
            return
        text = ours(
            "Pull request #{number} is not offered any more, and is open still. {error}. Argux goes on trying to close "
            "it: do not merge it meanwhile.",
            number=number,
            error=error,
        )
        card = Card(title="An earlier pull request is not closed yet", text=text)
        channel = services.settings.slack_channel
        enqueue_thread_message(session, incident_id, key=f"open_still:{number}", card=card, channel=channel, now=now)


def close_given_up(
    services: Services, incident_id: int, repository: str, number: int, comment: str, reason: str
) -> None:
    """Tell the thread that the pull request is open still, so that somebody closes it by hand."""
    text = ours("{reason}. Close it by hand: two open ones are easily mixed up.", reason=reason)
    _tell(services, incident_id, number, text)


def _tell(services: Services, incident_id: int, number: int, text: Markup) -> None:
    card = Card(
        title="An earlier pull request was not closed",
        text=ours("Pull request #{number} is not offered any more. {text}", number=number, text=text),
    )
    with services.sessions.begin() as session:
        enqueue_thread_message(
            session,
            incident_id,
            key=f"not_closed:{number}",
            card=card,
            channel=services.settings.slack_channel,
            now=services.clock(),
        )
