"""Verifications: test an incident's metrics again after an action, or record that they recovered by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.database.rows import hold
from storage.database.upserts import insert_if_new
from storage.models import Incident, Verification


def start_verification(
    session: Session, *, incident_id: int, action_id: int, deadline_at: datetime, now: datetime
) -> Verification:
    """Start to test an action's effect; a second start returns the existing verification."""
    values = {
        "incident_id": incident_id,
        "action_id": action_id,
        "status": "running",
        "measures": [],
        "attempts": 0,
        "started_at": now,
        "deadline_at": deadline_at,
    }
    insert_if_new(session, Verification, values, unique=["action_id"])
    return session.scalars(select(Verification).where(Verification.action_id == action_id)).one()


def running_verifications(session: Session) -> Sequence[tuple[int, int]]:
    """Return the ids of the verifications without an outcome yet, each with its incident's, oldest first."""
    query = select(Verification.id, Verification.incident_id).where(Verification.status == "running")
    return [(row[0], row[1]) for row in session.execute(query.order_by(Verification.id))]


def record_measures(session: Session, verification: Verification, measures: Sequence[Mapping[str, Any]]) -> None:
    """Store the measures of the newest attempt; see models.Verification for their shape."""
    hold(session, verification)
    verification.measures = [dict(measure) for measure in measures]
    verification.attempts += 1
    session.flush()


def finish_verification(session: Session, verification: Verification, *, status: str, now: datetime) -> None:
    """Finish a verification. status: recovered, not_recovered or insufficient_data."""
    verification.status = status
    verification.finished_at = now
    session.flush()


def record_self_recovery(
    session: Session,
    incident_id: int,
    *,
    measures: Sequence[Mapping[str, Any]],
    last_broken_at: datetime,
    now: datetime,
) -> Verification:
    """Record that the metrics recovered without an action, and what was measured."""
    verification = Verification(
        incident_id=incident_id,
        action_id=None,
        status="recovered",
        measures=[dict(measure) for measure in measures],
        attempts=1,
        started_at=last_broken_at,
        deadline_at=now,
        finished_at=now,
    )
    session.add(verification)
    session.flush()
    return verification


def self_recoveries(session: Session, incident_ids: Sequence[int]) -> dict[int, int]:
    """Count how often each of these incidents recovered by itself; incidents that never did are left out."""
    query = select(Verification.incident_id, func.count()).where(
        Verification.incident_id.in_(incident_ids), Verification.action_id.is_(None)
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(Verification.incident_id))}


def self_recovery_of(session: Session, incident: Incident) -> Verification | None:
    """Return the self-recovery that closed the incident; None if it is open or was closed in another way."""
    return session.scalars(
        select(Verification).where(
            Verification.incident_id == incident.id,
            Verification.action_id.is_(None),
            Verification.finished_at == incident.closed_at,
        )
    ).first()
