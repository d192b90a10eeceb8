"""Keep what was decided: a row for each change of mind, and that the others hold still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from detection.triage import Decision
from storage import triage as stored
from storage.models import TriageDecision
from storage.triage import NewDecision
from workers.services import Services

log = structlog.get_logger()

READ_AGAIN = timedelta(minutes=1)
"""That a decision still holds is stored at most so often."""


def keep_decisions(
    services: Services,
    new: Sequence[NewDecision],
    earlier: Mapping[str, TriageDecision],
    over: Sequence[TriageDecision],
    now: datetime,
) -> tuple[TriageDecision, ...]:
    """Store what changed, in one transaction, or in none; return the decisions that waited and now wake.

    earlier: the decisions that held until now, by fingerprint. over: those of them whose cause is gone.
    """
    changed = [one for one in new if not _is_known(earlier.get(one.fingerprint), one, now)]
    if not changed and not over:
        return ()
    turned = []
    with services.sessions.begin() as session:
        stored.end_decisions(session, [decision.id for decision in over], now=now)
        for one in changed:
            before = earlier.get(one.fingerprint)
            held = session.get(TriageDecision, before.id) if before is not None else None
            row = stored.decide(session, one, held, now=now)
            if row.decision == Decision.WAKE.value and row.waiting_since is not None and row is not held:
                turned.append(row)
            if row is not held:
                log.info("triaged", alert=one.name, service=one.service, decision=row.decision, rule=row.rule)
        session.flush()
        for row in turned:
            session.refresh(row)
            session.expunge(row)
    return tuple(turned)


def _is_known(earlier: TriageDecision | None, new: NewDecision, now: datetime) -> bool:
    return earlier is not None and stored.holds(earlier, new) and now - earlier.read_at < READ_AGAIN
