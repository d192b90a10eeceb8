"""The relay: sends committed outbox jobs to the broker, and sends again what the broker has lost."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog

from storage import outbox
from storage.database.base import Unreadable
from workers.errors import BrokerAwayError
from workers.locks import LEASE_SECONDS
from workers.queueing.broker import Held, held_messages, send
from workers.queueing.queues import QUEUES
from workers.services import Services

log = structlog.get_logger()

POLL_SECONDS = 0.1
LOOK_SECONDS = 5.0
"""How often lost jobs are looked for, and how long after its sending a job may first be found lost."""

LOOKED_AT = 5_000
"""How many jobs on their way are looked at in one pass, the first sent first."""

BATCH = 100


def relay_once(services: Services) -> int:
    """Send the due jobs and return their number. Raise BrokerAwayError when the broker is away; they stay due.

    A job that only another version of Argux knows, or whose arguments cannot be read, becomes a dead letter, so that it
    holds up no other.
    """
    with services.sessions.begin() as session:
        now = services.clock()
        jobs = outbox.due(session, now=now, limit=BATCH)
        for job in jobs:
            if fault := _fault_of(job):
                outbox.fail(session, job.key, fault, now=now, permanent=True)
                continue
            message_id = send(services.broker, job.actor, {"outbox_key": job.key, **job.arguments})
            outbox.mark_sent(session, job.key, now, message_id=message_id)
        return len(jobs)


def _fault_of(job: outbox.DueJob) -> str:
    """Return why the job can never run; "" if it can."""
    if job.actor not in QUEUES:
        return f"this version has no job {job.actor}"
    if isinstance(job.arguments, Unreadable):
        return "what is stored of its arguments cannot be read; correct them in the table outbox, then retry it"
    return ""


def resend_lost(services: Services) -> int:
    """Make jobs due again whose message the broker no longer holds though they have not ended; return how many.

    The broker holds a message from its sending until its job has ended. It loses messages when Redis is emptied, or
    restarts without what it held; a job's message also goes when its outcome could not be written to the database. What
    merely waits in a queue, however long, is held. A job that a worker has begun is left alone for the time of a lease,
    in which a living worker takes its own back.
    """
    now = services.clock()
    with services.readers() as session:
        sent = outbox.sent_and_unfinished(session, sent_before=now - timedelta(seconds=LOOK_SECONDS), limit=LOOKED_AT)
    try:
        known = [Held(job.actor, job.message_id) for job in sent if job.message_id and job.actor in QUEUES]
        held = held_messages(services.broker, known)
    except BrokerAwayError as error:
        log.warning("broker_away", error=str(error))
        return 0
    lost = [job for job in sent if job.message_id not in held]
    count = 0
    for first in range(0, len(lost), BATCH):
        with services.sessions.begin() as session:
            count += sum(
                outbox.send_again(session, job, now=now, begun_delay_seconds=LEASE_SECONDS)
                for job in lost[first : first + BATCH]
            )
    if count:
        log.warning("jobs_sent_again", count=count)
    return count


def relay_until(services: Services, stop: threading.Event) -> None:
    """Relay until `stop` is set. On a database or broker error, retry with exponential backoff up to 5 s."""
    wait = POLL_SECONDS
    while not stop.wait(wait):
        try:
            sent = relay_once(services)
        except BrokerAwayError as error:
            wait = min(wait * 2, 5.0)
            log.warning("broker_away", error=str(error), again_in_seconds=wait)
        except Exception as error:  # noqa: BLE001 - no database error may end the relay
            wait = min(wait * 2, 5.0)
            log.warning("relay_failed", error=str(error), again_in_seconds=wait)
        else:
            wait = 0.0 if sent == BATCH else POLL_SECONDS
