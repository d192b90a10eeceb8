"""The diagnosis goes on when GitHub is not set up, and no message waits for one that will not come."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from storage import deploys, diagnoses, outbox
from storage.models import OutboxJob
from tests.scenarios.workers.clicks.test_people_decide import fakes
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.incidents import opened
from tests.scenarios.workers.worker import Clock, Worker, settle
from workers.diagnosis.job import diagnosis_given_up
from workers.running.housekeeping import expire
from workers.services import Services


def asked_for(services: Services, incident_id: int) -> None:
    """Enqueue the diagnosis of an incident whose service has just been deployed."""
    now = services.clock()
    with services.sessions.begin() as session:
        deploys.record_deploy(
            session, service="shop", version="2", commit_sha="e" * 40, repository="acme/shop",
            deployed_at=now - timedelta(seconds=60), deployed_by=None, now=now,
        )  # fmt: skip
        arguments = {"incident_id": incident_id, "is_asked": False}
        outbox.enqueue(session, "diagnose", arguments, key=f"diagnose:{incident_id}:1", now=now)


@ON_BOTH
def test_without_a_github_token_the_diagnosis_ends_and_the_card_says_what_was_not_asked(
    services: Services, worker: Worker
) -> None:
    chat, _ = fakes(services)
    del services.code_host
    incident_id = opened(services)
    asked_for(services, incident_id)
    settle(worker)
    root = chat.root().card
    assert "Looking for the cause" not in root.text
    assert any("were not read" in part and "GITHUB_TOKEN is not set" in part for part in root.sections)
    assert "diagnose_again" in chat.buttons()
    with services.readers() as session:
        assert not session.scalars(select(OutboxJob).where(OutboxJob.dead_at.is_not(None))).all()


def test_a_diagnosis_that_failed_before_it_began_is_told_and_may_be_asked_for_again(
    services: Services, worker: Worker
) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    diagnosis_given_up(services, incident_id, "REDIS_URL is not set", is_asked=False)
    settle(worker)
    assert chat.root().card.text == "The diagnosis failed; the thread says why."
    assert "The diagnosis failed" in chat.thread_titles()
    assert "diagnose_again" in chat.buttons()


def test_a_diagnosis_whose_job_was_lost_is_given_up_after_half_an_hour(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    with services.sessions.begin() as session:
        diagnoses.start_diagnosis(session, incident_id, now=clock())
    settle(worker)
    assert "Looking for the cause" in chat.root().card.text
    clock.forward(31 * 60)
    expire(services)
    settle(worker)
    assert "Looking for the cause" not in chat.root().card.text
    assert "diagnose_again" in chat.buttons()
