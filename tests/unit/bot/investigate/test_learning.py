"""`argux investigate --learn`: known causes count for how sure Argux may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.investigate.answer import Investigation
from bot.investigate.learning import learn
from bot.investigate.marks import Marks
from detection.types import JudgedAnswer
from storage.outcomes import judged_answers
from tests.unit.bot.conftest import RunArgux
from tests.unit.bot.investigate.exports import ALERT, write
from workers.services import Services

SHA = "3f2a9c1d" * 5
ANSWER = Investigation("outage", SHA, 0.81, cause="deploy", raw_confidence=0.88)


def export(folder: Path, truth: str = SHA) -> Path:
    write(folder, "alert.json", ALERT)
    write(folder, "truth.json", {"root_cause_commit": truth})
    return folder


def outcomes(services: Services) -> list[JudgedAnswer]:
    with services.readers() as session:
        return list(judged_answers(session))


def test_a_marked_answer_is_kept_with_both_of_its_confidences(services: Services, tmp_path: Path) -> None:
    assert learn(services, [(export(tmp_path / "outage"), ANSWER, Marks(commit=True))]) == 1
    assert outcomes(services) == [JudgedAnswer("deploy", 0.88, is_right=True, stated=0.81)]


def test_an_incident_that_is_learnt_again_replaces_what_was_learnt_even_if_its_folder_moved(
    services: Services, tmp_path: Path
) -> None:
    learn(services, [(export(tmp_path / "outage"), ANSWER, Marks(commit=True))])
    learn(services, [(export(tmp_path / "elsewhere" / "outage"), ANSWER, Marks(commit=False))])
    assert [answer.is_right for answer in outcomes(services)] == [False]


@pytest.mark.parametrize(
    ("answer", "marks"),
    [
        (ANSWER, None),
        (ANSWER, Marks(origin=True)),
        (Investigation("outage", None, 0.4, raw_confidence=0.5), Marks(commit=False)),
    ],
)
def test_an_answer_that_claims_nothing_or_has_no_truth_teaches_nothing(
    services: Services, tmp_path: Path, answer: Investigation, marks: Marks | None
) -> None:
    assert learn(services, [(export(tmp_path / "outage"), answer, marks)]) == 0
    assert outcomes(services) == []


def test_the_command_says_how_many_it_learnt_from(run_argux: RunArgux, services: Services, tmp_path: Path) -> None:
    folder = str(export(tmp_path / "outage"))
    told = run_argux("investigate", folder, "--learn")
    assert "Learnt from" in told.output
    assert "Learnt from" not in run_argux("investigate", folder).output
