"""In whatever state an incident is: no button that its message shows is refused, and the message says how it stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import count

import pytest
from sqlalchemy import select

from detection.types import Finding, IncidentStatus, Severity, Subject
from integrations.errors import RejectedError
from storage import incidents, verifications
from storage.models import Verification
from tests.scenarios.workers.clicks.test_people_decide import click, close, fakes, status, submit
from tests.scenarios.workers.fakes import Posted
from tests.scenarios.workers.incidents import diagnosed, offered, slow_checkout
from tests.scenarios.workers.worker import Worker
from workers.lifecycle import recovery_messages
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh

NUMBERS = count(1)

State = Callable[[Services, Worker, int], None]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here: what is asked are the rules."""
    return sqlite_url


@pytest.fixture(autouse=True)
def no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.telling.picture.render_png", lambda spec: b"\x89PNG")


def opened(services: Services) -> int:
    """Open an incident of a service of its own: a snooze also holds back other incidents of the same finding."""
    now, name = services.clock(), f"shop {next(NUMBERS)}"
    with services.sessions.begin() as session:
        incident = incidents.open_incident(
            session, title=f"{name} is slow", severity=Severity.SEV2, service=name, onset_at=now, now=now
        )
        incidents.record_finding(session, incident, finding_of(name, now.timestamp()), now=now)
        enqueue_refresh(session, incident.id, key=f"opened:{incident.id}", now=now)
        return incident.id


def finding_of(name: str, at: float) -> Finding:
    subject = Subject(kind="endpoint", name="GET /", service=name, endpoint="GET /")
    return dataclasses.replace(slow_checkout(at), subject=subject)


def nothing(services: Services, worker: Worker, incident_id: int) -> None:
    pass


def pressed(*actions: str) -> State:
    def press(services: Services, worker: Worker, incident_id: int) -> None:
        for action in actions:
            if action in ("resolve", "false_alarm"):
                close(services, action, incident_id)
            else:
                click(services, action, incident_id)
            worker.run_all()

    return press


def after(*states: State) -> State:
    def reach(services: Services, worker: Worker, incident_id: int) -> None:
        for state in states:
            state(services, worker, incident_id)
            worker.run_all()

    return reach


def has_diagnosis(services: Services, worker: Worker, incident_id: int) -> None:
    diagnosed(services, incident_id)


def has_offer(services: Services, worker: Worker, incident_id: int) -> None:
    offered(services, incident_id)


def approved(services: Services, worker: Worker, incident_id: int) -> None:
    _, code_host = fakes(services)
    code_host.merges = 0
    click(services, "approve_fix", offered(services, incident_id))
    submit(services)


def not_merged(services: Services, worker: Worker, incident_id: int) -> None:
    _, code_host = fakes(services)
    code_host.merge_refusals.append(RejectedError("GitHub", "protected branch"))
    approved(services, worker, incident_id)


def cured(services: Services, worker: Worker, incident_id: int) -> None:
    """End the running verification as a recovery."""
    now = services.clock()
    with services.sessions.begin() as session:
        row = session.scalars(select(Verification).where(Verification.incident_id == incident_id)).one()
        verifications.record_measures(session, row, [{"text": "p95 60 → 1020 → 62 ms"}])
        verifications.finish_verification(session, row, status="recovered", now=now)
        incident = incidents.get_incident(session, incident_id)
        incidents.change_status(session, incident, IncidentStatus.RESOLVED, actor="Argux", now=now)
        enqueue_refresh(session, incident_id, key=f"recovered:{incident_id}", now=now)


def recovered_by_itself(services: Services, worker: Worker, incident_id: int) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        verifications.record_self_recovery(
            session, incident_id, measures=[{"text": "p95 is 60 ms"}], last_broken_at=now, now=now
        )
        incident = incidents.get_incident(session, incident_id)
        incidents.change_status(session, incident, IncidentStatus.RESOLVED, actor="Argux", now=now)
        enqueue_refresh(session, incident_id, key=f"recovered:{incident_id}", now=now)


def broken_again(services: Services, worker: Worker, incident_id: int) -> None:
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        findings = [finding_of(incident.service or "", services.clock().timestamp())]
        recovery_messages.reopen(services, session, incident, findings, services.clock())


STATES: dict[str, State] = {
    "open": nothing,
    "acknowledged": pressed("acknowledge"),
    "snoozed": pressed("snooze"),
    "unsnoozed": pressed("snooze", "unsnooze"),
    "with a ticket, escalated": pressed("create_ticket", "escalate"),
    "diagnosed": has_diagnosis,
    "offered": after(has_diagnosis, has_offer),
    "being fixed": after(has_diagnosis, approved),
    "not merged": after(has_diagnosis, not_merged),
    "acknowledged, then not merged": after(pressed("acknowledge"), not_merged),
    "resolved": pressed("resolve"),
    "false alarm": pressed("false_alarm"),
    "opened again": pressed("acknowledge", "resolve", "reopen"),
    "opened again twice": pressed("resolve", "reopen", "acknowledge", "false_alarm", "reopen"),
    "snoozed, closed, opened again": pressed("snooze", "resolve", "reopen"),
    "offered, closed, opened again": after(has_diagnosis, has_offer, pressed("resolve", "reopen")),
    "offered, a false alarm, opened again": after(has_diagnosis, has_offer, pressed("false_alarm", "reopen")),
    "being fixed, closed, opened again": after(has_diagnosis, approved, pressed("resolve", "reopen")),
    "cured": after(has_diagnosis, approved, cured),
    "cured, opened again": after(has_diagnosis, approved, cured, pressed("reopen")),
    "cured, broken again": after(has_diagnosis, approved, cured, broken_again),
    "recovered by itself": after(has_diagnosis, recovered_by_itself),
    "recovered by itself, opened again": after(has_diagnosis, recovered_by_itself, pressed("reopen")),
    "recovered by itself, broken again": after(has_diagnosis, recovered_by_itself, broken_again),
}


def shown(services: Services, incident_id: int) -> Posted:
    chat, _ = fakes(services)
    return next(posted for posted in chat.messages.values() if posted.key == f"root:{incident_id}")


@pytest.mark.parametrize("state", STATES)
def test_no_button_that_is_shown_is_refused(services: Services, worker: Worker, state: str) -> None:
    chat, _ = fakes(services)

    def reached() -> int:
        incident_id = opened(services)
        worker.run_all()
        STATES[state](services, worker, incident_id)
        worker.run_all()
        return incident_id

    # Only one of the two closing buttons can be pressed on one incident, as the last.
    for left_out in ("false_alarm", "resolve"):
        incident_id = reached()
        actions = [one for one in shown(services, incident_id).card.actions if one.action_id != left_out]
        assert actions
        for action in actions:
            if action.action_id in ("resolve", "false_alarm"):
                close(services, action.action_id, int(action.value))
            else:
                click(services, action.action_id, int(action.value), "Ben")
            assert chat.ephemerals == [], action.label
        if actions[-1].action_id == "reopen":
            break


@pytest.mark.parametrize("state", STATES)
def test_the_message_of_an_open_incident_does_not_say_that_it_recovered(
    services: Services, worker: Worker, state: str
) -> None:
    incident_id = opened(services)
    worker.run_all()
    STATES[state](services, worker, incident_id)
    worker.run_all()
    says_so = any(words in shown(services, incident_id).card.text for words in ("**Recovered", "Back to usual"))
    assert says_so == (state in ("cured", "recovered by itself"))
    assert says_so <= status(services, incident_id).is_closed
