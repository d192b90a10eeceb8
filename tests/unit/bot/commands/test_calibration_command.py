"""`argux calibration` and `argux diagnose`, run as a user types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from detection.types import JudgedAnswer, Severity
from storage import diagnoses
from storage.incidents import open_incident
from storage.outcomes import Source, record_outcome
from tests.unit.bot.conftest import RunArgux
from workers.diagnosis import pipeline
from workers.diagnosis.job import sources_of
from workers.services import Services


def known(services: Services, count: int, *, cause: str = "deploy", wrong_every: int = 4) -> None:
    with services.sessions.begin() as session:
        for number in range(count):
            answer = JudgedAnswer(cause, 0.6 + 0.39 * (number % 20) / 19, number % wrong_every != 0, stated=0.8)
            record_outcome(
                session, source=Source.EXPORT, answer=answer, export=f"{cause} {number}", said_by="Ana",
                now=services.clock(),
            )  # fmt: skip


def incident(services: Services) -> int:
    now = services.clock()
    with services.sessions.begin() as session:
        return open_incident(session, title="Slow", severity=Severity.SEV2, service="shop", onset_at=now, now=now).id


def test_before_any_outcome_is_known_it_says_where_outcomes_come_from(run_argux: RunArgux, services: Services) -> None:
    said = run_argux("calibration")
    assert said.exit_code == 0
    assert "No outcomes are known yet" in said.stdout
    assert "/argux cause" in said.stdout


def test_it_prints_the_reliability_by_kind_and_over_all_with_the_method_in_use(
    run_argux: RunArgux, services: Services
) -> None:
    known(services, 60)
    known(services, 8, cause="third_party")
    said = " ".join(run_argux("calibration").stdout.split())
    assert "all kinds" in said
    assert "third_party" in said
    assert "│ Platt scaling │" in said
    assert "that of all kinds" in said
    assert "calibration error (ECE)" in said
    assert "held out" in said


def test_the_curve_is_drawn_into_a_picture(run_argux: RunArgux, services: Services, home: Path) -> None:
    known(services, 60)
    said = run_argux("calibration", "--chart", "curve.png")
    assert said.exit_code == 0
    assert (home / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written_is_told_in_one_line(run_argux: RunArgux, services: Services) -> None:
    said = run_argux("calibration", "--chart", "no/such/place/curve.png")
    assert said.exit_code == 1
    assert "cannot be written" in said.output


@pytest.mark.parametrize("options", [(), ("--replay",)])
def test_an_incident_without_a_finished_diagnosis_is_told_so(
    run_argux: RunArgux, services: Services, options: tuple[str, ...]
) -> None:
    assert "no incident 99" in run_argux("diagnose", "99", *options).output.lower()
    number = incident(services)
    none = run_argux("diagnose", str(number), *options)
    assert (none.exit_code, "has no diagnosis yet" in none.output) == (1, True)
    with services.sessions.begin() as session:
        diagnoses.start_diagnosis(session, number, now=services.clock())
    running = run_argux("diagnose", str(number), *options)
    assert (running.exit_code, "still running" in running.output) == (1, True)


def test_a_diagnosis_is_printed_and_its_replay_gives_the_same_answer(run_argux: RunArgux, services: Services) -> None:
    number = incident(services)
    pipeline.run(number, sources_of(services))
    shown = run_argux("diagnose", str(number))
    assert (shown.exit_code, "cause not known" in shown.stdout) == (0, True)
    replayed = run_argux("diagnose", str(number), "--replay")
    assert (replayed.exit_code, "gives the same answer again" in replayed.stdout) == (0, True)
    with services.sessions.begin() as session:
        diagnosis = diagnoses.latest_diagnosis(session, number)
        assert diagnosis is not None
        forged = {**diagnosis.checkpoints["confirm"], "confidence": 0.87}
        diagnoses.save_checkpoint(session, diagnosis, "confirm", forged)
    changed = run_argux("diagnose", str(number), "--replay")
    assert (changed.exit_code, "confidence: was 87.00%" in changed.stdout) == (1, True)
