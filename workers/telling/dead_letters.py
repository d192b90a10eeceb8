"""Show in the channel which jobs failed for good, in one message that is kept current, with Retry and Dismiss."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from integrations.cards import Card, CardAction, moment
from integrations.errors import PermanentError
from integrations.protocols import MessageReference
from integrations.text import Markup, lines, ours, theirs
from storage import deliveries, outbox
from storage.models import Delivery, OutboxJob
from workers.errors import NotConfiguredError
from workers.locks import one_at_a_time
from workers.services import Services
from workers.telling.root_message import card_hash
from workers.words.jobs import job_text, jobs_text

log = structlog.get_logger()

PURPOSE, LISTED = "jobs", "listed"
SHOWN = 10
"""How many jobs the message lists; its buttons are about these."""

LONGEST_REASON = 300
MOST_REMEMBERED = 500


def tell_dead_letters(services: Services) -> None:
    """Post which jobs failed for good, or edit that message; when the last is dealt with, say so and end it.

    The next failure then begins a new message, as does an edit that is refused, because the message was deleted. If the
    channel refuses a new one, that is only logged: the doctor, the status and `argux jobs list` show the jobs as well.
    """
    with one_at_a_time(services, "dead letters"):
        with services.readers() as session:
            count, _ = outbox.count_dead_letters(session)
            shown = outbox.dead_letters(session, limit=SHOWN)
            message = _open_message(session)
        if message is not None and message.message_id is not None and _show(services, message, shown, count):
            return
        if count:
            with services.sessions.begin() as session:
                message = _open_message(session) or _new_message(services, session)
            _show(services, message, shown, count)


def _show(services: Services, message: Delivery, shown: Sequence[OutboxJob], count: int) -> bool:
    """Post or edit the message, unless it shows the same already; return False if the channel refused.

    Each job that dies asks for this. After a thousand at once the first to run shows all of them.
    """
    card = dead_letters_card(shown, count)
    shows = card_hash(card)
    if message.message_id is not None and message.content_hash == shows:
        return True
    with services.sessions.begin() as session:
        row = deliveries.get_delivery(session, message.id)
        tried_before, row.attempts = row.attempts > 0, row.attempts + 1
        row.content = {**row.content, LISTED: _listed(row, shown)}
    try:
        if message.message_id is None:
            posted = services.chat.post(message.channel, card, idempotency_key=message.key, look_first=tried_before)
        else:
            posted = MessageReference(message.channel, message.message_id)
            services.chat.update(posted, card)
    except (PermanentError, NotConfiguredError) as error:
        log.warning("dead_letters_not_told", error=str(error), count=count)
        with services.sessions.begin() as session:
            deliveries.mark_undelivered(session, deliveries.get_delivery(session, message.id), str(error))
        return False
    now = services.clock()
    with services.sessions.begin() as session:
        row = deliveries.get_delivery(session, message.id)
        row.channel, row.content = posted.channel, {**row.content, "is_over": not count}
        deliveries.mark_delivered(session, row, message_id=posted.message_id, content_hash=shows, now=now)
    return True


def dead_letters_card(shown: Sequence[OutboxJob], count: int) -> Card:
    """Return the message about the newest dead letters, out of `count`; about none, that all is dealt with."""
    if not count:
        return Card(title="Every job that failed is dealt with")
    listed_jobs = [_line(job) for job in shown]
    if count > len(shown):
        listed_jobs.append(ours("… and {jobs} more: `argux jobs list`", jobs=jobs_text(count - len(shown))))
    ids = ",".join(str(job.id) for job in shown)
    which = "all of these" if len(shown) > 1 else "this"
    return Card(
        title=f"{jobs_text(count)} failed for good",
        text=lines(listed_jobs),
        actions=(
            CardAction("retry_jobs", "Retry", ids),
            CardAction("dismiss_jobs", "Dismiss", ids, confirm=f"Dismiss {which}? It will not be done."),
        ),
        context=ours("Retry when what is named is mended. `argux jobs` does it one by one."),
    )


def _listed(message: Delivery, shown: Sequence[OutboxJob]) -> list[int]:
    """Return the ids of the jobs that the message names or named; a button drawn earlier may be pressed still."""
    return sorted({*message.content.get(LISTED, ()), *(job.id for job in shown)})[-MOST_REMEMBERED:]


def _line(job: OutboxJob) -> Markup:
    assert job.dead_at is not None
    return ours(
        "- **#{number}** {what}, {dead}: {reason}",
        number=job.id,
        what=job_text(job),
        dead=moment(job.dead_at.timestamp()),
        reason=theirs(job.error or "no reason is known", LONGEST_REASON),
    )


def _open_message(session: Session) -> Delivery | None:
    """Return the newest message of this kind, unless it said that all is dealt with, or was refused."""
    message = deliveries.newest(session, PURPOSE)
    if message is None or message.content.get("is_over") or message.status == "undelivered":
        return None
    return message


def _new_message(services: Services, session: Session) -> Delivery:
    now = services.clock()
    return deliveries.create_delivery(
        session,
        key=f"jobs:{now.timestamp()}",
        incident_id=None,
        purpose=PURPOSE,
        channel=services.settings.slack_channel,
        content={"is_over": False},
        now=now,
    )
