"""A worker is killed after a job's last commit and before it could mark the job done: the second run says nothing anew.

Every job of the outbox stands in STORIES; a new one fails the last test until it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from integrations.cards import Card
from storage import outbox
from storage.database.base import Base
from storage.models import AuditEntry, Delivery, Diagnosis, OutboxJob, Proposal, TimelineEntry, Verification
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat, FakeCodeHost, FakeEscalation, FakeTickets
from tests.scenarios.workers.incidents import diagnosed, offered, opened, place_of, spread
from tests.scenarios.workers.worker import Clock, Worker
from workers.remediation import approvals
from workers.running import actors
from workers.running.actors import run_job
from workers.running.jobs import JOBS
from workers.services import Services
from workers.telling.channels.outages import TEAMS
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message

COUNTED: tuple[type[Base], ...] = (AuditEntry, Delivery, Diagnosis, Proposal, TimelineEntry, Verification)

Job = tuple[str, dict[str, Any]]
Story = Callable[[Services, Worker], Job]


class KilledError(BaseException):
    """What ends the worker here: nothing of Argux catches it."""


def press(services: Services, action_id: str, value: int, user: str = "Ana") -> Job:
    arguments = {
        "action_id": action_id, "value": str(value), "user_id": f"U{user.upper()}", "user_name": user,
        "trigger_id": f"trigger of {action_id}", **place_of(services, action_id, value),
    }  # fmt: skip
    return "handle_click", arguments


def click(action_id: str) -> Story:
    def story(services: Services, worker: Worker) -> Job:
        incident_id = opened(services)
        worker.run()
        return press(services, action_id, incident_id)

    return story


def click_unsnooze(services: Services, worker: Worker) -> Job:
    incident_id = opened(services)
    act(services, worker, *press(services, "snooze", incident_id))
    return press(services, "unsnooze", incident_id)


def click_approve(services: Services, worker: Worker) -> Job:
    proposal_id = offered(services, opened(services))
    worker.run()
    return press(services, "approve_fix", proposal_id)


def dead_letter(services: Services) -> int:
    with services.sessions.begin() as session:
        outbox.enqueue(session, "escalate", {"incident_id": 1, "user_name": "Ana"}, key="dead", now=services.clock())
        outbox.fail(session, "dead", "Teams: no", now=services.clock(), permanent=True)
        return session.scalars(select(OutboxJob.id).where(OutboxJob.key == "dead")).one()


def click_job(action_id: str) -> Story:
    def story(services: Services, worker: Worker) -> Job:
        opened(services)
        job_id = dead_letter(services)
        worker.run()
        return press(services, action_id, job_id)

    return story


def submission(services: Services, worker: Worker) -> Job:
    proposal_id = offered(services, opened(services))
    act(services, worker, *press(services, "approve_fix", proposal_id))
    assert isinstance(services.chat, FakeChat)
    arguments = {
        "callback_id": approvals.CALLBACK_ID, "value": services.chat.modals[-1].value, "user_id": "UANA",
        "user_name": "Ana", "view_id": "V1",
    }  # fmt: skip
    return "handle_submission", arguments


def execution(services: Services, worker: Worker) -> Job:
    act(services, worker, *submission(services, worker))
    with services.readers() as session:
        return "execute_proposal", {"proposal_id": session.scalars(select(Proposal.id)).one()}


def proposing(services: Services, worker: Worker) -> Job:
    fix = {
        "action": "revert_pull_request", "repository": "acme/shop", "service": "shop", "commit_shas": ["d" * 40],
    }  # fmt: skip
    return "propose_fix", {"diagnosis_id": diagnosed(services, opened(services), fix=fix)}


def message(services: Services, worker: Worker) -> Job:
    incident_id = opened(services)
    with services.sessions.begin() as session:
        card = Card(title="News")
        enqueue_thread_message(session, incident_id, key="news", card=card, channel="C1", now=services.clock())
        return "deliver", {"delivery_id": session.scalars(select(Delivery.id)).one()}


def of_incident(actor: str, **more: object) -> Story:
    return lambda services, worker: (actor, {"incident_id": opened(services), **more})


def giving_up(services: Services, worker: Worker) -> Job:
    opened(services)
    return "give_up", {"job_id": dead_letter(services)}


def listing(services: Services, worker: Worker) -> Job:
    dead_letter(services)
    return "tell_dead_letters", {}


def picture(services: Services, worker: Worker) -> Job:
    incident_id = opened(services)
    with services.sessions.begin() as session:
        enqueue_refresh(session, incident_id, key="first", now=services.clock())
    worker.run()
    with services.readers() as session:
        jobs = session.scalars(select(OutboxJob.arguments).where(OutboxJob.actor == "draw_picture")).all()
    return "draw_picture", dict(jobs[0])


def chain(services: Services, worker: Worker) -> Job:
    diagnosis_id = spread(services, opened(services), ("cart-db", "cart"), ("cart", "checkout"))
    return "draw_chain", {"diagnosis_id": diagnosis_id, "since": services.clock().timestamp(), "is_answer": False}


def private_message(services: Services, worker: Worker) -> Job:
    arguments = {
        "channel": "C1", "user_id": "UANA", "text": "No.", "thread_id": None, "response_url": None,
        "since": services.clock().timestamp(),
    }  # fmt: skip
    return "tell_person", arguments


def outage(recipient: str) -> Story:
    arguments = {"recipient": recipient, "title": "Slack refuses", "reason": "is_archived", "key": "outage:1"}
    return lambda services, worker: ("tell_outage", arguments)


STORIES: dict[str, Story] = {
    **{f"handle_click: {name}": click(name) for name in ("acknowledge", "resolve", "false_alarm", "snooze")},
    **{f"handle_click: {name}": click(name) for name in ("create_ticket", "escalate", "diagnose_again")},
    **{f"handle_click: {name}": click_job(name) for name in ("retry_jobs", "dismiss_jobs")},
    "handle_click: unsnooze": click_unsnooze,
    "handle_click: approve_fix": click_approve,
    "handle_submission": submission,
    "execute_proposal": execution,
    "propose_fix": proposing,
    "deliver": message,
    "refresh_incident": of_incident("refresh_incident"),
    "diagnose": of_incident("diagnose"),
    "create_ticket": of_incident("create_ticket", user_name="Ana"),
    "escalate": of_incident("escalate", user_name="Ana"),
    "draw_picture": picture,
    "draw_chain": chain,
    "tell_person": private_message,
    "tell_outage: Teams": outage(TEAMS),
    "tell_outage: a person": outage("UANA"),
    "tell_delays": lambda *_: ("tell_delays", {"title": "Argux does not keep up", "text": "Late.", "key": "delays:1"}),
    "tell_digest": lambda *_: ("tell_digest", {"title": "1 alert could wait", "text": "One.", "key": "digest:1"}),
    "close_pull_request": of_incident("close_pull_request", repository="acme/shop", comment="No.", number=7),
    "give_up": giving_up,
    "tell_dead_letters": listing,
}


def act(services: Services, worker: Worker, actor: str, arguments: dict[str, Any]) -> None:
    """Do the job, and then what it enqueued."""
    JOBS[actor].work(services, **arguments)
    worker.run()


def seen(services: Services) -> dict[str, Any]:
    """Return everything that people or other systems have seen, and how many rows stand behind it."""
    chat, code_host = services.chat, services.code_host
    assert isinstance(chat, FakeChat)
    assert isinstance(code_host, FakeCodeHost)
    assert isinstance(services.tickets, FakeTickets)
    assert isinstance(services.escalation, FakeEscalation)
    with services.readers() as session:
        rows = {model.__tablename__: session.scalar(select(func.count()).select_from(model)) for model in COUNTED}
    return {
        **rows,
        "messages": [posted.key for posted in chat.messages.values()],
        "private messages": list(chat.ephemerals),
        "tickets": dict(services.tickets.made),
        "escalations": len(services.escalation.cards),
        "merges": code_host.merges,
    }


@ON_BOTH
@pytest.mark.parametrize("name", STORIES)
def test_the_second_run_after_a_kill_says_and_does_nothing_anew(
    services: Services, worker: Worker, clock: Clock, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, arguments = STORIES[name](services, worker)
    worker.run()
    with services.sessions.begin() as session:
        outbox.enqueue(session, actor, arguments, key="the job", now=services.clock())
        outbox.mark_sent(session, "the job", services.clock())

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(actors, "_mark_done", killed)
        with pytest.raises(KilledError):
            run_job(services, actor, JOBS[actor], "the job", arguments)
    after_first = seen(services)
    clock.forward(20)
    run_job(services, actor, JOBS[actor], "the job", arguments)
    assert seen(services) == after_first
    with services.readers() as session:
        assert outbox.is_done(session, "the job")


def test_every_job_of_the_outbox_has_its_story() -> None:
    told = {name.partition(":")[0] for name in STORIES}
    of_the_broker_alone = {"answer_command", "tick", "pull_elasticsearch", "read_status_feeds", "expire"}
    assert told == set(JOBS) - of_the_broker_alone
