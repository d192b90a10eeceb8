from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from detection.types import Severity
from storage import diagnoses
from storage.errors import NotFoundError
from storage.incidents import open_incident
from storage.models import Diagnosis, Evidence

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
DEPLOY = {"key": "deploy:7", "cause": "deploy", "statement": "Deploy 7 did it", "parameters": {"id": 7}, "prior": 0.4}


@pytest.fixture
def diagnosis(session: Session) -> Diagnosis:
    incident = open_incident(session, title="Slow", severity=Severity.SEV2, service=None, onset_at=NOW, now=NOW)
    return diagnoses.start_diagnosis(session, incident.id, now=NOW)


def _evidence(session: Session, diagnosis: Diagnosis, **changes: Any) -> Evidence:
    values: dict[str, Any] = {
        "hypothesis_key": "deploy:7",
        "query": "deploys before the onset",
        "source": "deploys",
        "result": "one, 40 s before",
        "data": {"count": 1},
        "outcome": "data",
        "weight": 2.5,
        "now": NOW,
    }
    return diagnoses.add_evidence(session, diagnosis, **(values | changes))


def test_starting_returns_the_running_diagnosis_or_starts_another_after_a_finished_one(
    session: Session, diagnosis: Diagnosis
) -> None:
    assert diagnoses.start_diagnosis(session, diagnosis.incident_id, now=NOW) is diagnosis
    diagnoses.conclude(
        session, diagnosis, status="concluded", root_cause="N+1", suspect_commit="abc", confidence=0.9, now=NOW
    )
    second = diagnoses.start_diagnosis(session, diagnosis.incident_id, now=NOW)
    assert second.id != diagnosis.id
    assert diagnoses.latest_diagnosis(session, diagnosis.incident_id) == second


def test_checkpoints_of_finished_steps_survive_a_restart(session: Session, diagnosis: Diagnosis) -> None:
    diagnoses.save_checkpoint(session, diagnosis, "characterise", {"onset": 1.5})
    diagnoses.save_checkpoint(session, diagnosis, "hypothesise", {"count": 2})
    session.expire_all()
    resumed = diagnoses.get_diagnosis(session, diagnosis.id)
    assert resumed.checkpoints == {"characterise": {"onset": 1.5}, "hypothesise": {"count": 2}}


def test_hypotheses_stored_again_are_updated_not_duplicated(session: Session, diagnosis: Diagnosis) -> None:
    diagnoses.put_hypotheses(session, diagnosis, [DEPLOY])
    diagnoses.put_hypotheses(session, diagnosis, [DEPLOY | {"posterior": 0.93, "status": "confirmed"}])
    session.expire_all()
    (hypothesis,) = diagnosis.hypotheses
    assert (hypothesis.status, hypothesis.posterior, hypothesis.prior) == ("confirmed", 0.93, 0.4)


def test_evidence_numbers_itself_from_one(session: Session, diagnosis: Diagnosis) -> None:
    numbers = [_evidence(session, diagnosis, weight=weight).number for weight in (2.5, -1.0, 0.0)]
    session.expire_all()
    assert numbers == [1, 2, 3] == [evidence.number for evidence in diagnosis.evidence]


def test_a_diagnosis_of_a_missing_incident_is_refused(session: Session) -> None:
    with pytest.raises(NotFoundError):
        diagnoses.start_diagnosis(session, 404, now=NOW)
