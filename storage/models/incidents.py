"""Tables of incidents: findings, diagnosis, proposal, action, verification and knowledge entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from detection.types import IncidentStatus, Severity
from storage.database.base import Base, by_value


class Incident(Base):
    """A tracked problem. A verification measures the metrics of its findings again.

    closed_by_hand: a person closed it, for closing_reason if given. muted_until: until when the findings of a false
    alarm are told to nobody.
    """

    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    status: Mapped[IncidentStatus] = mapped_column(by_value(IncidentStatus, 20), index=True)
    severity: Mapped[Severity] = mapped_column(by_value(Severity, 4))
    service: Mapped[str | None] = mapped_column(String(200))
    onset_at: Mapped[datetime]
    opened_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(200))
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    closed_by: Mapped[str | None] = mapped_column(String(200))
    closed_by_hand: Mapped[bool] = mapped_column(default=False, server_default=false())
    closing_reason: Mapped[str | None] = mapped_column(Text)
    muted_until: Mapped[datetime | None] = mapped_column(index=True)
    ticket_key: Mapped[str | None] = mapped_column(String(50))
    ticket_url: Mapped[str | None] = mapped_column(String(500))
    escalated_at: Mapped[datetime | None]
    escalated_by: Mapped[str | None] = mapped_column(String(200))
    snoozed_until: Mapped[datetime | None] = mapped_column(index=True)
    snoozed_by: Mapped[str | None] = mapped_column(String(200))
    findings: Mapped[list[FindingRecord]] = relationship(back_populates="incident", order_by="FindingRecord.id")
    timeline: Mapped[list[TimelineEntry]] = relationship(back_populates="incident", order_by="TimelineEntry.id")


class FindingRecord(Base):
    """A finding as measured at its worst; one row per fingerprint and incident.

    last_seen_at: when it was last seen, even if it was milder then; latest_observed and latest_expected are its values
    at that time.
    """

    __tablename__ = "findings"
    __table_args__ = (UniqueConstraint("incident_id", "fingerprint"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(500), index=True)
    detector: Mapped[str] = mapped_column(String(50))
    metric: Mapped[str] = mapped_column(String(50))
    subject: Mapped[dict[str, Any]]
    observed: Mapped[float]
    expected: Mapped[float]
    expected_low: Mapped[float]
    expected_high: Mapped[float]
    sample_size: Mapped[int]
    score: Mapped[float]
    p_value: Mapped[float]
    window_start: Mapped[datetime]
    window_end: Mapped[datetime]
    onset_at: Mapped[datetime]
    details: Mapped[dict[str, Any]]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime] = mapped_column(index=True)
    latest_observed: Mapped[float | None]
    latest_expected: Mapped[float | None]
    incident: Mapped[Incident] = relationship(back_populates="findings")


class TimelineEntry(Base):
    """One thing that happened to an incident, in words. actor: a person's name or "Argux"."""

    __tablename__ = "timeline"

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    happened_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(50))
    actor: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    incident: Mapped[Incident] = relationship(back_populates="timeline")


class Diagnosis(Base):
    """One five-step run. checkpoints: output of each finished step by name; a restarted worker continues after them.

    status: running, concluded, inconclusive, failed.
    """

    __tablename__ = "diagnoses"

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    checkpoints: Mapped[dict[str, Any]]
    root_cause: Mapped[str | None] = mapped_column(Text)
    suspect_commit: Mapped[str | None] = mapped_column(String(64))
    confidence: Mapped[float | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    hypotheses: Mapped[list[Hypothesis]] = relationship(order_by="Hypothesis.id")
    evidence: Mapped[list[Evidence]] = relationship(order_by="Evidence.number")


class Hypothesis(Base):
    """A candidate cause. status: open, confirmed, rejected. cause: deploy, n_plus_one, segment or unknown."""

    __tablename__ = "hypotheses"
    __table_args__ = (UniqueConstraint("diagnosis_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    diagnosis_id: Mapped[int] = mapped_column(ForeignKey("diagnoses.id"), index=True)
    key: Mapped[str] = mapped_column(String(300))
    cause: Mapped[str] = mapped_column(String(30))
    statement: Mapped[str] = mapped_column(Text)
    parameters: Mapped[dict[str, Any]]
    prior: Mapped[float]
    posterior: Mapped[float | None]
    status: Mapped[str] = mapped_column(String(20))


class Evidence(Base):
    """The result of one check: the exact query, its source, the result and its weight.

    number: 1, 2, 3 … within the diagnosis, cited as [E1]. outcome: data, no_data, error.
    weight: the logarithm of the likelihood ratio for its hypothesis; above 0 supports it, below 0 refutes it.
    """

    __tablename__ = "evidence"
    __table_args__ = (UniqueConstraint("diagnosis_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    diagnosis_id: Mapped[int] = mapped_column(ForeignKey("diagnoses.id"), index=True)
    number: Mapped[int]
    hypothesis_key: Mapped[str] = mapped_column(String(300))
    query: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(50))
    result: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]]
    outcome: Mapped[str] = mapped_column(String(10))
    weight: Mapped[float]
    gathered_at: Mapped[datetime]


class Proposal(Base):
    """A proposed action. status: open, approved, superseded, expired, done, failed.

    content_hash covers the action, its parameters and the incident.
    """

    __tablename__ = "proposals"

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    diagnosis_id: Mapped[int | None] = mapped_column(ForeignKey("diagnoses.id"))
    action: Mapped[str] = mapped_column(String(50))
    title: Mapped[str] = mapped_column(String(300))
    parameters: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64))
    risk: Mapped[str] = mapped_column(String(10))
    blast_radius: Mapped[str] = mapped_column(Text)
    verified_by: Mapped[str] = mapped_column(Text)
    undone_by: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Approval(Base):
    """A person's recorded decision on one content hash; at most one per proposal."""

    __tablename__ = "approvals"

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposals.id"), unique=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    decision: Mapped[str] = mapped_column(String(10))
    decided_by: Mapped[str] = mapped_column(String(200))
    decided_by_id: Mapped[str] = mapped_column(String(100))
    decided_at: Mapped[datetime]


class Action(Base):
    """The execution of a proposal. status: running, done, failed."""

    __tablename__ = "actions"

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposals.id"), unique=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    status: Mapped[str] = mapped_column(String(20))
    result: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Verification(Base):
    """A test of the incident's metrics after an action, or after they recovered without one.

    status: running, recovered, not_recovered, insufficient_data (too little data had arrived by the deadline).
    action_id: None if the metrics recovered by themselves; then started_at is when they were last seen broken, and the
    status is recovered. measures: one {metric, subject, before, during, after, recovered_share} per finding.
    """

    __tablename__ = "verifications"

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    action_id: Mapped[int | None] = mapped_column(ForeignKey("actions.id"), unique=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    measures: Mapped[list[Any]]
    attempts: Mapped[int]
    live_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    deadline_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class KnowledgeEntry(Base):
    """What was learnt from a resolved incident: the symptom, the root cause, the fix and the recovery."""

    __tablename__ = "knowledge"

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), unique=True)
    symptom: Mapped[str] = mapped_column(Text)
    root_cause: Mapped[str] = mapped_column(Text)
    fix: Mapped[str] = mapped_column(Text)
    recovery: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
