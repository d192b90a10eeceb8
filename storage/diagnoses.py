"""Diagnoses: each is one five-step run with its checkpoints, hypotheses and numbered evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.database.rows import get, hold
from storage.incidents import get_incident
from storage.models import Diagnosis, Evidence, Hypothesis


def start_diagnosis(session: Session, incident_id: int, *, now: datetime) -> Diagnosis:
    """Start a run, or return the one that is running: an incident has at most one running diagnosis."""
    hold(session, get_incident(session, incident_id))
    latest = latest_diagnosis(session, incident_id)
    if latest is not None and latest.status == "running":
        return latest
    diagnosis = Diagnosis(incident_id=incident_id, status="running", checkpoints={}, started_at=now)
    session.add(diagnosis)
    session.flush()
    return diagnosis


def latest_diagnosis(session: Session, incident_id: int) -> Diagnosis | None:
    """Return the incident's newest run, finished or not."""
    query = select(Diagnosis).where(Diagnosis.incident_id == incident_id).order_by(Diagnosis.id.desc()).limit(1)
    return session.scalars(query).one_or_none()


def running_since(session: Session, before: datetime) -> Sequence[int]:
    """Return the ids of the incidents whose runs began before then and have not ended."""
    query = select(Diagnosis.incident_id).where(Diagnosis.status == "running", Diagnosis.started_at <= before)
    return session.scalars(query.order_by(Diagnosis.id)).all()


def get_diagnosis(session: Session, diagnosis_id: int) -> Diagnosis:
    """Return one run; raise NotFoundError if there is none."""
    return get(session, Diagnosis, diagnosis_id, "diagnosis")


def save_checkpoint(session: Session, diagnosis: Diagnosis, step: str, output: Mapping[str, Any]) -> None:
    """Store a finished step's output, so that a restarted worker continues after it."""
    hold(session, diagnosis)
    diagnosis.checkpoints = {**diagnosis.checkpoints, step: dict(output)}
    session.flush()


def put_hypotheses(session: Session, diagnosis: Diagnosis, hypotheses: Sequence[Mapping[str, Any]]) -> None:
    """Create or update hypotheses by their `key`: {key, cause, statement, parameters, prior, posterior?, status?}."""
    hold(session, diagnosis)
    known = {hypothesis.key: hypothesis for hypothesis in diagnosis.hypotheses}
    for given in hypotheses:
        row = known.get(given["key"])
        if row is None:
            row = known[given["key"]] = Hypothesis(diagnosis_id=diagnosis.id, status="open")
            diagnosis.hypotheses.append(row)
        for name, value in given.items():
            setattr(row, name, value)
    session.flush()


def add_evidence(
    session: Session,
    diagnosis: Diagnosis,
    *,
    hypothesis_key: str,
    query: str,
    source: str,
    result: str,
    data: Mapping[str, Any],
    outcome: str,
    weight: float,
    now: datetime,
) -> Evidence:
    """Add the result of a check as evidence, with the diagnosis's next number."""
    hold(session, diagnosis)
    last = session.scalar(select(func.max(Evidence.number)).where(Evidence.diagnosis_id == diagnosis.id))
    evidence = Evidence(
        diagnosis_id=diagnosis.id,
        number=(last or 0) + 1,
        hypothesis_key=hypothesis_key,
        query=query,
        source=source,
        result=result,
        data=dict(data),
        outcome=outcome,
        weight=weight,
        gathered_at=now,
    )
    diagnosis.evidence.append(evidence)
    session.flush()
    return evidence


def conclude(
    session: Session,
    diagnosis: Diagnosis,
    *,
    status: str,
    root_cause: str | None,
    suspect_commit: str | None,
    confidence: float | None,
    now: datetime,
) -> None:
    """End the run. status: concluded, inconclusive or failed."""
    diagnosis.status = status
    diagnosis.root_cause = root_cause
    diagnosis.suspect_commit = suspect_commit
    diagnosis.confidence = confidence
    diagnosis.finished_at = now
    session.flush()
