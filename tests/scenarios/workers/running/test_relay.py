from __future__ import annotations

from pathlib import Path

import pytest
from dramatiq.brokers.redis import RedisBroker

from storage import outbox
from tests.scenarios.workers.databases import ON_BOTH
from tests.valkey import running_valkey
from workers.errors import BrokerAwayError
from workers.queueing.broker import create_broker
from workers.queueing.queues import PEOPLE
from workers.running.relay import relay_once
from workers.services import Services

pytestmark = ON_BOTH


def enqueue_job(services: Services, key: str) -> None:
    with services.sessions.begin() as session:
        outbox.enqueue(session, "refresh_incident", {"incident_id": 1}, key=key, now=services.clock())


def due_count(services: Services) -> int:
    # The query locks rows, which PostgreSQL refuses in a read-only transaction.
    with services.sessions.begin() as session:
        return len(outbox.due(session, now=services.clock(), limit=10))


def test_an_enqueued_job_is_sent_to_the_broker_once(services: Services) -> None:
    enqueue_job(services, "one")
    assert relay_once(services) == 1
    assert relay_once(services) == 0
    assert services.redis.llen(f"dramatiq:{PEOPLE}") == 1


def test_jobs_stay_due_while_the_broker_is_away_and_are_sent_when_it_is_back(
    services: Services, tmp_path: Path
) -> None:
    with running_valkey(tmp_path) as valkey:
        services.broker = create_broker(valkey.url)
        valkey.process.kill()
        valkey.process.wait(timeout=60)
        enqueue_job(services, "one")
        with pytest.raises(BrokerAwayError):
            relay_once(services)
        assert due_count(services) == 1
        valkey.start()
        assert relay_once(services) == 1


def test_a_killed_broker_keeps_its_messages(services: Services, tmp_path: Path) -> None:
    with running_valkey(tmp_path) as valkey:
        services.broker = create_broker(valkey.url)
        enqueue_job(services, "one")
        relay_once(services)
        assert isinstance(services.broker, RedisBroker)
        # Each wait is shorter than the client's timeout; a slow disk may need several.
        while services.broker.client.execute_command("WAITAOF", 1, 0, 500)[0] == 0:
            pass
        valkey.restart()
        assert services.broker.client.llen(f"dramatiq:{PEOPLE}") == 1
