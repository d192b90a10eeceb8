"""Tables of triage: how often each alert fired, what was decided about it, and what people said of that."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database.base import Base


class AlertFiring(Base):
    """One firing of another monitor's alert. ended_at: None while it fires. value: the number sent with it."""

    __tablename__ = "alert_firings"
    __table_args__ = (UniqueConstraint("fingerprint", "started_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(100))
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    value: Mapped[float | None]


class TriageDecision(Base):
    """What was decided about a firing finding. Each change of mind is a row; the rows of one firing share fired_at.

    decision: wake, digest or record. rule: the code of the evidence that decided. joins: the fingerprint that it is a
    symptom of. waiting_since: when the first decision to wait was made, if one was. read_at: when the decision was last
    read again and held. over_at: when it was replaced or the firing ended; None for what holds now. listed_at: when a
    digest listed it.
    """

    __tablename__ = "triage_decisions"
    __table_args__ = (
        Index("ix_triage_decisions_fingerprint", "fingerprint", "id"),
        # Few decisions hold now; every tick reads them.
        Index(
            "ix_triage_decisions_now",
            "decided_at",
            sqlite_where=text("over_at IS NULL"),
            postgresql_where=text("over_at IS NULL"),
        ),
        Index("ix_triage_decisions_decided_at", "decided_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(500))
    name: Mapped[str] = mapped_column(String(300))
    service: Mapped[str | None] = mapped_column(String(200))
    decision: Mapped[str] = mapped_column(String(10))
    rule: Mapped[str] = mapped_column(String(50))
    reason: Mapped[str] = mapped_column(Text)
    joins: Mapped[str | None] = mapped_column(String(500))
    log_odds: Mapped[float]
    fired_at: Mapped[datetime]
    decided_at: Mapped[datetime]
    waiting_since: Mapped[datetime | None]
    read_at: Mapped[datetime]
    over_at: Mapped[datetime | None]
    listed_at: Mapped[datetime | None]


class TriageWord(Base):
    """A person said that a firing should have woken people. One word for each decision."""

    __tablename__ = "triage_words"
    __table_args__ = (UniqueConstraint("decision_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(500), index=True)
    said_by: Mapped[str] = mapped_column(String(200))
    said_at: Mapped[datetime]
