"""Leases on names: locks in Redis, for work that only one worker may do at a time.

The holder renews its lease while it lives; the lease of a killed holder expires within LEASE_SECONDS.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from workers.errors import NotYetError
from workers.services import Services

LEASE_SECONDS = 9.0


@contextmanager
def lease(services: Services, name: str) -> Iterator[bool]:
    """Hold the lease on `name` during the block. Yield True, or at once False when another worker holds it."""
    lock = services.redis.lock(f"argux:{name}", timeout=LEASE_SECONDS, blocking=False, thread_local=False)
    if not lock.acquire():
        yield False
        return
    done = threading.Event()
    renewer = threading.Thread(target=_renew, args=(lock, done), name=f"lease {name}", daemon=True)
    renewer.start()
    try:
        yield True
    finally:
        done.set()
        renewer.join()
        with suppress(LockError, RedisError):
            lock.release()


def _renew(lock: Lock, done: threading.Event) -> None:
    while not done.wait(LEASE_SECONDS / 3):
        try:
            lock.reacquire()
        except LockError:
            # The lease expired, or Redis lost it. It is taken back, unless another worker holds it now.
            with suppress(RedisError):
                if not lock.acquire():
                    return
        except RedisError:
            # The broker did not answer in time. Two thirds of the lease are left for another try.
            continue


@contextmanager
def one_at_a_time(services: Services, name: str) -> Iterator[None]:
    """Hold the lease on `name` during the block; raise NotYetError, which postpones the job, when it is taken."""
    with lease(services, name) as held:
        if not held:
            raise NotYetError(f"another worker is at {name}")
        yield
