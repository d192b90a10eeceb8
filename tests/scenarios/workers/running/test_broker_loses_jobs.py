"""Redis is emptied, restarted without what it held, or has no worker: which jobs are sent again, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dramatiq.brokers.redis import RedisBroker
from sqlalchemy import select

from storage import outbox
from storage.models import OutboxJob
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeTickets
from tests.scenarios.workers.incidents import opened
from tests.scenarios.workers.worker import Clock
from tests.valkey import Valkey, running_valkey
from workers.locks import LEASE_SECONDS, lease
from workers.queueing.broker import create_broker
from workers.queueing.queues import PEOPLE
from workers.running.actors import run_job
from workers.running.jobs import JOBS
from workers.running.relay import LOOK_SECONDS, relay_once, resend_lost
from workers.services import Services

pytestmark = ON_BOTH

SOON = 30.0
"""Within this many seconds a lost job is on its way again."""


@pytest.fixture
def valkey(tmp_path: Path, services: Services) -> Iterator[Valkey]:
    """A server of the test's own, because other tests share the other one."""
    with running_valkey(tmp_path) as server:
        services.broker = create_broker(server.url)
        yield server


def empty(services: Services) -> None:
    assert isinstance(services.broker, RedisBroker)
    services.broker.client.flushall()


def queued(services: Services) -> int:
    assert isinstance(services.broker, RedisBroker)
    return int(services.broker.client.llen(f"dramatiq:{PEOPLE}"))


def enqueued(services: Services, count: int) -> None:
    with services.sessions.begin() as session:
        for number in range(count):
            arguments = {"incident_id": 1}
            outbox.enqueue(session, "refresh_incident", arguments, key=f"job:{number}", now=services.clock())


def attempts(services: Services) -> set[int]:
    with services.readers() as session:
        return set(session.scalars(select(OutboxJob.attempts)))


def relayed(services: Services) -> int:
    """Relay until nothing is due; return how many jobs were sent."""
    sent = 0
    while batch := relay_once(services):
        sent += batch
    return sent


def passes(services: Services, clock: Clock, seconds: float) -> int:
    """Let this much time pass with the scheduler's passes; return how many jobs were sent again."""
    sent = 0
    for _ in range(int(seconds / LOOK_SECONDS)):
        clock.forward(LOOK_SECONDS)
        resend_lost(services)
        sent += relayed(services)
    return sent


@pytest.mark.usefixtures("valkey")
def test_what_redis_lost_when_it_was_emptied_is_on_its_way_again_within_30_seconds(
    services: Services, clock: Clock
) -> None:
    enqueued(services, 250)
    assert relayed(services) == 250
    clock.forward(1)
    empty(services)
    assert passes(services, clock, SOON) == 250
    assert queued(services) == 250
    assert attempts(services) == {0}


def test_what_redis_lost_when_it_was_restarted_without_its_files_is_sent_again(
    services: Services, clock: Clock, valkey: Valkey
) -> None:
    enqueued(services, 3)
    relayed(services)
    valkey.process.kill()
    valkey.process.wait(timeout=30)
    assert resend_lost(services) == 0
    for file in (valkey.directory / "valkey").rglob("*"):
        if file.is_file():
            file.unlink()
    valkey.start()
    assert passes(services, clock, SOON) == 3


@pytest.mark.usefixtures("valkey")
def test_what_waits_in_the_queue_for_hours_without_a_worker_is_neither_doubled_nor_counted(
    services: Services, clock: Clock
) -> None:
    enqueued(services, 3)
    relayed(services)
    for _ in range(24):
        clock.forward(3600)
        resend_lost(services)
        assert relayed(services) == 0
    assert queued(services) == 3
    assert attempts(services) == {0}
    with services.readers() as session:
        assert outbox.dead_letters(session) == []


@pytest.mark.usefixtures("valkey")
def test_only_the_lost_part_is_sent_again(services: Services, clock: Clock) -> None:
    enqueued(services, 2)
    relayed(services)
    with services.readers() as session:
        first = session.scalars(select(OutboxJob.message_id).order_by(OutboxJob.id)).first()
    assert isinstance(services.broker, RedisBroker)
    assert first is not None
    services.broker.client.hdel(f"dramatiq:{PEOPLE}.msgs", first)
    assert passes(services, clock, SOON) == 1


@pytest.mark.usefixtures("valkey")
def test_a_job_at_work_when_redis_is_emptied_is_not_begun_a_second_time_meanwhile(
    services: Services, clock: Clock
) -> None:
    assert isinstance(services.tickets, FakeTickets)
    incident_id = opened(services)
    arguments = {"incident_id": incident_id, "user_name": "Ana"}
    with services.sessions.begin() as session:
        outbox.enqueue(session, "create_ticket", arguments, key="ticket", now=services.clock())
    relayed(services)
    with services.sessions.begin() as session:
        outbox.begin(session, "ticket", services.clock())
    empty(services)
    clock.forward(LOOK_SECONDS)
    assert resend_lost(services) == 2
    assert relayed(services) == 1, "the message that nobody had begun"
    clock.forward(LEASE_SECONDS)
    assert relayed(services) == 1
    # By then the worker that is still at it has its lease back.
    with lease(services, "job:ticket"):
        run_job(services, "create_ticket", JOBS["create_ticket"], "ticket", arguments)
        assert services.tickets.made == {}
    run_job(services, "create_ticket", JOBS["create_ticket"], "ticket", arguments)
    assert len(services.tickets.made) == 1


@pytest.mark.usefixtures("valkey")
def test_a_job_that_only_another_version_knows_holds_up_no_other(services: Services) -> None:
    with services.sessions.begin() as session:
        outbox.enqueue(session, "of_tomorrow", {}, key="unknown", now=services.clock())
    enqueued(services, 1)
    relayed(services)
    assert queued(services) == 3, "the job, and the two that tell of the other"
    with services.readers() as session:
        assert [job.error for job in outbox.dead_letters(session)] == ["this version has no job of_tomorrow"]
