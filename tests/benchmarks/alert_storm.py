"""1,000 alerts of 50 services at once: how long the door takes, how often an incident is diagnosed, when all is done.

The alerts come as single posts of eight senders. All is done when no job waits, of which the last are messages.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Engine, text

from storage.database.session import create_database, read_only
from tests.benchmarks.figures import Figure
from tests.benchmarks.stacks import DATABASES, stack_on
from tests.functional.load import alert_notification
from tests.functional.stack import Stack, eventually

ALERTS, SERVICES, SENDERS = 1000, 50, 8
DONE_WITHIN_SECONDS = 400.0


def run(data: Path) -> Iterator[Figure]:
    for database in DATABASES:
        with stack_on(database) as (stack, url):
            yield from _measured(stack, create_database(url), database)


def _measured(stack: Stack, engine: Engine, database: str) -> Iterator[Figure]:
    stack.create_key()
    began = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        answered = sorted(senders.map(lambda number: _post(stack, number), range(ALERTS)))
    p99 = answered[math.ceil(0.99 * len(answered)) - 1] * 1000
    yield Figure(f"{database}_storm_door_p99_ms", p99, "ms", "the slowest, ms", answered[-1] * 1000, at_most=2000)
    eventually(lambda: _is_done(engine), seconds=DONE_WITHIN_SECONDS, what="the last job")
    seconds = time.monotonic() - began
    incidents = _count(engine, "SELECT count(*) FROM incidents")
    diagnoses = _count(engine, "SELECT count(*) FROM diagnoses")
    yield Figure(f"{database}_storm_diagnoses", diagnoses / incidents, "an incident", "incidents", incidents, at_most=2)
    yield Figure(f"{database}_storm_done_s", seconds, "s", "posted, s", sum(answered) / SENDERS, at_most=60)


def _post(stack: Stack, number: int) -> float:
    """Post an alert until it is taken; return how long the slowest answer took, in seconds."""
    body = alert_notification(f"alert-{number}", f"service-{number % SERVICES}")
    slowest = 0.0
    while True:
        began = time.monotonic()
        answer = stack.api.post("/alertmanager/webhook", json=body)
        slowest = max(slowest, time.monotonic() - began)
        if answer.status_code not in (429, 503):
            answer.raise_for_status()
            return slowest


def _is_done(engine: Engine) -> bool:
    """Whether each alert's service has an incident, each incident a diagnosis, and no job waits."""
    incidents = _count(engine, "SELECT count(*) FROM incidents")
    diagnosed = _count(engine, "SELECT count(DISTINCT incident_id) FROM diagnoses WHERE status <> 'running'")
    waiting = _count(engine, "SELECT count(*) FROM outbox WHERE done_at IS NULL")
    return incidents >= SERVICES and diagnosed == incidents and waiting == 0


def _count(engine: Engine, query: str) -> int:
    with read_only(engine).connect() as connection:
        return int(connection.scalar(text(query)) or 0)
