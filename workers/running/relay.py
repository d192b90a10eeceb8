"""Hands committed outbox jobs to the broker: after commit, and again after a crash."""

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
"""Longer than any job's time limit but housekeeping's: a job sent that long ago and never done was lost on its way."""

BATCH = 100


def relay_once(services: Services) -> int:
    """Send what is due; returns how many went. A broker that is away leaves them due."""
    with services.sessions.begin() as session:
        now = services.clock()
        jobs = outbox.due(session, now=now, limit=BATCH)
        for job in jobs:
            send(services.broker, job.actor, {"outbox_key": job.key, **job.arguments})
            outbox.mark_sent(session, job.key, now)
        return len(jobs)


def resend_lost(services: Services) -> None:
    """Put jobs that were sent and never finished back among those that are due."""
    with services.sessions.begin() as session:
        count = outbox.resend_lost(session, now=services.clock(), older_than_seconds=LOST_SECONDS)
    if count:
        log.warning("jobs_sent_again", count=count)


def relay_until(services: Services, stop: threading.Event) -> None:
    """Relay until told to stop; a fault of the database or the broker is waited out, a little longer each time."""
    wait = POLL_SECONDS
    while not stop.wait(wait):
        try:
            sent = relay_once(services)
        except BrokerAwayError as error:
            wait = min(wait * 2, 5.0)
            log.warning("broker_away", error=str(error), again_in_seconds=wait)
        except Exception as error:  # noqa: BLE001 - the relay outlives whatever the database throws
            wait = min(wait * 2, 5.0)
            log.warning("relay_failed", error=str(error), again_in_seconds=wait)
        else:
            wait = 0.0 if sent == BATCH else POLL_SECONDS
