"""People say whether the cause was right: by the buttons under the diagnosis, or by `/argux cause`."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from detection.types import JudgedAnswer
from integrations.cards import Card
from integrations.protocols import Standing
from storage import diagnoses
from storage.models import AuditEntry, Delivery, Diagnosis, DiagnosisOutcome
from storage.outcomes import Source, judged_answers, record_outcome, word_on
from tests.scenarios.workers.clicks.test_people_decide import fakes
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.incidents import opened
from tests.scenarios.workers.worker import Worker
from workers.clicks.buttons import handle_click
from workers.clicks.slash_command import answer_command
from workers.diagnosis.job import diagnosis_card
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message

CONFIRMED = {"origin_key": "deploy:7", "raw_confidence": 0.97}


def concluded(services: Services, incident_id: int, *, status: str = "concluded") -> int:
    """Store a diagnosis that names a deploy, and tell it in the thread; return its id."""
    now = services.clock()
    with services.sessions.begin() as session:
        diagnosis = diagnoses.start_diagnosis(session, incident_id, now=now)
        row = {"key": "deploy:7", "cause": "deploy", "statement": "A deploy", "parameters": {}, "prior": 0.4}
        diagnoses.put_hypotheses(session, diagnosis, [row])
        diagnoses.save_checkpoint(session, diagnosis, "confirm", CONFIRMED)
        diagnoses.conclude(
            session, diagnosis, status=status, root_cause="A deploy", suspect_commit=None, confidence=0.92, now=now
        )
        card, key = diagnosis_card(diagnosis), f"diagnosis:{diagnosis.id}"
        enqueue_thread_message(session, incident_id, key=key, card=card, channel="C1", now=now)
        return diagnosis.id


def press(services: Services, diagnosis_id: int, action_id: str, user: str = "Ana", *, on: int | None = None) -> None:
    """Press a button on the message of a diagnosis; on: on that of another one."""
    with services.readers() as session:
        shown = session.get_one(Diagnosis, on or diagnosis_id)
        key = f"thread:{shown.incident_id}:diagnosis:{shown.id}"
        message = session.scalars(select(Delivery).where(Delivery.key == key)).one()
    handle_click(
        services, action_id=action_id, value=str(diagnosis_id), user_id=f"U{user.upper()}", user_name=user,
        channel=message.channel, message_ts=message.message_id or "just posted", trigger_id="t",
    )  # fmt: skip


def typed(services: Services, text: str, user: str = "Ana") -> Card:
    answer_command(services, text, "https://hooks.example/1", user_id=f"U{user.upper()}", user_name=user, channel="C1")
    return fakes(services)[0].responses[-1]


def answers(services: Services) -> list[JudgedAnswer]:
    with services.readers() as session:
        return list(judged_answers(session))


@pytest.fixture
def told(services: Services, worker: Worker) -> tuple[int, int]:
    """An incident and its diagnosis, which the thread shows."""
    incident_id = opened(services)
    diagnosis_id = concluded(services, incident_id)
    worker.run_all()
    return incident_id, diagnosis_id


@ON_BOTH
def test_right_and_wrong_under_a_diagnosis_are_kept_and_told_in_the_thread(
    services: Services, worker: Worker, told: tuple[int, int]
) -> None:
    press(services, told[1], "cause_right")
    assert answers(services) == [JudgedAnswer("deploy", 0.97, is_right=True, stated=0.92)]
    press(services, told[1], "cause_wrong", "Ben")
    worker.run_all()
    assert answers(services) == [JudgedAnswer("deploy", 0.97, is_right=False, stated=0.92)]
    assert fakes(services)[0].thread_titles()[-2:] == ["The cause was right", "The cause was wrong"]
    with services.readers() as session:
        assert {"cause_right", "cause_wrong"} <= set(session.scalars(select(AuditEntry.event)))


def test_the_same_word_again_is_refused_and_counts_once(services: Services, told: tuple[int, int]) -> None:
    for user in ("Ana", "Ben"):
        press(services, told[1], "cause_right", user)
    assert fakes(services)[0].ephemerals[-1] == ("UBEN", "That was said already; the thread shows by whom.")
    assert len(answers(services)) == 1


def test_a_guest_may_not_say_it_by_button_nor_by_command(services: Services, told: tuple[int, int]) -> None:
    fakes(services)[0].standings["UGUS"] = Standing.GUEST
    press(services, told[1], "cause_right", "Gus")
    assert typed(services, f"cause {told[0]} right", "Gus").title == "Not done"
    assert answers(services) == []


def test_a_button_on_another_diagnosis_message_does_nothing(services: Services, worker: Worker) -> None:
    first, second = (concluded(services, opened(services)) for _ in range(2))
    worker.run_all()
    press(services, first, "cause_right", on=second)
    assert answers(services) == []


def test_the_command_takes_the_real_cause(services: Services, worker: Worker, told: tuple[int, int]) -> None:
    card = typed(services, f"cause {told[0]} wrong the <CDN> cut us off")
    assert card.title == "Noted"
    worker.run_all()
    with services.readers() as session:
        word = word_on(session, told[1], Source.PERSON)
    assert word is not None
    assert (word.is_right, word.said_by, word.true_cause) == (False, "Ana", "the <CDN> cut us off")


def test_pressing_wrong_after_the_real_cause_was_told_keeps_it(services: Services, told: tuple[int, int]) -> None:
    typed(services, f"cause {told[0]} wrong a full disk")
    press(services, told[1], "cause_wrong", "Ben")
    with services.readers() as session:
        assert session.scalars(select(DiagnosisOutcome.true_cause)).all() == ["a full disk"]


@pytest.mark.parametrize(
    "text", ["cause", "cause 1", "cause x right", "cause 1 maybe", "cause ٣ right", "cause 1e3 wrong"]
)
def test_a_command_that_is_not_understood_says_how_it_is_written(services: Services, text: str) -> None:
    assert typed(services, text).title == "How to say whether a cause was right"


def test_of_an_incident_without_a_finished_diagnosis_nothing_can_be_said(services: Services) -> None:
    incident_id = opened(services)
    assert "no finished diagnosis" in typed(services, f"cause {incident_id} right").text
    assert typed(services, "cause 999 right").title == "Not done"


def test_a_diagnosis_that_named_no_cause_has_no_buttons_and_takes_no_word(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    diagnosis_id = concluded(services, incident_id, status="inconclusive")
    worker.run_all()
    with services.readers() as session:
        assert diagnosis_card(session.get_one(Diagnosis, diagnosis_id)).actions == ()
    press(services, diagnosis_id, "cause_right")
    assert answers(services) == []


def test_the_card_says_how_many_answers_that_sure_were_right_once_that_can_be_said(
    services: Services, told: tuple[int, int]
) -> None:
    with services.sessions.begin() as session:
        diagnosis = session.get_one(Diagnosis, told[1])
        assert dict(diagnosis_card(diagnosis).fields) == {"Confidence": "92 %"}
        confirm = {**CONFIRMED, "sure": {"alike": {"count": 40, "right": 38}}}
        diagnoses.save_checkpoint(session, diagnosis, "confirm", confirm)
        said = dict(diagnosis_card(diagnosis).fields)
    assert said == {"Confidence": "92 %, and of 40 answers that sure 38 were right"}


def test_a_word_on_an_exported_incident_stands_beside_those_on_diagnoses(
    services: Services, told: tuple[int, int]
) -> None:
    press(services, told[1], "cause_right")
    answer = JudgedAnswer("node", 0.8, is_right=False)
    with services.sessions.begin() as session:
        record_outcome(
            session, source=Source.EXPORT, answer=answer, export="outage", said_by="Ana", now=services.clock()
        )
    assert len(answers(services)) == 2
