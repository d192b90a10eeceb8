"""No worker runs for hours: nothing piles up that a worker would have to work off when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dramatiq.brokers.redis import RedisBroker

from tests.valkey import Valkey, running_valkey
from workers.queueing.broker import create_broker
from workers.queueing.queues import BACKGROUND
from workers.running.scheduler import MOST_HELD, Recurring
from workers.services import Services


@pytest.fixture
def valkey(tmp_path: Path, services: Services) -> Iterator[Valkey]:
    """A server of the test's own, because it is emptied."""
    with running_valkey(tmp_path) as server:
        services.broker = create_broker(server.url)
        yield server


def queued(services: Services) -> int:
    assert isinstance(services.broker, RedisBroker)
    return int(services.broker.client.llen(f"dramatiq:{BACKGROUND}"))


@pytest.mark.parametrize("actor", ["tick", "expire", "pull_elasticsearch", "read_status_feeds"])
def test_what_recurs_does_not_pile_up_while_no_worker_takes_it(services: Services, valkey: Valkey, actor: str) -> None:
    recurring = Recurring(services, actor)
    for _ in range(20):
        recurring.send()
    assert queued(services) == MOST_HELD


def test_what_recurs_is_sent_again_once_it_was_done_or_lost(services: Services, valkey: Valkey) -> None:
    recurring = Recurring(services, "tick")
    for _ in range(5):
        recurring.send()
    assert isinstance(services.broker, RedisBroker)
    services.broker.client.flushall()
    recurring.send()
    assert queued(services) == 1


def test_a_broker_that_is_away_is_asked_again_at_the_next_time(services: Services, valkey: Valkey) -> None:
    recurring = Recurring(services, "tick")
    valkey.process.kill()
    valkey.process.wait(timeout=60)
    recurring.send()
    valkey.start()
    recurring.send()
    assert queued(services) == 1
