"""Close a pull request that Argux opened and never offered, because a worker was killed or the incident changed."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from integrations.errors import PermanentError, RetryableError
from integrations.text import ours
from storage import incidents, proposals
from storage.models import Incident
from workers.errors import NotConfiguredError
from workers.remediation.closing import enqueue_close
from workers.remediation.waiting import is_over, put_off
from workers.services import Services

log = structlog.get_logger()


def close_unoffered(services: Services, incident_id: int, *, repository: str, branch: str, since: datetime) -> None:
    """Find the pull request that an earlier try may have opened from the branch, and close it if nobody was offered it.

    While the code host is away, put the job off.
    """
    try:
        found = services.code_host.find_open(repository, branch)
    except RetryableError as error:
        if is_over(since, services.clock()):
            log.warning("unoffered_not_looked_for", branch=branch, error=str(error))
            return
        raise put_off(error, since=since, now=services.clock()) from error
    except (PermanentError, NotConfiguredError) as error:
        log.warning("unoffered_not_looked_for", branch=branch, error=str(error))
        return
    if found is None:
        return
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        enqueue_close_of_unoffered(session, incident, repository, found.number, services.clock())


def enqueue_close_of_unoffered(
    session: Session, incident: Incident, repository: str, number: int, now: datetime
) -> None:
    """Enqueue the closing of a pull request of this incident; keep one that is, or was, offered."""
    if proposals.is_offered(session, incident.id, number):
        return
    why = "was closed before this was offered" if incident.status.is_closed else "has another fix under way"
    comment = ours("Incident #{number} {why}.", number=incident.id, why=why)
    enqueue_close(session, incident.id, repository=repository, number=number, comment=comment, now=now)
