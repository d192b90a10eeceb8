"""Ticks, clicks and verifications at the same time take their locks in one order (storage.database.locks)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random

import pytest
from sqlalchemy import text

from integrations.errors import RejectedError
from storage import audit, incidents, proposals
from storage.database.rows import hold
from storage.errors import ContentChangedError
from tests.functional.stack import eventually
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.fakes import FakeCodeHost
from tests.scenarios.workers.incidents import offered, opened
from tests.scenarios.workers.worker import Clock
from workers.clicks.buttons import handle_click
from workers.lifecycle.tick import run_parts
from workers.remediation.approvals import approve
from workers.remediation.execution import execute_proposal
from workers.services import Services

ROUNDS = 6
PRESSERS = 4
BUTTONS = ("acknowledge", "snooze", "unsnooze", "diagnose_again", "resolve")


def deadlocks(services: Services) -> int:
    with services.readers() as session:
        found = session.scalar(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
        return int(found or 0)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_ticks_and_clicks_on_the_same_incidents_never_wait_for_each_other_in_a_circle(
    services: Services, clock: Clock
) -> None:
    alertmanager, before = Alertmanager(services, clock), deadlocks(services)
    done = threading.Event()

    def press(seed: int) -> None:
        random = Random(seed)
        while not done.is_set():
            with services.readers() as session:
                known = [incident.id for incident in incidents.active_incidents(session)]
            if known:
                click(services, random.choice(BUTTONS), random.choice(known), f"U{seed}")

    with ThreadPoolExecutor(PRESSERS) as pool:
        pressing = [pool.submit(press, seed) for seed in range(PRESSERS)]
        try:
            for turn in range(ROUNDS):
                for service in ("shop", "search", "mail", "pay"):
                    alertmanager.send(alertmanager.alert(f"Alert{turn}", "firing", service=service))
                clock.forward(10)
                run_parts(services).raise_all()
        finally:
            done.set()
        for one in pressing:
            one.result(timeout=60)
    assert deadlocks(services) == before


def click(services: Services, action_id: str, incident_id: int, user: str) -> None:
    handle_click(
        services, action_id=action_id, value=str(incident_id), user_id=user, user_name=user,
        channel="C1", message_ts="1", trigger_id="t",
    )  # fmt: skip


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_tick_that_waits_for_an_incident_holds_nothing_that_the_click_on_it_needs(
    services: Services, clock: Clock
) -> None:
    alertmanager, before = Alertmanager(services, clock), deadlocks(services)
    alertmanager.send(alertmanager.alert("Slow", "firing", service="shop"))
    run_parts(services).raise_all()
    with services.readers() as session:
        [known] = incidents.active_incidents(session)
    alertmanager.send(alertmanager.alert("Slow", "resolved", service="shop"))
    for name, service in (("Down", "search"), ("Failing", "shop"), ("Off", "mail")):
        clock.forward(600)
        alertmanager.send(alertmanager.alert(name, "firing", service=service))
    with ThreadPoolExecutor(1) as pool:
        with services.sessions.begin() as session:
            hold(session, incidents.get_incident(session, known.id))
            ticking = pool.submit(run_parts, services)
            eventually(lambda: is_somebody_waiting(services), seconds=20, what="the tick to wait for the incident")
            audit.append(session, key=services.audit_key, actor="Ana", event="acknowledge", payload={}, now=clock())
        ticking.result(timeout=20).raise_all()
    assert deadlocks(services) == before


def approve_the_offer(services: Services, proposal_id: int) -> None:
    with services.readers() as session:
        value = f"{proposal_id}:{proposals.get_proposal(session, proposal_id).content_hash}"
    with suppress(ContentChangedError):
        approve(services, value, user_id="UANA", user_name="Ana")


def carry_out_in_vain(services: Services, proposal_id: int) -> None:
    """Carry out a fix that GitHub refuses to merge."""
    approve_the_offer(services, proposal_id)
    assert isinstance(services.code_host, FakeCodeHost)
    services.code_host.merge_refusals.append(RejectedError("GitHub", "Validation Failed"))
    execute_proposal(services, proposal_id)


def carry_out(services: Services, proposal_id: int) -> None:
    approve_the_offer(services, proposal_id)
    execute_proposal(services, proposal_id)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("decide", "waits_in"),
    [
        (approve_the_offer, "workers.remediation.approvals._check_open"),
        (carry_out_in_vain, "workers.remediation.execution._finish_failed"),
        (carry_out, "workers.remediation.execution._finish_done"),
    ],
)
def test_a_decision_that_waits_for_an_incident_holds_nothing_that_its_closing_needs(
    services: Services, decide: Callable[[Services, int], None], waits_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, incident_id = deadlocks(services), opened(services)
    proposal_id = offered(services, incident_id)
    may_go_on, has_come = threading.Event(), threading.Event()
    module, _, name = waits_in.rpartition(".")
    real = getattr(sys.modules[module], name)

    def wait_here(*given: object, **named: object) -> object:
        has_come.set()
        assert may_go_on.wait(60)
        return real(*given, **named)

    if decide is not approve_the_offer:
        monkeypatch.setattr(waits_in, wait_here)
    with ThreadPoolExecutor(1) as pool:
        deciding = pool.submit(decide, services, proposal_id) if decide is not approve_the_offer else None
        assert deciding is None or has_come.wait(60)
        with services.sessions.begin() as session:
            hold(session, incidents.get_incident(session, incident_id))
            may_go_on.set()
            deciding = deciding or pool.submit(decide, services, proposal_id)
            eventually(lambda: is_somebody_waiting(services), seconds=60, what="the decision to wait for the incident")
            proposals.withdraw(session, proposals.get_proposal(session, proposal_id))
        deciding.result(timeout=60)
    assert deadlocks(services) == before


def is_somebody_waiting(services: Services) -> bool:
    with services.readers() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
