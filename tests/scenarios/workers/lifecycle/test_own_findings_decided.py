"""What became of Argux's own findings is shown beside the alerts, with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detection.types import Finding, IncidentStatus, LogRecord, Metric
from integrations.cards import Card
from storage import incidents, triage
from storage.models import TriageDecision
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.incidents import ENDPOINT, slow_checkout
from tests.scenarios.workers.maintenance import maintained
from tests.scenarios.workers.worker import Clock
from workers.clicks.slash_command import answer_command
from workers.lifecycle.record_findings import record_findings
from workers.lifecycle.tick import tick
from workers.services import Services
from workers.triage import keep_own
from workers.troubles import Troubles

WATCHED = frozenset(Metric) - {Metric.ALERT}


def found(services: Services, findings: Sequence[Finding], watched: frozenset[Metric] = WATCHED) -> None:
    troubles = Troubles()
    record_findings(services, findings, troubles, services.clock())
    keep_own(services, findings, watched, services.clock())
    troubles.raise_all()


def slow(clock: Clock) -> Finding:
    return slow_checkout(clock().timestamp() - 40)


def failing(clock: Clock) -> Finding:
    return replace(slow(clock), metric=Metric.ERROR_RATE, subject=ENDPOINT, observed=0.4, expected=0.01)


def holding(services: Services) -> list[TriageDecision]:
    with services.readers() as session:
        return sorted(triage.holding(session, of_alerts=False).values(), key=lambda one: one.id)


def asked(services: Services) -> Card:
    answer_command(services, "triage", "https://hooks.example/1", "UANA")
    assert isinstance(services.chat, FakeChat)
    return services.chat.responses[-1]


@ON_BOTH
def test_a_finding_that_opens_an_incident_wakes_and_a_second_one_is_part_of_it(
    services: Services, clock: Clock
) -> None:
    found(services, [slow(clock)])
    clock.forward(30)
    found(services, [slow(clock), failing(clock)])
    first, second = holding(services)
    assert (first.decision, first.rule, second.decision, second.rule) == ("wake", "tested", "record", "owned")
    assert first.reason == "It has withstood the test of Argux and opened incident #1."
    assert second.reason == "It is part of incident #1, which POST /checkout has opened."
    assert second.joins == first.fingerprint
    card = asked(services)
    assert card.title == "No alert is firing, and Argux has 2 findings of its own"
    assert "opened incident #1" in card.text


def test_a_finding_of_an_onset_that_is_estimated_anew_is_no_new_decision(services: Services, clock: Clock) -> None:
    for _ in range(4):
        found(services, [slow(clock)])
        clock.forward(90)
    with services.readers() as session:
        assert len(triage.latest(session, limit=9)) == 1


def test_a_decision_stays_while_the_incident_is_open_and_is_over_when_it_is_closed(
    services: Services, clock: Clock
) -> None:
    found(services, [slow(clock)])
    clock.forward(30)
    found(services, [])
    assert len(holding(services)) == 1
    with services.sessions.begin() as session:
        incidents.change_status(
            session, incidents.get_incident(session, 1), IncidentStatus.RESOLVED, actor="Ana", now=clock()
        )
    found(services, [], WATCHED - {Metric.LATENCY_P95})
    assert len(holding(services)) == 1
    found(services, [])
    assert holding(services) == []


def test_under_maintenance_it_says_that_messages_are_held_back(services: Services, clock: Clock) -> None:
    maintained(services)
    found(services, [slow(clock)])
    [decision] = holding(services)
    assert (decision.decision, decision.rule) == ("record", "maintenance")
    assert decision.reason == "Maintenance (new database) holds back the messages of incident #1."


def test_maintenance_of_another_service_holds_nothing_back(services: Services, clock: Clock) -> None:
    maintained(services, "search")
    found(services, [slow(clock)])
    assert [one.decision for one in holding(services)] == ["wake"]


def test_a_tick_keeps_what_it_found_by_itself(services: Services, clock: Clock) -> None:
    now = clock().timestamp()
    bad = [(now - 3 * number, f"could not connect to ledger:5432 for request {number}") for number in range(40)]
    services.telemetry.append_logs(
        [LogRecord(f"r{number}", "cart", None, at, "ERROR", body) for number, (at, body) in enumerate(bad)]
    )
    tick(services)
    clock.forward(60)
    tick(services)
    assert {one.decision for one in holding(services)} >= {"wake"}
    with services.readers() as session:
        assert incidents.active_incidents(session)
