from __future__ import annotations

import multiprocessing
import time

import pytest
import redis
from redis.lock import Lock

from workers import locks
from workers.errors import NotYetError
from workers.locks import lease, one_at_a_time
from workers.services import Services
from workers.settings import Settings


def test_a_lease_has_only_one_holder(services: Services) -> None:
    with lease(services, "tick") as first, lease(services, "tick") as second:
        assert (first, second) == (True, False)
    with lease(services, "tick") as third:
        assert third


def test_a_job_that_finds_the_lease_taken_is_postponed(services: Services) -> None:
    with one_at_a_time(services, "root:1"), pytest.raises(NotYetError), one_at_a_time(services, "root:1"):
        pass


def test_a_lease_is_renewed_as_long_as_the_work_lasts(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    # A lease is renewed three times in its length, so a busy machine may be late by two thirds of it.
    monkeypatch.setattr(locks, "LEASE_SECONDS", 3.0)
    with lease(services, "tick"):
        time.sleep(4.0)
        with lease(services, "tick") as second:
            assert not second


def test_a_lease_survives_one_broker_timeout(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    renewals: list[Lock] = []
    really_renew = Lock.reacquire

    def renew(lock: Lock) -> bool:
        renewals.append(lock)
        if len(renewals) == 1:
            raise redis.TimeoutError("Timeout reading from socket")
        return really_renew(lock)

    monkeypatch.setattr(locks, "LEASE_SECONDS", 3.0)
    monkeypatch.setattr(Lock, "reacquire", renew)
    with lease(services, "tick"):
        time.sleep(4.0)
        with lease(services, "tick") as second:
            assert not second
    assert len(renewals) > 1


def test_a_holder_takes_its_lease_back_when_redis_was_emptied(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LEASE_SECONDS", 3.0)
    with lease(services, "tick"):
        services.redis.flushdb()
        deadline = time.monotonic() + 30
        while not services.redis.exists("argux:tick") and time.monotonic() < deadline:
            time.sleep(0.02)
        with lease(services, "tick") as second:
            assert not second
    with lease(services, "tick") as third:
        assert third


def test_a_holder_takes_no_lease_back_that_another_has_meanwhile(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LEASE_SECONDS", 1.0)
    with lease(services, "tick"):
        services.redis.set("argux:tick", "of another", ex=60)
    assert services.redis.get("argux:tick") == b"of another"


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
    holder.join(timeout=60)
    deadline = time.monotonic() + 30
    while services.redis.exists("argux:tick") and time.monotonic() < deadline:
        time.sleep(0.05)
    with lease(services, "tick") as held:
        assert held
