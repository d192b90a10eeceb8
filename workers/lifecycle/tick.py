"""One turn of the clock: detect what is new, then re-test what was fixed and what has not been seen for a while."""

from __future__ import annotations

from workers.lifecycle.alert_endings import settle_alerts
from workers.lifecycle.detect import detect
from workers.lifecycle.self_recovery import settle_recovered
from workers.lifecycle.verification import verify_running
from workers.locks import lease
from workers.services import Services
from workers.telling.held_messages import tell_what_was_quiet


def tick(services: Services) -> None:
    """Tell what is quiet no longer, roll up, detect, then re-test what may be over; nothing where another tick runs."""
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
        # What a failing detector could not look at must not count as unseen.
        if is_complete:
            settle_recovered(services)
