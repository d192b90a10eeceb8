"""The table of what turned out to be the cause."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database.base import Base


class DiagnosisOutcome(Base):
    """Whether a diagnosis was right, as one source says: verification, person or export.

    subject: "diagnosis:12", or "export:…" for an exported incident, which has no diagnosis here; each source has one
    word on a subject. raw_confidence: what the evidence gave; confidence: what people were told. true_cause: what it
    was, in a person's or the export's words; empty if nobody said.
    """

    __tablename__ = "diagnosis_outcomes"
    __table_args__ = (UniqueConstraint("subject", "source"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(300))
    source: Mapped[str] = mapped_column(String(20))
    diagnosis_id: Mapped[int | None] = mapped_column(ForeignKey("diagnoses.id"), index=True)
    cause: Mapped[str] = mapped_column(String(30))
    raw_confidence: Mapped[float]
    confidence: Mapped[float | None]
    is_right: Mapped[bool]
    said_by: Mapped[str] = mapped_column(String(200))
    true_cause: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime]
