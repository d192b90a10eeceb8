"""Delete what is past its retention, end what is past its time, and tell the audit chain's head."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy.orm import Session

from storage.alerts import DROPPED_AT_ONCE, drop_old_alerts
from storage.database.gaps import let_others_write
from storage.dead_letters import PRUNED_AT_ONCE, prune
from workers.diagnosis.job import give_up_overdue
from workers.remediation.approvals import expire_proposals
from workers.running.audit_head import tell_head
from workers.services import Services
from workers.troubles import Troubles

log = structlog.get_logger()

PASSES = 50
"""How many deletions of one kind one run does at most; the next run goes on."""


def expire(services: Services) -> None:
    """Delete expired telemetry, old alerts and jobs; expire proposals nobody decided on; give up overdue diagnoses.

    Each part runs by itself. When parts of it failed, raise an ExceptionGroup after doing the others.
    """
    troubles = Troubles()
    with troubles.apart("deleting old telemetry"):
        dropped = services.telemetry.expire(now=services.clock().timestamp())
        log.info("telemetry_expired", rows=dropped)
    with troubles.apart("deleting old alerts"):
        _in_passes(services, lambda session: drop_old_alerts(session, now=services.clock()), DROPPED_AT_ONCE)
    with troubles.apart("expiring proposals"):
        expire_proposals(services)
    with troubles.apart("deleting old jobs"):
        _in_passes(services, lambda session: prune(session, services.clock()), PRUNED_AT_ONCE)
    with troubles.apart("giving up overdue diagnoses"):
        give_up_overdue(services)
    with troubles.apart("telling the audit chain's head"):
        tell_head(services)
    troubles.raise_all()


def _in_passes(services: Services, one_pass: Callable[[Session], int], size: int) -> None:
    """Delete old rows in short transactions, between which others write, until a pass finds fewer than it takes."""
    for _ in range(PASSES):
        with services.sessions.begin() as session:
            found = one_pass(session)
        if found < size:
            return
        let_others_write(services.engine)
