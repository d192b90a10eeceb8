from __future__ import annotations

from detection.types import IncidentStatus
from integrations.cards import Card
from integrations.errors import PermanentError, RejectedError, RetryableError
from storage import deliveries, incidents, outbox
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import chat
from tests.scenarios.workers.incidents import offered, opened
from tests.scenarios.workers.worker import Clock, Worker
from workers.locks import one_at_a_time
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.telling.root_message import message_given_up


@ON_BOTH
def test_an_incident_has_one_message_with_a_chart_and_its_buttons(services: Services, worker: Worker) -> None:
    opened(services)
    worker.run_all()
    root = chat(services).root()
    assert root.card.title == "#1 POST /checkout is slow"
    assert root.card.picture is not None
    assert chat(services).buttons() == [
        "acknowledge",
        "create_ticket",
        "escalate",
        "snooze",
        "resolve",
        "false_alarm",
    ]


def test_a_change_edits_the_message_in_place_and_an_equal_card_is_not_sent_again(
    services: Services, worker: Worker
) -> None:
    incident_id = opened(services)
    worker.run_all()
    with services.sessions.begin() as session:
        enqueue_refresh(session, incident_id, key="nothing new", now=services.clock())
    worker.run_all()
    edits_with_its_chart = chat(services).root().edits
    assert edits_with_its_chart == 1
    offered(services, incident_id)
    worker.run_all()
    assert chat(services).root().edits == edits_with_its_chart + 1
    assert chat(services).buttons()[0] == "approve_fix"


def test_a_rate_limited_post_is_retried_when_slack_allows_it(services: Services, worker: Worker, clock: Clock) -> None:
    chat(services).failures.append(RetryableError("Slack", "429", retry_after_seconds=30))
    opened(services)
    worker.run()
    clock.forward(29)
    assert worker.run() == 0
    clock.forward(2)
    worker.run()
    assert len(chat(services).messages) == 1


@ON_BOTH
def test_a_post_whose_response_was_lost_is_found_and_not_posted_twice(services: Services, worker: Worker) -> None:
    chat(services).lost_answers.append(RetryableError("Slack", "the connection broke"))
    opened(services)
    worker.run_all()
    assert len(chat(services).messages) == 1
    with services.readers() as session:
        root = deliveries.root_delivery(session, 1)
    assert root is not None
    assert root.status == "delivered"


def test_a_message_refused_for_a_reason_of_its_own_says_why_and_is_tried_again_for_a_day(
    services: Services, worker: Worker
) -> None:
    chat(services).failures.append(RejectedError("Slack", "a_code_of_tomorrow"))
    opened(services)
    worker.run()
    with services.readers() as session:
        root = deliveries.root_delivery(session, 1)
        [held] = deliveries.waiting(session)
    assert root is not None
    assert root.status == "refused"
    assert (held.reason, held.count) == ("Slack: a_code_of_tomorrow", 1)
    worker.run_all()
    assert chat(services).root().card.title == "#1 POST /checkout is slow"
    with services.readers() as session:
        assert not deliveries.waiting(session)
        assert not outbox.dead_letters(session)


def test_a_message_refused_for_a_whole_day_is_given_up_with_the_reason(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat(services).failures.extend([RejectedError("Slack", "a_code_of_tomorrow")] * 2)
    opened(services)
    worker.run()
    clock.forward(24 * 3600 + 1)
    worker.run()
    with services.readers() as session:
        root = deliveries.root_delivery(session, 1)
        dead = outbox.dead_letters(session)
    assert root is not None
    assert (root.status, root.error) == ("undelivered", "Slack: a_code_of_tomorrow")
    assert [job.actor for job in dead] == ["refresh_incident"]


def test_thread_messages_wait_for_the_root_message(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    chat(services).failures.extend([RetryableError("Slack", "500")] * 2)
    with services.sessions.begin() as session:
        card = Card(title="First words")
        enqueue_thread_message(session, incident_id, key="first", card=card, channel="C1", now=services.clock())
    worker.run_all()
    assert chat(services).thread_titles() == ["First words"]
    thread = next(posted for posted in chat(services).messages.values() if posted.thread)
    assert chat(services).messages[str(thread.thread)] is chat(services).root()


def test_thread_messages_wait_as_long_as_the_root_message_is_retried(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    chat(services).failures.append(RetryableError("Slack", "429", retry_after_seconds=30))
    with services.sessions.begin() as session:
        card = Card(title="First words")
        enqueue_thread_message(session, incident_id, key="first", card=card, channel="C1", now=services.clock())
    for _ in range(2):
        worker.run_all()
    assert chat(services).thread_titles() == ["First words"]


def test_a_message_postponed_a_hundred_times_is_still_updated(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    worker.run_all()
    offered(services, incident_id)
    with one_at_a_time(services, f"root:{incident_id}"):
        worker.run_all()
    assert "approve_fix" not in chat(services).buttons()
    worker.run_all()
    assert "approve_fix" in chat(services).buttons()


def test_a_root_message_that_slack_fails_for_an_hour_is_posted_afterwards_with_its_thread(
    services: Services, worker: Worker
) -> None:
    incident_id = opened(services)
    chat(services).failures.extend([RetryableError("Slack", "HTTP 500")] * 60)
    with services.sessions.begin() as session:
        card = Card(title="First words")
        enqueue_thread_message(session, incident_id, key="first", card=card, channel="C1", now=services.clock())
    for _ in range(80):
        worker.run_all()
    assert not chat(services).failures
    assert chat(services).root().card.title == "#1 POST /checkout is slow"
    assert chat(services).thread_titles() == ["First words"]


def test_the_thread_of_a_root_message_that_was_given_up_goes_on_in_the_channel(
    services: Services, worker: Worker
) -> None:
    incident_id = opened(services)
    worker.run_all()
    with services.sessions.begin() as session:
        root = deliveries.root_delivery(session, incident_id)
        assert root is not None
        root.message_id = None
        card = Card(title="First words")
        enqueue_thread_message(session, incident_id, key="first", card=card, channel="C1", now=services.clock())
    message_given_up(services, incident_id, "a bug of ours")
    worker.run_all()
    assert "#1 First words" in [posted.card.title for posted in chat(services).messages.values()]


def test_a_closed_incident_offers_no_buttons(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    offered(services, incident_id)
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        incidents.change_status(session, incident, IncidentStatus.FALSE_ALARM, actor="Ana", now=services.clock())
    worker.run_all()
    assert chat(services).buttons() == ["reopen"]
    assert "Marked as a false alarm by Ana" in chat(services).root().card.text


def test_a_job_that_is_done_is_not_run_again_when_it_is_delivered_twice(services: Services, worker: Worker) -> None:
    from workers.running.actors import run_job
    from workers.running.jobs import JOBS

    opened(services)
    worker.run_all()
    chat(services).failures.append(PermanentError("Slack", "must not be called"))
    arguments = {"incident_id": 1}
    run_job(services, "refresh_incident", JOBS["refresh_incident"], "refresh:opened:1", arguments)
    assert len(chat(services).failures) == 1
