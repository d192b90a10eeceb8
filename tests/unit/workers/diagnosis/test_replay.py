"""A diagnosis is weighed again on its stored evidence, and its confidence is that of earlier outcomes."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from detection.calibration import Method
from detection.types import JudgedAnswer
from storage import diagnoses
from storage.models import Diagnosis
from storage.outcomes import Source, record_outcome
from tests.unit.workers.diagnosis.conftest import NOW, Shop
from workers.diagnosis.certainty.judging import answer_of
from workers.diagnosis.pipeline import run
from workers.diagnosis.replay import replay
from workers.errors import RefusedError


def learnt(session: Session, count: int, *, right: int) -> None:
    """Record outcomes of deploys that were blamed by evidence of every strength."""
    for number in range(count):
        answer = JudgedAnswer("deploy", 0.6 + 0.39 * (number % 20) / 19, is_right=number % count < right)
        now = NOW - timedelta(minutes=number)
        record_outcome(session, source=Source.EXPORT, answer=answer, export=f"{number}", said_by="Ana", now=now)


def latest(session: Session, incident_id: int) -> Diagnosis:
    found = diagnoses.latest_diagnosis(session, incident_id)
    assert found is not None
    return found


def test_the_same_evidence_gives_the_same_answer_even_after_more_outcomes_are_known(
    broken_checkout: Shop, checkout_incident: int
) -> None:
    with broken_checkout.sessions.begin() as session:
        learnt(session, 60, right=50)
    outcome = run(checkout_incident, broken_checkout.sources())
    sure = outcome.verdict.sure
    assert sure is not None
    assert (sure.method, sure.cause) == (Method.PLATT, "deploy")
    with broken_checkout.sessions.begin() as session:
        learnt(session, 200, right=0)
        replayed = replay(latest(session, checkout_incident))
    assert replayed.differences == ()
    assert replayed.verdict.confidence == outcome.confidence


def test_evidence_that_was_changed_gives_another_answer_which_is_told(
    broken_checkout: Shop, checkout_incident: int
) -> None:
    run(checkout_incident, broken_checkout.sources())
    with broken_checkout.sessions() as session:
        diagnosis = latest(session, checkout_incident)
        saved: dict[str, Any] = deepcopy(diagnosis.checkpoints)
        for item in saved["gather"]["evidence"]:
            item["weight"] = -3.0 if item["hypothesis_key"] != "unknown" else 0.0
        diagnosis.checkpoints = saved
        told = replay(diagnosis).differences
    assert any(line.startswith("status: was concluded, is inconclusive") for line in told)


def test_the_verdict_keeps_the_raw_confidence_beside_the_calibrated_one(
    broken_checkout: Shop, checkout_incident: int
) -> None:
    outcome = run(checkout_incident, broken_checkout.sources())
    raw = outcome.verdict.raw_confidence
    assert raw is not None
    assert outcome.confidence < raw
    with broken_checkout.sessions() as session:
        judged = answer_of(latest(session, checkout_incident), is_right=True)
    assert judged == JudgedAnswer("deploy", raw, is_right=True, stated=outcome.confidence)


def test_without_a_finished_diagnosis_there_is_nothing_to_replay(broken_checkout: Shop, checkout_incident: int) -> None:
    with pytest.raises(RefusedError, match="no diagnosis yet"):
        replay(None)
    with broken_checkout.sessions.begin() as session:
        begun = diagnoses.start_diagnosis(session, checkout_incident, now=NOW)
        with pytest.raises(RefusedError, match="still running"):
            replay(begun)
        begun.status = "failed"
        with pytest.raises(RefusedError, match="failed before its step characterise"):
            replay(begun)
