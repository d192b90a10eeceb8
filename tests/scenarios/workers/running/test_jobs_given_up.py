from __future__ import annotations

import pytest

from integrations.errors import PermanentError
from storage import diagnoses, outbox
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.incidents import opened
from tests.scenarios.workers.worker import Worker
from workers.clicks.slash_command import status_card
from workers.diagnosis import pipeline
from workers.services import Services

pytestmark = ON_BOTH


@pytest.fixture
def broken_diagnosis(services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> int:
    """An incident whose diagnosis has started and always fails."""
    incident_id = opened(services)

    def run(incident_id: int, sources: pipeline.DiagnosisSources, on_conclusion: pipeline.Conclusion) -> None:
        with services.sessions.begin() as session:
            diagnoses.start_diagnosis(session, incident_id, now=services.clock())
        raise PermanentError("GitHub", "the repository is gone")

    monkeypatch.setattr(pipeline, "run", run)
    with services.sessions.begin() as session:
        arguments = {"incident_id": incident_id}
        outbox.enqueue(session, "diagnose", arguments, key="diagnose", now=services.clock())
    worker.run_all()
    return incident_id


def test_a_diagnosis_that_was_given_up_says_so_in_the_thread(services: Services, broken_diagnosis: int) -> None:
    with services.readers() as session:
        diagnosis = diagnoses.latest_diagnosis(session, broken_diagnosis)
    assert diagnosis is not None
    assert diagnosis.status == "failed"
    assert isinstance(services.chat, FakeChat)
    assert services.chat.thread_titles() == ["The diagnosis failed"]
    assert services.chat.root().card.text == "The diagnosis failed; the thread says why."


@pytest.mark.usefixtures("broken_diagnosis")
def test_the_status_answer_counts_stuck_jobs(services: Services) -> None:
    with services.readers() as session:
        fields = dict(status_card(services, session).fields)
    assert fields["Stuck jobs"] == "1: `argux jobs list` says which"
