from __future__ import annotations

from pathlib import Path

import pytest

from storage import outbox
from tests.valkey import running_valkey
from workers.errors import BrokerAwayError
from workers.queueing.broker import create_broker
from workers.queueing.queues import PEOPLE
from workers.running.relay import relay_once
from workers.services import Services


def owe(services: Services, key: str) -> None:
    with services.sessions.begin() as session:
        outbox.enqueue(session, "refresh_incident", {"incident_id": 1}, key=key, now=services.clock())


def waiting(services: Services) -> int:
    with services.readers() as session:
        return len(outbox.due(session, now=services.clock(), limit=10))


def test_what_a_transaction_owes_is_handed_to_the_broker_once(services: Services) -> None:
    owe(services, "one")
    assert relay_once(services) == 1
    assert relay_once(services) == 0
    assert services.redis.llen(f"dramatiq:{PEOPLE}") == 1


def test_while_the_broker_is_away_jobs_stay_owed_and_go_out_when_it_is_back(services: Services, tmp_path: Path) -> None:
    with running_valkey(tmp_path) as valkey:
        services.broker = create_broker(valkey.url)
        valkey.process.kill()
        valkey.process.wait(timeout=60)
        owe(services, "one")
        with pytest.raises(BrokerAwayError):
            relay_once(services)
        assert waiting(services) == 1
        valkey.start()
        assert relay_once(services) == 1


def test_a_broker_that_is_killed_keeps_what_it_was_given(services: Services, tmp_path: Path) -> None:
    with running_valkey(tmp_path) as valkey:
        services.broker = create_broker(valkey.url)
        owe(services, "one")
        relay_once(services)
        # Less than the client's own patience; a disk may take longer than once of this.
        while services.broker.client.execute_command("WAITAOF", 1, 0, 500)[0] == 0:
            pass
        valkey.restart()
        assert services.broker.client.llen(f"dramatiq:{PEOPLE}") == 1
