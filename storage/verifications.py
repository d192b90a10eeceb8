"""Verifications: the incident's metrics tested again, after an action or because they are back to usual."""

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
    """Begin to test an action's effect; a second start gets the first one's row."""
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


def running_verifications(session: Session) -> Sequence[Verification]:
    """Those without an outcome yet, oldest first."""
    return session.scalars(select(Verification).where(Verification.status == "running").order_by(Verification.id)).all()


def record_measures(session: Session, verification: Verification, measures: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the newest attempt measured; see models.Verification for the shape."""
    hold(session, verification)
    verification.measures = [dict(measure) for measure in measures]
    verification.attempts += 1
    session.flush()


def finish_verification(session: Session, verification: Verification, *, status: str, now: datetime) -> None:
    """End it. status: recovered, not_recovered or insufficient_data."""
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
    """Keep that the metrics are back to usual without any action, and what was measured."""
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
    """How often each of these incidents went back to usual by itself; those that never did are left out."""
    query = select(Verification.incident_id, func.count()).where(
        Verification.incident_id.in_(incident_ids), Verification.action_id.is_(None)
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(Verification.incident_id))}


def self_recovery_of(session: Session, incident: Incident) -> Verification | None:
    """The one that closed the incident; None where it is open, or something or somebody else closed it."""
    return session.scalars(
        select(Verification).where(
            Verification.incident_id == incident.id,
            Verification.action_id.is_(None),
            Verification.finished_at == incident.closed_at,
        )
    ).first()
