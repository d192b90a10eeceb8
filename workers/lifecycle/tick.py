"""One tick: end quiet times, detect, verify running fixes, and re-test findings not seen for a while."""

from __future__ import annotations

from workers.lifecycle.alert_endings import resolve_ended_alerts
from workers.lifecycle.detect import detect
from workers.lifecycle.self_recovery import resolve_recovered
from workers.lifecycle.verification import verify_running
from workers.locks import lease
from workers.services import Services
from workers.telling.held_messages import end_quiet_times


def tick(services: Services) -> None:
    """Run one tick: end quiet times and alerts, detect, verify, re-test. Do nothing while another tick runs."""
    with lease(services, "tick") as held:
        if not held:
            return
        end_quiet_times(services)
        resolve_ended_alerts(services, services.clock())
        is_complete = True
        try:
            is_complete = detect(services)
        finally:
            # Running verifications go on even when a detector fails.
            if is_complete:
                verify_running(services)
        # Not reached when a detector failed: what it could not check must not count as recovered.
        if is_complete:
            resolve_recovered(services)
