"""One turn of the clock: detect what is new, then re-test what was fixed."""

from __future__ import annotations

from workers.alert_endings import settle_alerts
from workers.detecting import detect
from workers.holding import tell_what_was_quiet
from workers.locks import lease
from workers.services import Services
from workers.verification import verify_running


def tick(services: Services) -> None:
    """Tell what is quiet no longer, roll up, detect, then re-test what was fixed; nothing where another tick runs."""
    with lease(services, "tick") as held:
        if not held:
            return
        tell_what_was_quiet(services)
        settle_alerts(services, services.clock())
        is_complete = True
        try:
            is_complete = detect(services)
        finally:
            # What was fixed is re-tested even while a detector fails.
            if is_complete:
                verify_running(services)
