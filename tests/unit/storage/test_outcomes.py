"""What turned out to be the cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from detection.types import JudgedAnswer, Severity
from storage.diagnoses import start_diagnosis
from storage.incidents import open_incident
from storage.outcomes import Source, judged_answers, record_outcome, word_on

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
RIGHT = JudgedAnswer("deploy", 0.97, is_right=True, stated=0.92)
WRONG = JudgedAnswer("deploy", 0.97, is_right=False, stated=0.92)


@pytest.fixture
def diagnosis_id(session: Session) -> int:
    incident = open_incident(session, title="Slow", severity=Severity.SEV2, service=None, onset_at=NOW, now=NOW)
    return start_diagnosis(session, incident.id, now=NOW).id


def _say(session: Session, diagnosis_id: int, source: Source, answer: JudgedAnswer, minutes: int = 0) -> None:
    now = NOW + timedelta(minutes=minutes)
    record_outcome(session, source=source, answer=answer, diagnosis_id=diagnosis_id, said_by="Mia", now=now)


def test_an_outcome_is_read_back_as_it_was_recorded(session: Session, diagnosis_id: int) -> None:
    _say(session, diagnosis_id, Source.PERSON, RIGHT)
    assert judged_answers(session) == [RIGHT]


def test_a_later_word_of_a_person_replaces_the_earlier_one(session: Session, diagnosis_id: int) -> None:
    _say(session, diagnosis_id, Source.PERSON, RIGHT)
    assert word_on(session, diagnosis_id, Source.PERSON) is not None
    _say(session, diagnosis_id, Source.PERSON, WRONG, minutes=5)
    word = word_on(session, diagnosis_id, Source.PERSON)
    assert word is not None
    assert not word.is_right
    assert judged_answers(session) == [WRONG]


@pytest.mark.parametrize("later", [Source.PERSON, Source.VERIFICATION])
def test_a_persons_word_beats_that_of_the_verification_whichever_came_first(
    session: Session, diagnosis_id: int, later: Source
) -> None:
    for source, answer in ((Source.PERSON, WRONG), (Source.VERIFICATION, RIGHT)):
        _say(session, diagnosis_id, source, answer, minutes=5 if source is later else 0)
    assert judged_answers(session) == [WRONG]


def test_an_export_that_is_learnt_twice_counts_once(session: Session) -> None:
    for answer in (RIGHT, WRONG):
        record_outcome(
            session, source=Source.EXPORT, answer=answer, export="outage-3", said_by="Ana", true_cause="x\0", now=NOW
        )
    assert judged_answers(session) == [WRONG]


def test_an_outcome_of_nothing_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="of a diagnosis or of an export"):
        record_outcome(session, source=Source.PERSON, answer=RIGHT, said_by="Mia", now=NOW)
