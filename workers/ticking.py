"""One turn of the clock: detect what is new, then re-test what was fixed."""

from __future__ import annotations

from workers.detecting import detect
from workers.locks import lease
from workers.services import Services
from workers.verification import verify_running


def tick(services: Services) -> None:
    """Roll up, detect, then re-test what was fixed; a tick that finds another running leaves it to that one."""
    with lease(services, "tick") as held:
        if held and detect(services):
            verify_running(services)
