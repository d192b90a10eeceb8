"""Delete telemetry, alerts and jobs past their retention, and expire proposals past their time."""

from __future__ import annotations

import structlog

from storage.alerts import drop_old_alerts
from storage.dead_letters import PRUNED_AT_ONCE, prune
from workers.remediation.approvals import expire_proposals
from workers.services import Services

log = structlog.get_logger()

PASSES = 50
"""How many deletions of old jobs one run does at most."""


def expire(services: Services) -> None:
    """Delete expired telemetry, old alerts and jobs; expire proposals nobody decided on, and remove their button."""
    now = services.clock()
    dropped = services.telemetry.expire(now=now.timestamp())
    log.info("telemetry_expired", rows=dropped)
    with services.sessions.begin() as session:
        drop_old_alerts(session, now=now)
    expire_proposals(services)
    _prune_jobs(services)


def _prune_jobs(services: Services) -> None:
    """Delete old jobs in short transactions, between which others write; the next pass goes on."""
    for _ in range(PASSES):
        with services.sessions.begin() as session:
            if prune(session, services.clock()) < PRUNED_AT_ONCE:
                return
