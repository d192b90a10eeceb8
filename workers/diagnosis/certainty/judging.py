"""Record whether a diagnosis was right, so that the next ones know how sure they may be."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from detection.types import JudgedAnswer
from storage.models import Diagnosis
from storage.outcomes import Source, record_outcome
from workers.diagnosis.model import UNKNOWN
from workers.errors import RefusedError

NOTHING_NAMED = "This diagnosis named no cause, so there is nothing that could be right or wrong."


def judge(
    session: Session,
    diagnosis: Diagnosis,
    *,
    source: Source,
    is_right: bool,
    said_by: str,
    true_cause: str = "",
    now: datetime,
) -> None:
    """Record that a diagnosis was right or wrong. Raises RefusedError if it named no cause."""
    record_outcome(
        session,
        source=source,
        answer=answer_of(diagnosis, is_right=is_right),
        diagnosis_id=diagnosis.id,
        said_by=said_by,
        true_cause=true_cause,
        now=now,
    )


def answer_of(diagnosis: Diagnosis, *, is_right: bool) -> JudgedAnswer:
    """Return what a diagnosis answered, judged. Raises RefusedError if it named no cause."""
    if diagnosis.status != "concluded" or diagnosis.confidence is None:
        raise RefusedError(NOTHING_NAMED)
    raw = diagnosis.checkpoints.get("confirm", {}).get("raw_confidence")
    # An earlier version stated what the evidence alone gave.
    confidence = diagnosis.confidence
    return JudgedAnswer(cause_named(diagnosis), confidence if raw is None else raw, is_right, confidence)


def cause_named(diagnosis: Diagnosis) -> str:
    """Return the kind of the cause that a diagnosis named, such as "deploy"; "unknown" if that is not stored."""
    key = diagnosis.checkpoints.get("confirm", {}).get("origin_key")
    return next((row.cause for row in diagnosis.hypotheses if row.key == key), UNKNOWN)
