"""Delete telemetry and alerts past their retention, end what is past its time, and tell the audit chain's head."""

from __future__ import annotations

import structlog

from storage.alerts import drop_old_alerts
from workers.diagnosis.job import give_up_overdue
from workers.remediation.approvals import expire_proposals
from workers.running.audit_head import tell_head
from workers.services import Services

log = structlog.get_logger()


def expire(services: Services) -> None:
    """Delete expired telemetry and old alerts; expire proposals nobody decided on in time, and remove their button."""
    now = services.clock()
    dropped = services.telemetry.expire(now=now.timestamp())
    log.info("telemetry_expired", rows=dropped)
    with services.sessions.begin() as session:
        drop_old_alerts(session, now=now)
    expire_proposals(services)
    give_up_overdue(services)
    tell_head(services)
