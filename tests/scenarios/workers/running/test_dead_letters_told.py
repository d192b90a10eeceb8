"""A job fails for good: whoever waits for it is told, may press again, and sees it listed until it is dealt with."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select

from integrations.cards import Card
from integrations.errors import IntegrationError, NotFoundError, PermanentError, RateLimitedError, RetryableError
from storage import deliveries, incidents, outbox, proposals
from storage.models import AuditEntry, OutboxJob
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeEscalation, FakeTickets, Posted, chat
from tests.scenarios.workers.incidents import diagnosed, offered, opened, place_of
from tests.scenarios.workers.worker import Worker
from workers.clicks.buttons import handle_click
from workers.running.actors import run_job
from workers.running.jobs import JOBS
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message


def click(services: Services, action_id: str, value: object, user: str = "Ana") -> None:
    handle_click(
        services, action_id=action_id, value=str(value), user_id=f"U{user.upper()}", user_name=user,
        trigger_id="trigger", **place_of(services, action_id, value),
    )  # fmt: skip


def enqueued(services: Services, actor: str, arguments: dict[str, Any]) -> None:
    with services.sessions.begin() as session:
        outbox.enqueue(session, actor, arguments, key=f"test:{actor}", now=services.clock())


def thread(services: Services) -> list[Card]:
    return [posted.card for posted in chat(services).messages.values() if posted.thread is not None]


def listing(services: Services) -> Posted:
    """Return the newest list of failed jobs."""
    return [posted for posted in chat(services).messages.values() if posted.key.startswith("jobs:")][-1]


def dead(services: Services) -> list[str]:
    with services.readers() as session:
        return [job.actor for job in outbox.dead_letters(session)]


class Refusing:
    """A ticket tracker, or an escalation channel, that refuses as long as `error` is set, then does its work."""

    def __init__(self, error: IntegrationError, works: FakeTickets | FakeEscalation) -> None:
        self.error: IntegrationError | None = error
        self.works = works

    def check_creating(self) -> tuple[str, ...]:
        return ()

    def create(self, **arguments: Any) -> Any:
        if self.error is not None:
            raise self.error
        assert isinstance(self.works, FakeTickets)
        return self.works.create(**arguments)

    def escalate(self, card: Card) -> None:
        if self.error is not None:
            raise self.error
        assert isinstance(self.works, FakeEscalation)
        self.works.escalate(card)


@pytest.mark.parametrize(
    ("button", "title", "label"),
    [("create_ticket", "No ticket was created", "Create Jira ticket"), ("escalate", "Nobody was called", "Escalate")],
)
@pytest.mark.parametrize(
    "error", [PermanentError("It", "a field is required"), RetryableError("It", "HTTP 500")], ids=["refused", "away"]
)
def test_a_refused_ticket_or_escalation_is_told_in_the_thread_and_the_button_works_once_it_is_mended(
    services: Services, worker: Worker, button: str, title: str, label: str, error: IntegrationError
) -> None:
    tickets, escalation = FakeTickets(), FakeEscalation()
    trackers = Refusing(error, tickets), Refusing(error, escalation)
    services.tickets, services.escalation = trackers  # type: ignore[assignment]
    incident_id = opened(services)
    for presses in (1, 2):
        click(services, button, incident_id)
        for _ in range(30):
            worker.run_all()
        told = [card for card in thread(services) if card.title == title]
        assert len(told) == presses
        assert str(error) in told[-1].text
        assert "Ana" in told[-1].text
        assert label in told[-1].text
    for tracker in trackers:
        tracker.error = None
    click(services, button, incident_id, "Ben")
    worker.run_all()
    assert len(tickets.made) + len(escalation.cards) == 1
    assert dead(services) == []


@ON_BOTH
def test_a_second_press_while_the_first_is_on_its_way_is_answered(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    click(services, "create_ticket", incident_id, "Ana")
    click(services, "create_ticket", incident_id, "Ben")
    ((user, text),) = chat(services).ephemerals
    assert (user, "on its way" in text) == ("UBEN", True)
    worker.run_all()
    assert isinstance(services.tickets, FakeTickets)
    assert len(services.tickets.made) == 1


def test_a_missing_setting_is_named_to_whoever_pressed(services: Services, worker: Worker) -> None:
    services.settings = services.settings.model_copy(update={"jira_url": None})
    click(services, "create_ticket", opened(services))
    worker.run_all()
    ((user, text),) = chat(services).ephemerals
    assert (user, "JIRA_URL is not set" in text) == ("UANA", True)
    assert dead(services) == []


def test_an_approval_that_could_not_be_recorded_is_told_to_whoever_gave_it(services: Services, worker: Worker) -> None:
    proposal_id = offered(services, opened(services))
    with services.readers() as session:
        value = f"{proposal_id}:{proposals.get_proposal(session, proposal_id).content_hash}"
    arguments = {"callback_id": "confirm_approval", "value": value, "user_id": "UANA", "user_name": "A", "view_id": "V"}
    enqueued(services, "handle_submission", arguments)
    with services.sessions.begin() as session:
        outbox.fail(session, "test:handle_submission", "GitHub: away", now=services.clock(), permanent=True)
    worker.run_all()
    ((user, text),) = chat(services).ephemerals
    assert (user, "GitHub: away. Nothing was merged" in text) == ("UANA", True)


def test_a_command_that_could_not_be_answered_is_told_to_whoever_asked(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Card:
        raise RetryableError("The database", "it did not answer in time")

    monkeypatch.setattr("workers.clicks.slash_command.status_card", broken)
    arguments = {"text": "status", "response_url": "https://slack.example/r", "user_id": "UANA", "channel": "C1"}
    run_job(services, "answer_command", JOBS["answer_command"], None, arguments)
    (card,) = chat(services).responses
    assert "The database: it did not answer in time. Please ask again" in card.text


def test_a_fix_and_a_diagnosis_that_were_given_up_are_told_however_they_died(
    services: Services, worker: Worker
) -> None:
    incident_id = opened(services)
    fix = {"action": "revert_pull_request", "repository": "a/b", "service": "shop", "commit_shas": ["d" * 40]}
    enqueued(services, "propose_fix", {"diagnosis_id": diagnosed(services, incident_id, fix=fix)})
    enqueued(services, "diagnose", {"incident_id": incident_id})
    with services.sessions.begin() as session:
        for key in ("test:propose_fix", "test:diagnose"):
            for _ in range(outbox.MAX_ATTEMPTS + 1):
                outbox.begin(session, key, services.clock())
    worker.run_all()
    assert {"No automatic revert", "The diagnosis failed"} <= {card.title for card in thread(services)}


def test_a_message_that_was_given_up_is_seen_not_to_have_come(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    worker.run_all()
    with services.sessions.begin() as session:
        card = Card(title="News")
        enqueue_thread_message(session, incident_id, key="news", card=card, channel="C1", now=services.clock())
        key = session.scalars(select(OutboxJob.key).where(OutboxJob.actor == "deliver")).one()
        outbox.fail(session, key, "Slack: no", now=services.clock(), permanent=True)
    worker.run_all()
    with services.readers() as session:
        message = deliveries.get_delivery(session, 2)
    assert (message.status, message.error) == ("undelivered", "Slack: no")


@pytest.mark.parametrize("actor", sorted(set(JOBS) - {"tick", "expire", "pull_elasticsearch", "read_status_feeds"}))
def test_every_job_that_somebody_waits_for_has_somebody_to_tell(actor: str) -> None:
    # A picture is tried for an hour and never given up; the others are themselves the telling of something.
    tells_itself = {"draw_picture", "give_up", "tell_dead_letters", "tell_delays", "tell_outage", "tell_person"}
    tells_itself |= {"tell_digest", "draw_chain"}
    assert JOBS[actor].given_up is not None or actor in tells_itself


def test_a_rate_limit_however_often_kills_no_message(services: Services, worker: Worker) -> None:
    opened(services)
    chat(services).failures.extend([RateLimitedError("Slack", "ratelimited", 1.0)] * (2 * outbox.MAX_ATTEMPTS))
    for _ in range(3):
        worker.run_all()
    assert dead(services) == []
    assert chat(services).root().card.title.endswith("POST /checkout is slow")


def test_what_is_not_there_is_not_tried_twelve_times(services: Services, worker: Worker) -> None:
    enqueued(services, "create_ticket", {"incident_id": 404, "user_name": "Ana"})
    worker.run()
    assert dead(services) == ["create_ticket"]


def failed(services: Services, number: int, reason: str = "Teams: HTTP 410") -> int:
    """Let an escalation of the incident die; return the job's id."""
    with services.sessions.begin() as session:
        arguments = {"incident_id": number, "user_name": "Ana"}
        outbox.enqueue(session, "escalate", arguments, key=f"dead:{number}", now=services.clock())
        outbox.fail(session, f"dead:{number}", reason, now=services.clock(), permanent=True)
        return session.scalars(select(OutboxJob.id).where(OutboxJob.key == f"dead:{number}")).one()


