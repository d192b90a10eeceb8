"""What only one worker may do at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from integrations.errors import RetryableError
from workers.services import Services


@contextmanager
def one_at_a_time(services: Services, name: str, *, seconds: float = 60.0) -> Iterator[None]:
    """Hold `name` for `seconds` at most; while another holds it, RetryableError puts the job off a little."""
    lock = services.redis.lock(f"argux:{name}", timeout=seconds, blocking=False)
    if not lock.acquire():
        raise RetryableError("Argux", f"another worker is at {name}", retry_after_seconds=0.5)
    try:
        yield
    finally:
        if lock.owned():
            lock.release()
