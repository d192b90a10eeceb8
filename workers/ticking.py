"""One turn of the clock: detect what is new, then re-test what was fixed."""

from __future__ import annotations

from workers.detecting import detect
from workers.services import Services
from workers.verification import verify_running


def tick(services: Services) -> None:
    """Roll up, detect, then re-test what was fixed; a tick that finds another running leaves it to that one."""
    lock = services.redis.lock("argux:tick", timeout=300, blocking=False)
    if not lock.acquire():
        return
    try:
        if detect(services):
            verify_running(services)
    finally:
        lock.release()
