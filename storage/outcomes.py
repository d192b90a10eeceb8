"""What turned out to be the cause: the outcomes of diagnoses, and of exported incidents whose cause is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import JudgedAnswer
from storage.database.reading import readable
from storage.database.texts import clipped
from storage.database.upserts import put
from storage.models import DiagnosisOutcome

MOST_READ = 10_000
"""How many of the newest outcomes count: a calibration is about the Argux of today."""

LONGEST_CAUSE_TEXT = 2_000
"""The longest description of the real cause; the rest is cut off."""

_LONGEST_SUBJECT, _LONGEST_CAUSE, _LONGEST_NAME = 300, 30, 200


class Source(StrEnum):
    """Who says how a diagnosis turned out, the one that is believed most last."""

    EXPORT = "export"
    VERIFICATION = "verification"
    PERSON = "person"


_RANK: Mapping[str, int] = {source.value: rank for rank, source in enumerate(Source)}


def record_outcome(
    session: Session,
    *,
    source: Source,
    answer: JudgedAnswer,
    diagnosis_id: int | None = None,
    export: str = "",
    said_by: str,
    true_cause: str = "",
    now: datetime,
) -> None:
    """Record how an answer turned out; a later word of the same source on the same answer replaces the earlier one.

    export: the name of an exported incident, where there is no diagnosis. true_cause: in words; empty if not known.
    Raises ValueError unless it is either of a diagnosis or of an export.
    """
    if (diagnosis_id is None) == (not export):
        raise ValueError("an outcome is of a diagnosis or of an export")
    subject = f"diagnosis:{diagnosis_id}" if diagnosis_id is not None else f"export:{export}"
    row = {
        "subject": clipped(subject, _LONGEST_SUBJECT),
        "source": source.value,
        "diagnosis_id": diagnosis_id,
        "cause": clipped(answer.cause, _LONGEST_CAUSE),
        "raw_confidence": answer.raw,
        "confidence": answer.stated,
        "is_right": answer.is_right,
        "said_by": clipped(said_by, _LONGEST_NAME),
        "true_cause": clipped(true_cause, LONGEST_CAUSE_TEXT),
        "recorded_at": now,
    }
    put(session, DiagnosisOutcome, [row], unique=["subject", "source"])


def word_on(session: Session, diagnosis_id: int, source: Source) -> DiagnosisOutcome | None:
    """Return what this source says about a diagnosis; None if it has said nothing."""
    query = select(DiagnosisOutcome).where(
        DiagnosisOutcome.diagnosis_id == diagnosis_id, DiagnosisOutcome.source == source.value
    )
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def judged_answers(session: Session) -> Sequence[JudgedAnswer]:
    """Return the newest MOST_READ outcomes, oldest first: of each diagnosis the word that is believed most."""
    query = select(DiagnosisOutcome).order_by(DiagnosisOutcome.recorded_at.desc(), DiagnosisOutcome.id.desc())
    best: dict[str, DiagnosisOutcome] = {}
    for row in readable(session, query.limit(MOST_READ).execution_options(populate_existing=True)):
        other = best.get(row.subject)
        if other is None or _rank(row) > _rank(other):
            best[row.subject] = row
    in_order = sorted(best.values(), key=lambda row: (row.recorded_at, row.id))
    return [JudgedAnswer(row.cause, row.raw_confidence, row.is_right, row.confidence) for row in in_order]


def _rank(row: DiagnosisOutcome) -> int:
    return _RANK.get(row.source, -1)
