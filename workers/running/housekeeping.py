"""Delete what is past its retention, end what is past its time, and tell the audit chain's head."""

from __future__ import annotations

import structlog

from storage.alerts import drop_old_alerts
from storage.dead_letters import PRUNED_AT_ONCE, prune
from workers.diagnosis.job import give_up_overdue
from workers.remediation.approvals import expire_proposals
from workers.running.audit_head import tell_head
from workers.services import Services
from workers.troubles import Troubles

log = structlog.get_logger()

PASSES = 50
"""How many deletions of old jobs one run does at most."""


def expire(services: Services) -> None:
    """Delete expired telemetry, old alerts and jobs; expire proposals nobody decided on; give up overdue diagnoses.

    Each part runs by itself. When parts of it failed, raise an ExceptionGroup after doing the others.
    """
    troubles = Troubles()
    with troubles.apart("deleting old telemetry"):
        dropped = services.telemetry.expire(now=services.clock().timestamp())
        log.info("telemetry_expired", rows=dropped)
    with troubles.apart("deleting old alerts"), services.sessions.begin() as session:
        drop_old_alerts(session, now=services.clock())
    with troubles.apart("expiring proposals"):
        expire_proposals(services)
    with troubles.apart("deleting old jobs"):
        _prune_jobs(services)
    with troubles.apart("giving up overdue diagnoses"):
        give_up_overdue(services)
    with troubles.apart("telling the audit chain's head"):
        tell_head(services)
    troubles.raise_all()


def _prune_jobs(services: Services) -> None:
    """Delete old jobs in short transactions, between which others write; the next pass goes on."""
    for _ in range(PASSES):
        with services.sessions.begin() as session:
            if prune(session, services.clock()) < PRUNED_AT_ONCE:
                return
