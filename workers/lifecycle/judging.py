"""What the re-test after a fix says about the diagnosis that proposed it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from detection.recovery import Recovery, RecoveryState
from detection.types import IncidentStatus
from storage.diagnoses import get_diagnosis
from storage.models import Action, Incident, Proposal, Verification
from storage.outcomes import Source
from workers.diagnosis.certainty.judging import judge


def judge_by_recovery(
    session: Session, incident: Incident, row: Verification, recoveries: Sequence[Recovery], *, now: datetime
) -> None:
    """Record that the diagnosis behind the fix was right or wrong, if the re-test shows it.

    Taking a change back and seeing every metric return confirms that the change did it; seeing none return refutes it.
    Anything between says neither: some metrics returned, some could not be judged or count as a new normal, or the fix
    was never seen live.
    Nor does the re-test of what a person calls a false alarm.
    """
    is_right = verdict_of(recoveries)
    proposal = session.get_one(Proposal, session.get_one(Action, row.action_id).proposal_id)
    if is_right is None or proposal.diagnosis_id is None or incident.status is IncidentStatus.FALSE_ALARM:
        return
    diagnosis = get_diagnosis(session, proposal.diagnosis_id)
    if diagnosis.status == "concluded" and diagnosis.confidence is not None:
        judge(session, diagnosis, source=Source.VERIFICATION, is_right=is_right, said_by="Argux", now=now)


def verdict_of(recoveries: Sequence[Recovery]) -> bool | None:
    """Return True if all metrics recovered, False if all are broken still, None if that cannot be said."""
    if any(item.is_new_normal for item in recoveries):
        return None
    states = {item.state for item in recoveries}
    if states == {RecoveryState.RECOVERED}:
        return True
    return False if states == {RecoveryState.STILL_BROKEN} else None
