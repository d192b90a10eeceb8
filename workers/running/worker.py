"""The worker process: runs Dramatiq's worker threads until it is told to stop."""

from __future__ import annotations

import structlog
from dramatiq import Worker

from workers.running.actors import register
from workers.running.scheduler import stop_on_signals
from workers.services import Services

log = structlog.get_logger()

POLL_MILLISECONDS = 100
"""How long a worker waits on an empty queue; Dramatiq's default of one second would delay every click."""

STOP_MILLISECONDS = 8_000
"""How long running jobs may take to finish at a stop."""


def run_worker(services: Services) -> None:
    """Run until SIGTERM or SIGINT. Running jobs get STOP_MILLISECONDS; the outbox resends unfinished ones later."""
    stop = stop_on_signals()
    register(services.broker, services)
    worker = Worker(services.broker, worker_threads=services.settings.worker_threads, worker_timeout=POLL_MILLISECONDS)
    worker.start()
    log.info("worker_ready", threads=services.settings.worker_threads)
    stop.wait()
    worker.stop(timeout=STOP_MILLISECONDS)
