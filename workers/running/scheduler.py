"""The scheduler: sends ticks and housekeeping on time and runs the outbox relay. One process leads, others stand by."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from datetime import UTC

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from workers.errors import BrokerAwayError
from workers.queueing.broker import Held, held_messages, send
from workers.running.relay import LOOK_SECONDS, relay_until, resend_lost
from workers.services import Services
from workers.telling.offered import offer_anew

log = structlog.get_logger()

LEASE_SECONDS = 10.0
LEADER_LOCK = "argux:scheduler"

MOST_HELD = 2
"""How many messages of one recurring job the broker may hold: one that a worker is at, perhaps a killed one, and one
that waits."""


def run_scheduler(services: Services, stop: threading.Event | None = None) -> None:
    """Run until SIGTERM or SIGINT (or until `stop` is set). Only the elected leader sends jobs."""
    stop = stop or stop_on_signals()
    while not stop.is_set():
        lease = services.redis.lock(LEADER_LOCK, timeout=LEASE_SECONDS, thread_local=False)
        try:
            if lease.acquire(blocking=True, blocking_timeout=1.0):
                _lead(services, stop, lease)
        except RedisError as error:
            log.warning("broker_away", error=str(error))
            stop.wait(1.0)


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _lead(services: Services, stop: threading.Event, lease: Lock) -> None:
    """Do the leader's work until `stop` is set or the lease is lost."""
    log.info("scheduler_leads")
    ended = threading.Event()
    clock = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1})
    clock.add_job(offer_anew, args=[services])
    clock.add_job(Recurring(services, "tick").send, "interval", seconds=services.settings.detection_interval_sec)
    clock.add_job(resend_lost, "interval", [services], seconds=LOOK_SECONDS)
    clock.add_job(Recurring(services, "expire").send, "interval", minutes=10)
    if services.settings.elasticsearch_url is not None:
        pull = Recurring(services, "pull_elasticsearch")
        clock.add_job(pull.send, "interval", seconds=services.settings.monitoring_interval)
    if services.settings.status_feeds:
        feeds = Recurring(services, "read_status_feeds")
        clock.add_job(feeds.send, "interval", seconds=services.settings.monitoring_interval)
    clock.add_job(_renew, "interval", [lease, stop, ended], seconds=LEASE_SECONDS / 10)
    clock.start()
    try:
        relay_until(services, ended)
    finally:
        clock.shutdown(wait=True)
        with suppress(LockError, RedisError):
            lease.release()


def _renew(lease: Lock, stop: threading.Event, ended: threading.Event) -> None:
    """Renew the lease. When that fails, stop leading: another process may have become leader."""
    if stop.is_set():
        ended.set()
        return
    try:
        lease.reacquire()
    except (LockError, RedisError) as error:
        log.warning("lead_lost", error=str(error))
        ended.set()


class Recurring:
    """Sends a job that recurs, and keeps it from piling up in the broker while no worker takes it."""

    def __init__(self, services: Services, actor: str) -> None:
        self._services, self._actor = services, actor
        self._sent: list[str] = []

    def send(self) -> None:
        """Send the job, unless MOST_HELD of them wait or run. When the broker is away, skip it.

        Nothing is lost by that: the next one sees the same data.
        """
        broker = self._services.broker
        try:
            held = held_messages(broker, [Held(self._actor, one) for one in self._sent])
            self._sent = [one for one in self._sent if one in held]
            if len(self._sent) < MOST_HELD:
                self._sent.append(send(broker, self._actor, {}))
        except BrokerAwayError as error:
            log.warning("broker_away", error=str(error))
