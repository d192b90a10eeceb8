"""What only one worker may do at a time. A lease is renewed while its holder lives and ends soon after it is killed."""

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
    """Hold `name` while the block lasts; yields False, at once, where another holds it."""
    lock = services.redis.lock(f"argux:{name}", timeout=LEASE_SECONDS, blocking=False, thread_local=False)
    if not lock.acquire():
        yield False
        return
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lock, done), name=f"lease {name}", daemon=True)
    keeper.start()
    try:
        yield True
    finally:
        done.set()
        keeper.join()
        with suppress(LockError, RedisError):
            lock.release()


def _keep(lock: Lock, done: threading.Event) -> None:
    while not done.wait(LEASE_SECONDS / 3):
        try:
            lock.reacquire()
        except LockError:
            # It ran out, and may be another's.
            return
        except RedisError:
            # An answer that did not come in time: two thirds of the lease are left to ask again.
            continue


@contextmanager
def one_at_a_time(services: Services, name: str) -> Iterator[None]:
    """Hold `name` while the block lasts; NotYetError puts the job off a little where another holds it."""
    with lease(services, name) as held:
        if not held:
            raise NotYetError(f"another worker is at {name}")
        yield
