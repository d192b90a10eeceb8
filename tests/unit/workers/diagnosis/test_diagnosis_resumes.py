"""An interrupted diagnosis resumes, and two concurrent workers write one diagnosis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from storage import diagnoses
from storage.incidents import add_timeline
from storage.models import Diagnosis
from tests.unit.workers.diagnosis.conftest import Answered, Shop
from workers.diagnosis import pipeline
from workers.diagnosis.model import DiagnosisOutcome

NOW = datetime(2026, 2, 7, 14, 10, tzinfo=UTC)
WORK = {
    "characterise": "characterise",
    "hypothesise": "hypothesise",
    "gather": "gather",
    "confirm": "confirm",
    "fix": "plan_fix",
}
STEPS = list(WORK)


class PowerCut(Exception):
    pass


def counting(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count how often each step runs."""
    done = dict.fromkeys(STEPS, 0)
    for step, name in WORK.items():
        work = getattr(pipeline, name)

        def counted(*arguments: Any, _step: str = step, _work: Callable[..., Any] = work, **named: Any) -> Any:
            done[_step] += 1
            return _work(*arguments, **named)

        monkeypatch.setattr(pipeline, name, counted)
    return done


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_within_a_step_repeats_that_step_and_no_earlier_one(
    step: str, broken_checkout: Shop, checkout_incident: int, monkeypatch: pytest.MonkeyPatch, answered: Answered
) -> None:
    done = counting(monkeypatch)
    with monkeypatch.context() as broken:

        def fail(*arguments: object, **named: object) -> None:
            raise PowerCut

        broken.setattr(pipeline, WORK[step], fail)
        with pytest.raises(PowerCut):
            pipeline.run(checkout_incident, broken_checkout.sources())

    outcome = pipeline.run(checkout_incident, broken_checkout.sources())

    answered(broken_checkout, outcome)
    assert outcome.diagnosis_id == 1
    assert outcome.suspect_commit == "b" * 40
    assert done == dict.fromkeys(STEPS, 1)


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_before_a_checkpoint_is_committed_leaves_no_rows_of_that_step(
    step: str, broken_checkout: Shop, checkout_incident: int, monkeypatch: pytest.MonkeyPatch, answered: Answered
) -> None:
    with monkeypatch.context() as broken:

        def fail_at(session: Session, diagnosis: Diagnosis, name: str, output: dict[str, Any]) -> None:
            diagnoses.save_checkpoint(session, diagnosis, name, output)
            if name == step:
                raise PowerCut

        broken.setattr(pipeline, "save_checkpoint", fail_at)
        with pytest.raises(PowerCut):
            pipeline.run(checkout_incident, broken_checkout.sources())
    with broken_checkout.sessions() as session:
        kept = diagnoses.get_diagnosis(session, 1)
        assert list(kept.checkpoints) == STEPS[: STEPS.index(step)]
        assert bool(kept.evidence) == (STEPS.index(step) > STEPS.index("gather"))
        assert kept.status == "running"
    done = counting(monkeypatch)

    outcome = pipeline.run(checkout_incident, broken_checkout.sources())

    answered(broken_checkout, outcome)
    assert done == {name: int(STEPS.index(name) >= STEPS.index(step)) for name in STEPS}


def test_an_error_of_the_telemetry_store_stops_the_step_and_the_next_call_finishes(
    broken_checkout: Shop, checkout_incident: int
) -> None:
    broken_checkout.telemetry.fault = OperationalError("select", {}, Exception("locked"))
    with pytest.raises(OperationalError):
        pipeline.run(checkout_incident, broken_checkout.sources())
    broken_checkout.telemetry.fault = None

    assert pipeline.run(checkout_incident, broken_checkout.sources()).suspect_commit == "b" * 40


def test_no_transaction_is_open_during_a_call_of_the_code_host(broken_checkout: Shop, checkout_incident: int) -> None:
    def write_meanwhile() -> None:
        with broken_checkout.sessions.begin() as session:
            add_timeline(session, checkout_incident, kind="note", actor="Ana", text="I look into it", now=NOW)

    broken_checkout.code_host.before_answer = write_meanwhile

    assert pipeline.run(checkout_incident, broken_checkout.sources()).status == "concluded"


def test_two_workers_on_one_incident_write_one_diagnosis(
    broken_checkout: Shop, checkout_incident: int, answered: Answered
) -> None:
    others: list[DiagnosisOutcome] = []

    def other_worker() -> None:
        broken_checkout.code_host.before_answer = lambda: None
        others.append(pipeline.run(checkout_incident, broken_checkout.sources()))

    broken_checkout.code_host.before_answer = other_worker

    outcome = pipeline.run(checkout_incident, broken_checkout.sources())

    answered(broken_checkout, outcome)
    assert others == [outcome]


def test_a_finished_diagnosis_is_followed_by_a_new_one(broken_checkout: Shop, checkout_incident: int) -> None:
    first = pipeline.run(checkout_incident, broken_checkout.sources())
    second = pipeline.run(checkout_incident, broken_checkout.sources())

    assert second.diagnosis_id == first.diagnosis_id + 1
    assert second.suspect_commit == first.suspect_commit


def test_a_running_diagnosis_has_no_outcome_yet(broken_checkout: Shop, checkout_incident: int) -> None:
    with broken_checkout.sessions.begin() as session:
        running = diagnoses.start_diagnosis(session, checkout_incident, now=NOW)

        assert pipeline.outcome_of(running) is None