@ON_BOTH
def test_the_channel_lists_what_failed_for_good_in_one_message_with_retry_and_dismiss(
    services: Services, worker: Worker
) -> None:
    first, second = failed(services, opened(services)), failed(services, opened(services))
    worker.run_all()
    shown = listing(services)
    assert shown.card.title == "2 jobs failed for good"
    assert "escalate to Teams for incident #1" in shown.card.text
    assert "Teams: HTTP 410" in shown.card.text
    assert [(action.action_id, action.value) for action in shown.card.actions] == [
        ("retry_jobs", f"{second},{first}"),
        ("dismiss_jobs", f"{second},{first}"),
    ]
    failed(services, opened(services))
    worker.run_all()
    assert listing(services) is shown
    assert shown.card.title == "3 jobs failed for good"


@ON_BOTH
@pytest.mark.parametrize(("button", "event"), [("retry_jobs", "job_retried"), ("dismiss_jobs", "job_dismissed")])
def test_a_press_retries_or_dismisses_what_is_listed_and_the_message_says_that_all_is_dealt_with(
    services: Services, worker: Worker, button: str, event: str
) -> None:
    assert isinstance(services.escalation, FakeEscalation)
    failed(services, opened(services))
    worker.run_all()
    shown = listing(services)
    value = shown.card.actions[0].value
    click(services, button, value)
    worker.run_all()
    assert dead(services) == []
    assert (shown.card.title, shown.card.actions) == ("Every job that failed is dealt with", ())
    assert len(services.escalation.cards) == (button == "retry_jobs")
    with services.readers() as session:
        assert ("Ana", event) in {(row.actor, row.event) for row in session.scalars(select(AuditEntry))}
    click(services, button, value)
    assert "No such job waits for a decision" in chat(services).ephemerals[-1][1]
    failed(services, opened(services))
    worker.run_all()
    assert listing(services) is not shown, "what fails later begins a new message"


