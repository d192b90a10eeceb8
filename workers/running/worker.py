"""The worker process: Dramatiq's threads in this process, until told to stop."""

from __future__ import annotations

import structlog
from dramatiq import Worker

from workers.running.actors import register
from workers.running.scheduler import stop_on_signals
from workers.services import Services

log = structlog.get_logger()

POLL_MILLISECONDS = 100
"""How long an idle queue goes unread; Dramatiq's own second would be felt after every click."""

STOP_MILLISECONDS = 8_000


def run_worker(services: Services) -> None:
    """Work until SIGTERM or SIGINT; jobs under way get STOP_MILLISECONDS, then the outbox sends them again later."""
    stop = stop_on_signals()
    register(services.broker, services)
    worker = Worker(services.broker, worker_threads=services.settings.worker_threads, worker_timeout=POLL_MILLISECONDS)
    worker.start()
    log.info("worker_ready", threads=services.settings.worker_threads)
    stop.wait()
    worker.stop(timeout=STOP_MILLISECONDS)
