"""The relay: sends committed outbox jobs to the broker, and sends lost ones again."""

from __future__ import annotations

import threading

import structlog

from storage import outbox
from workers.errors import BrokerAwayError
from workers.queueing.broker import send
from workers.services import Services

log = structlog.get_logger()

POLL_SECONDS = 0.1
LOST_SECONDS = 360.0
"""A job sent this long ago and still not done counts as lost. No job sent by the outbox has a longer time limit."""

BATCH = 100


def relay_once(services: Services) -> int:
    """Send the due jobs and return their number. Raise BrokerAwayError when the broker is away; they stay due."""
    with services.sessions.begin() as session:
        now = services.clock()
        jobs = outbox.due(session, now=now, limit=BATCH)
        for job in jobs:
            send(services.broker, job.actor, {"outbox_key": job.key, **job.arguments})
            outbox.mark_sent(session, job.key, now)
        return len(jobs)


def resend_lost(services: Services) -> None:
    """Make jobs due again that were sent LOST_SECONDS ago and never finished."""
    with services.sessions.begin() as session:
        count = outbox.resend_lost(session, now=services.clock(), older_than_seconds=LOST_SECONDS)
    if count:
        log.warning("jobs_sent_again", count=count)


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
