from __future__ import annotations

import multiprocessing
import time

import pytest

from workers import locks
from workers.errors import NotYetError
from workers.locks import lease, one_at_a_time
from workers.services import Services
from workers.settings import Settings


def test_while_one_holds_a_lease_another_does_not_get_it(services: Services) -> None:
    with lease(services, "tick") as first, lease(services, "tick") as second:
        assert (first, second) == (True, False)
    with lease(services, "tick") as third:
        assert third


def test_a_job_that_finds_the_lease_taken_is_put_off(services: Services) -> None:
    with one_at_a_time(services, "root:1"), pytest.raises(NotYetError), one_at_a_time(services, "root:1"):
        pass


def test_a_lease_lasts_as_long_as_the_work_however_long(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.3)
    with lease(services, "tick"):
        time.sleep(1.0)
        with lease(services, "tick") as second:
            assert not second


def hold_for_ever(redis_url: str) -> None:
    locks.LEASE_SECONDS = 0.5
    with lease(Services(Settings(_env_file=None, redis_url=redis_url)), "tick"):
        time.sleep(60)


def test_a_killed_holder_loses_its_lease_soon(services: Services) -> None:
    holder = multiprocessing.get_context("spawn").Process(target=hold_for_ever, args=(services.redis_url,))
    holder.start()
    while not services.redis.exists("argux:tick"):
        time.sleep(0.02)
    holder.kill()
    holder.join(timeout=5)
    deadline = time.monotonic() + 5
    while services.redis.exists("argux:tick") and time.monotonic() < deadline:
        time.sleep(0.05)
    with lease(services, "tick") as held:
        assert held