@pytest.mark.parametrize("value", ["", "x", "1,,2", "1;2", "²"])
def test_a_button_with_an_odd_value_is_refused_in_words(services: Services, value: str) -> None:
    click(services, "retry_jobs", value)
    assert "another version of Argux" in chat(services).ephemerals[-1][1]


def test_a_list_that_was_deleted_is_posted_anew(services: Services, worker: Worker) -> None:
    failed(services, opened(services))
    worker.run_all()
    before = listing(services)
    job_id = failed(services, opened(services))
    chat(services).failures.append(NotFoundError("Slack", "message_not_found"))
    with services.sessions.begin() as session:
        outbox.mark_done(session, "refresh:opened:2", services.clock())
        outbox.mark_done(session, f"give_up:{job_id}:{services.clock().timestamp()}", services.clock())
    worker.run_all()
    assert listing(services) is not before
    assert listing(services).card.title == "2 jobs failed for good"


def test_a_channel_that_refuses_the_list_adds_no_failed_job_to_it(services: Services, worker: Worker) -> None:
    failed(services, opened(services))
    chat(services).failures.extend([PermanentError("Slack", "not_in_channel")] * 9)
    worker.run_all()
    assert "tell_dead_letters" not in dead(services)


def test_a_job_that_was_retried_meanwhile_is_not_told_of(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    with services.sessions.begin() as session:
        arguments = {"incident_id": incident_id, "user_name": "Ana"}
        outbox.enqueue(session, "create_ticket", arguments, key="ticket:1", now=services.clock())
        outbox.fail(session, "ticket:1", "Jira: away", now=services.clock(), permanent=True)
        outbox.enqueue_again(session, "create_ticket", arguments, key="ticket:1", now=services.clock())
    worker.run_all()
    assert "No ticket was created" not in [card.title for card in thread(services)]
    with services.readers() as session:
        assert incidents.get_incident(session, incident_id).ticket_key is not None


def test_a_thousand_jobs_that_die_at_once_are_shown_by_few_edits(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    for number in range(60):
        failed(services, 1000 + number, reason=f"Teams: HTTP {number}")
    with services.sessions.begin() as session:
        session.execute(delete(OutboxJob).where(OutboxJob.actor == "give_up"))
    worker.run_all()
    shown = listing(services)
    assert shown.card.title == "60 jobs failed for good"
    assert "… and 50 jobs more" in shown.card.text
    assert shown.edits <= 2
    assert incident_id
