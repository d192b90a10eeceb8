"""A diagnosis that is interrupted goes on where it was, and two at once become one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from storage import diagnoses
from storage.incidents import add_timeline
from workers.diagnosis import pipeline

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


def counting(monkeypatch):
    """Count how often each step does its work."""
    done = dict.fromkeys(STEPS, 0)
    for step, name in WORK.items():
        work = getattr(pipeline, name)

        def counted(*arguments, _step=step, _work=work, **named):
            done[_step] += 1
            return _work(*arguments, **named)

        monkeypatch.setattr(pipeline, name, counted)
    return done


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_within_a_step_repeats_that_step_and_no_earlier_one(
    step, broken_checkout, checkout_incident, monkeypatch, answered
):
    done = counting(monkeypatch)
    with monkeypatch.context() as broken:

        def fail(*arguments, **named):
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
def test_a_crash_before_a_checkpoint_is_committed_leaves_none_of_the_steps_rows(
    step, broken_checkout, checkout_incident, monkeypatch, answered
):
    with monkeypatch.context() as broken:

        def fail_at(session, diagnosis, name, output):
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


def test_a_failing_telemetry_store_stops_the_step_and_the_next_call_finishes(broken_checkout, checkout_incident):
    broken_checkout.telemetry.fault = OperationalError("select", {}, Exception("locked"))
    with pytest.raises(OperationalError):
        pipeline.run(checkout_incident, broken_checkout.sources())
    broken_checkout.telemetry.fault = None

    assert pipeline.run(checkout_incident, broken_checkout.sources()).suspect_commit == "b" * 40


def test_no_transaction_is_open_while_the_code_host_is_asked(broken_checkout, checkout_incident):
    def write_meanwhile():
        with broken_checkout.sessions.begin() as session:
            add_timeline(session, checkout_incident, kind="note", actor="Ana", text="I look into it", now=NOW)

    broken_checkout.code_host.before_answer = write_meanwhile

    assert pipeline.run(checkout_incident, broken_checkout.sources()).status == "concluded"


def test_two_workers_on_one_incident_write_one_diagnosis(broken_checkout, checkout_incident, answered):
    others = []

    def other_worker():
        broken_checkout.code_host.before_answer = lambda: None
        others.append(pipeline.run(checkout_incident, broken_checkout.sources()))

    broken_checkout.code_host.before_answer = other_worker

    outcome = pipeline.run(checkout_incident, broken_checkout.sources())

    answered(broken_checkout, outcome)
    assert others == [outcome]


def test_a_finished_diagnosis_is_followed_by_a_new_one(broken_checkout, checkout_incident):
    first = pipeline.run(checkout_incident, broken_checkout.sources())
    second = pipeline.run(checkout_incident, broken_checkout.sources())

    assert second.diagnosis_id == first.diagnosis_id + 1
    assert second.suspect_commit == first.suspect_commit


def test_a_running_diagnosis_has_no_outcome_yet(broken_checkout, checkout_incident):
    with broken_checkout.sessions.begin() as session:
        running = diagnoses.start_diagnosis(session, checkout_incident, now=NOW)

        assert pipeline.outcome_of(running) is None
