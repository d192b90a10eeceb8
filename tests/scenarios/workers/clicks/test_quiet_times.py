"""Maintenance windows and snoozes hold messages back, record everything, and release messages of open incidents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from detection.types import IncidentStatus, Metric, Severity, Subject
from integrations.cards import Card, moment
from storage import deliveries, incidents, maintenance
from storage.models import AuditEntry, Delivery
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeEscalation, chat
from tests.scenarios.workers.incidents import opened, place_of, slow_checkout
from tests.scenarios.workers.maintenance import maintained
from tests.scenarios.workers.worker import Clock, Worker
from workers.clicks.buttons import handle_click
from workers.rules.maintenance import end_window
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.telling.held_messages import end_quiet_times
from workers.troubles import Troubles


def settle(worker: Worker) -> None:
    """Run the due jobs and those that wait for them."""
    for _ in range(6):
        worker.run()
        worker.clock.forward(0.5)


def said(services: Services, incident_id: int, title: str) -> None:
    with services.sessions.begin() as session:
        enqueue_thread_message(
            session, incident_id, key=title, card=Card(title=title), channel="C1", now=services.clock()
        )


def set_status(services: Services, incident_id: int, status: IncidentStatus) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        incidents.change_status(session, incident, status, actor="Ana", now=now)
        enqueue_refresh(session, incident_id, key=f"{status}:{now.timestamp()}", now=now)


def timeline(services: Services, incident_id: int) -> list[str]:
    with services.readers() as session:
        return [entry.text for entry in incidents.get_incident(session, incident_id).timeline]


def press(services: Services, action_id: str, incident_id: int, user: str = "Ana") -> None:
    handle_click(
        services, action_id=action_id, value=str(incident_id), user_id=f"U{user.upper()}", user_name=user,
        trigger_id="t", **place_of(services, action_id, incident_id),
    )  # fmt: skip


@pytest.fixture
def later(services: Services, worker: Worker, clock: Clock) -> Callable[[float], None]:
    """Return a function that lets minutes pass, ends quiet times that are over, and runs the due jobs."""

    def pass_by(minutes: float) -> None:
        clock.forward(minutes * 60)
        troubles = Troubles()
        end_quiet_times(services, troubles)
        troubles.raise_all()
        settle(worker)

    return pass_by


def test_under_maintenance_an_incident_is_recorded_and_nothing_is_posted(services: Services, worker: Worker) -> None:
    maintained(services)
    incident_id = opened(services)
    said(services, incident_id, "Diagnosis")
    settle(worker)
    assert chat(services).messages == {}
    assert chat(services).pictures == 0
    with services.readers() as session:
        incident = incidents.get_incident(session, incident_id)
        assert [record.fingerprint for record in incident.findings] == ["latency_p95_ms:endpoint:shop:POST /checkout"]
        until = maintenance.get_window(session, 1).ends_at
    quiet = f"Quiet: Maintenance of shop (new database) until {moment(until.timestamp())}."
    assert timeline(services, incident_id) == ["POST /checkout is slow", quiet]


@ON_BOTH
def test_an_incident_that_outlasts_the_window_is_posted_then_with_its_duration(
    services: Services, later: Callable[[float], None], worker: Worker
) -> None:
    maintained(services)
    incident_id = opened(services)
    said(services, incident_id, "Diagnosis")
    settle(worker)
    later(121)
    root = chat(services).root()
    assert root.card.sections[0].startswith("Told only now: maintenance of shop (new database).")
    assert "going on for 2 h" in root.card.sections[0]
    assert chat(services).thread_titles() == ["Diagnosis"]
    assert timeline(services, incident_id)[-1] == "Told now: the quiet time is over, and it still goes on."
    later(10)
    assert len(chat(services).messages) == 2


def test_an_incident_that_ended_during_the_window_is_never_posted(
    services: Services, later: Callable[[float], None], worker: Worker
) -> None:
    maintained(services)
    incident_id = opened(services)
    settle(worker)
    set_status(services, incident_id, IncidentStatus.RESOLVED)
    settle(worker)
    later(130)
    said(services, incident_id, "A late word")
    settle(worker)
    assert chat(services).messages == {}
    with services.readers() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.id)).all()
    assert [(row.purpose, row.status) for row in rows] == [("root", "muted"), ("thread", "muted")]


def test_an_incident_muted_by_a_window_is_posted_when_it_is_reopened(
    services: Services, later: Callable[[float], None], worker: Worker
) -> None:
    maintained(services)
    incident_id = opened(services)
    settle(worker)
    set_status(services, incident_id, IncidentStatus.RESOLVED)
    later(130)
    set_status(services, incident_id, IncidentStatus.OPEN)
    settle(worker)
    assert chat(services).root().card.title == f"#{incident_id} POST /checkout is slow"


@pytest.mark.parametrize(("service", "told"), [(None, False), ("shop", False), ("payments", True)])
def test_a_window_covers_its_own_service_or_everything(
    services: Services, worker: Worker, service: str | None, told: bool
) -> None:
    maintained(services, service)
    opened(services)
    settle(worker)
    assert bool(chat(services).messages) is told


def test_overlapping_windows_hold_messages_back_until_the_last_one_ends(
    services: Services, later: Callable[[float], None], worker: Worker
) -> None:
    maintained(services, hours=1)
    maintained(services, service=None, hours=2)
    opened(services)
    settle(worker)
    later(70)
    assert chat(services).messages == {}
    later(60)
    assert len(chat(services).messages) == 1


def test_a_window_ended_early_releases_its_held_messages(
    services: Services, later: Callable[[float], None], worker: Worker
) -> None:
    window_id = maintained(services)
    opened(services)
    settle(worker)
    with services.sessions.begin() as session:
        end_window(services, session, window_id, actor="Ben", now=services.clock())
    later(0.1)
    assert len(chat(services).messages) == 1


def test_snooze_marks_the_message_and_keeps_the_thread_and_escalation_silent(
    services: Services, worker: Worker, clock: Clock
) -> None:
    incident_id = opened(services)
    settle(worker)
    press(services, "snooze", incident_id)
    said(services, incident_id, "Diagnosis")
    until = clock() + timedelta(hours=1)
    settle(worker)
    assert ("Quiet", f"Snoozed by Ana until {moment(until.timestamp())}") in chat(services).root().card.fields
    assert chat(services).thread_titles() == []
    assert {"unsnooze"} <= set(chat(services).buttons())
    assert not {"snooze", "escalate"} & set(chat(services).buttons())
    press(services, "escalate", incident_id)
    settle(worker)
    assert isinstance(services.escalation, FakeEscalation)
    assert services.escalation.cards == []
    assert chat(services).ephemerals[-1][1].endswith("nobody is called. End that first.")


def test_a_second_snooze_says_who_snoozed_it_and_changes_nothing(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    press(services, "snooze", incident_id, "Ana")
    press(services, "snooze", incident_id, "Ben")
    assert "Ana has snoozed this already" in chat(services).ephemerals[-1][1]
    with services.readers() as session:
        events = session.scalars(select(AuditEntry.event)).all()
    assert events.count("snoozed") == 1


@ON_BOTH
def test_a_snooze_records_everything_and_an_incident_still_open_after_it_is_posted_once(
    services: Services, later: Callable[[float], None], worker: Worker, clock: Clock
) -> None:
    incident_id = opened(services)
    settle(worker)
    press(services, "snooze", incident_id)
    settle(worker)
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        incidents.record_finding(session, incident, slow_checkout(clock().timestamp()), now=clock())
    said(services, incident_id, "Diagnosis")
    settle(worker)
    later(61)
    assert chat(services).thread_titles() == ["Diagnosis", "Still broken"]
    assert "Snoozed until" in timeline(services, incident_id)[1]
    assert timeline(services, incident_id)[-1] == "The snooze is over."
    assert "snooze" in chat(services).buttons()
    assert all(label != "Quiet" for label, _ in chat(services).root().card.fields)


def test_unsnooze_releases_held_messages_at_once(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    settle(worker)
    press(services, "snooze", incident_id, "Ana")
    said(services, incident_id, "Diagnosis")
    settle(worker)
    press(services, "unsnooze", incident_id, "Ben")
    settle(worker)
    assert sorted(chat(services).thread_titles()) == ["Diagnosis", "Still broken"]
    press(services, "unsnooze", incident_id, "Ben")
    assert chat(services).ephemerals[-1][1] == "This is not snoozed any more."


def test_the_same_finding_again_during_the_snooze_is_a_new_incident_that_is_not_posted(
    services: Services, later: Callable[[float], None], worker: Worker
) -> None:
    first = opened(services)
    settle(worker)
    press(services, "snooze", first)
    set_status(services, first, IncidentStatus.RESOLVED)
    settle(worker)
    second = opened(services)
    settle(worker)
    assert [posted.card.title for posted in chat(services).messages.values()] == [f"#{first} POST /checkout is slow"]
    assert f"Quiet: Snoozed by Ana with incident #{first}" in timeline(services, second)[-1]
    later(61)
    assert [posted.card.title for posted in chat(services).messages.values() if posted.thread is None] == [
        f"#{first} POST /checkout is slow",
        f"#{second} POST /checkout is slow",
    ]


def test_a_closed_incident_cannot_be_snoozed(services: Services) -> None:
    incident_id = opened(services)
    set_status(services, incident_id, IncidentStatus.FALSE_ALARM)
    press(services, "snooze", incident_id)
    assert chat(services).ephemerals[-1][1] == "The incident is closed already; there is nothing to snooze."


def test_the_snooze_of_a_resolved_incident_ends_without_a_message(
    services: Services, later: Callable[[float], None], worker: Worker
) -> None:
    incident_id = opened(services)
    settle(worker)
    press(services, "snooze", incident_id)
    settle(worker)
    assert "Quiet" in dict(chat(services).root().card.fields)
    said(services, incident_id, "Recovered")
    set_status(services, incident_id, IncidentStatus.RESOLVED)
    settle(worker)
    assert "Quiet" not in dict(chat(services).root().card.fields)
    later(61)
    assert chat(services).thread_titles() == []
    with services.readers() as session:
        assert list(deliveries.incidents_with_held(session)) == []


def test_every_name_the_findings_use_must_be_covered(services: Services, worker: Worker, clock: Clock) -> None:
    maintained(services, "shop")
    incident_id = opened(services)
    with services.sessions.begin() as session:
        finding = slow_checkout(clock().timestamp())
        other = replace(finding, subject=replace(finding.subject, service="payments"))
        incidents.record_finding(session, incidents.get_incident(session, incident_id), other, now=clock())
    settle(worker)
    assert len(chat(services).messages) == 1


def test_a_funnel_alone_is_covered_by_its_own_name(services: Services, worker: Worker, clock: Clock) -> None:
    maintained(services, "Purchase")
    now = clock()
    finding = replace(
        slow_checkout(now.timestamp()),
        metric=Metric.CONVERSION_RATE,
        subject=Subject("funnel", "Purchase", funnel_id=1),
    )
    with services.sessions.begin() as session:
        incident = incidents.open_incident(
            session, title="Purchase fell", severity=Severity.SEV2, service=None, onset_at=now, now=now
        )
        incidents.record_finding(session, incident, finding, now=now)
        enqueue_refresh(session, incident.id, key="opened", now=now)
    settle(worker)
    assert chat(services).messages == {}
