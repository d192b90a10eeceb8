"""The API models of an incident: findings, diagnosis, proposal, approval, verification, ticket and timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from sqlalchemy.orm import Session

from bot.api.models.diagnosis_models import DiagnosisOut, Row, diagnosis_out
from bot.api.models.where_models import WhereOut, where_out
from detection.types import IncidentStatus, Severity
from integrations.wording import plain
from storage.models import Incident
from workers.telling.incident_view import incident_view
from workers.words.attribution import shown_attribution
from workers.words.stakes import worst_stakes

_WITHOUT_MARKS = frozenset({"opened", *map(str, IncidentStatus)})
"""The kinds of timeline entries that hold text of theirs: a title, or the reason of a change of status."""


class IncidentSummary(Row):
    """An incident in a list."""

    id: int
    title: str
    status: IncidentStatus
    severity: Severity
    service: str | None
    onset_at: datetime = Field(description="When it began, by change-point.")
    opened_at: datetime = Field(description="When Argux opened the incident.")
    updated_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closed_by_hand: bool = Field(description="Whether a person closed it.")
    closing_reason: str | None = Field(description="Why it was marked as a false alarm.")
    muted_until: datetime | None = Field(description="Until when the findings of a false alarm are told to nobody.")
    snoozed_until: datetime | None = Field(description="Until when nobody is told of it.")
    snoozed_by: str | None


class FindingOut(Row):
    """What a detector saw: observed against expected, in the metric's own unit."""

    fingerprint: str
    detector: str
    metric: str
    subject: dict[str, Any]
    observed: float
    expected: float
    expected_low: float
    expected_high: float
    sample_size: int
    score: float = Field(description="In standard deviations.")
    p_value: float
    window_start: datetime
    window_end: datetime
    onset_at: datetime
    details: dict[str, Any]


class EstimateOut(Row):
    """A value, and the bounds within which it lies with 95 % confidence."""

    value: float
    low: float
    high: float


class StakesOut(Row):
    """What is at stake while it lasts: people and money for a funnel; for an endpoint calls, as callers are unknown."""

    text: str
    affected_users: EstimateOut | None = Field(None, description="Since the onset, when it was found to be worst.")
    entries_an_hour: EstimateOut | None = None
    affected_an_hour: EstimateOut | None = None
    conversions_a_day: EstimateOut | None = Field(None, description="Lost while it lasts, at the usual traffic.")
    revenue_a_day: EstimateOut | None = Field(None, description="Null unless the funnel has a value per conversion.")
    currency: str | None = None
    requests_a_minute: float | None = None
    failed_a_minute: EstimateOut | None = None


class ProposalOut(Row):
    """An action offered, with the hash of exactly what it would do."""

    id: int
    action: str
    title: str
    parameters: dict[str, Any]
    content_hash: str
    risk: str
    blast_radius: str
    verified_by: str
    undone_by: str
    status: str
    created_at: datetime
    expires_at: datetime


class ApprovalOut(Row):
    """A person's recorded decision on that hash."""

    decision: str
    decided_by: str
    decided_at: datetime
    content_hash: str


class VerificationOut(Row):
    """The same metrics, tested again after the fix, or where no fix was carried out when they were back to usual."""

    action_id: int | None = Field(description="Null where it recovered by itself; last seen broken at `started_at`.")

    status: str
    measures: list[Any]
    started_at: datetime
    deadline_at: datetime
    finished_at: datetime | None


class TicketOut(BaseModel):
    """The ticket made of it."""

    key: str
    url: str | None


class TimelineOut(Row):
    """What happened, in order."""

    happened_at: datetime
    kind: str
    actor: str
    text: str

    @field_validator("text")
    @classmethod
    def _as_plain_text(cls, text: str, info: ValidationInfo) -> str:
        return text if info.data["kind"] in _WITHOUT_MARKS else plain(text)


class IncidentOut(IncidentSummary):
    """An incident with all that is known of it."""

    acknowledged_at: datetime | None
    acknowledged_by: str | None
    escalated_at: datetime | None
    escalated_by: str | None
    stakes: StakesOut | None = Field(description="Of the finding that costs most; null where nothing can be said.")
    where: WhereOut | None = Field(None, description="Where conversions are lost; null where that is not known.")
    findings: list[FindingOut]
    diagnosis: DiagnosisOut | None
    proposal: ProposalOut | None
    approval: ApprovalOut | None
    verification: VerificationOut | None
    ticket: TicketOut | None
    timeline: list[TimelineOut]


def _ticket(incident: Incident) -> TicketOut | None:
    return TicketOut(key=incident.ticket_key, url=incident.ticket_url) if incident.ticket_key else None


def describe(session: Session, incident_id: int) -> IncidentOut:
    """Read one incident with everything that belongs to it. Raises NotFoundError of storage."""
    view = incident_view(session, incident_id)
    incident = view.incident
    return IncidentOut(
        **IncidentSummary.model_validate(incident).model_dump(),
        acknowledged_at=incident.acknowledged_at,
        acknowledged_by=incident.acknowledged_by,
        escalated_at=incident.escalated_at,
        escalated_by=incident.escalated_by,
        stakes=StakesOut.model_validate(stakes) if (stakes := worst_stakes(view.findings)) else None,
        where=where_out(found) if (found := shown_attribution(view.findings)) is not None else None,
        findings=[FindingOut.model_validate(record) for record in incident.findings],
        diagnosis=diagnosis_out(view.diagnosis) if view.diagnosis else None,
        proposal=ProposalOut.model_validate(view.proposal) if view.proposal else None,
        approval=ApprovalOut.model_validate(view.approval) if view.approval else None,
        verification=VerificationOut.model_validate(view.verification) if view.verification else None,
        ticket=_ticket(incident),
        timeline=[TimelineOut.model_validate(entry) for entry in incident.timeline],
    )
