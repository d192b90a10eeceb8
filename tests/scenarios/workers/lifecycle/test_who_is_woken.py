"""Alerts are judged before people are told: what flaps waits for the digest, and wakes by itself when it stays."""

from __future__ import annotations

from sqlalchemy import event

from detection.types import AlertChange, IncidentStatus, MetricPoint
from integrations.cards import Card
from storage import incidents, triage
from storage.alerts import record_alerts
from storage.models import Incident
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat, chat
from tests.scenarios.workers.worker import Clock, Worker
from workers.clicks.slash_command import answer_command
from workers.lifecycle.tick import tick
from workers.services import Services
from workers.triage.firings import read_scene
from workers.watching.alerts import findings as alert_findings
from workers.watching.watch import Tick

NAME = "HighErrorRate"


def all_incidents(services: Services) -> list[Incident]:
    with services.readers() as session:
        return sorted(incidents.list_incidents(session), key=lambda incident: incident.id)


def flapped(services: Services, clock: Clock, alertmanager: Alertmanager, times: int = 3, name: str = NAME) -> None:
    """Let the alert fire for a minute and end by itself, several times in one hour, and then fire anew."""
    for _ in range(times):
        alertmanager.send(alertmanager.alert(name, "firing"))
        tick(services)
        clock.forward(60)
        alertmanager.send(alertmanager.alert(name, "resolved"))
        clock.forward(180)
        tick(services)
        clock.forward(300)
    alertmanager.send(alertmanager.alert(name, "firing"))
    tick(services)


def active(services: Services) -> list[Incident]:
    return [one for one in all_incidents(services) if not one.status.is_closed]


def asked(services: Services, text: str) -> Card:
    answer_command(services, text, "https://hooks.example/1", "UANA")
    assert isinstance(services.chat, FakeChat)
    return services.chat.responses[-1]


@ON_BOTH
def test_an_alert_that_always_healed_waits_and_wakes_when_it_lasts_longer(
    services: Services, clock: Clock, worker: Worker, alertmanager: Alertmanager
) -> None:
    flapped(services, clock, alertmanager)
    assert active(services) == []
    card = asked(services, "triage")
    assert card.title == "1 alert is firing"
    assert "waits for the digest. It ended by itself within 1 minute each of the last 2 times" in card.text.replace(
        "last 3", "last 2"
    )
    clock.forward(240)
    tick(services)
    [incident] = active(services)
    assert {record.subject["name"] for record in incident.findings} == {NAME}
    worker.run_all()
    told = [
        one.card for one in chat(services).messages.values() if one.card.title == "It could wait, and now it cannot"
    ]
    assert len(told) == 1
    assert "had waited for the digest since" in told[0].text
    tick(services)
    worker.run_all()
    told = [
        one.card for one in chat(services).messages.values() if one.card.title == "It could wait, and now it cannot"
    ]
    assert len(told) == 1


def test_the_first_firings_of_an_alert_are_told(services: Services, clock: Clock, alertmanager: Alertmanager) -> None:
    alertmanager.send(alertmanager.alert(NAME, "firing"))
    tick(services)
    assert [one.status for one in all_incidents(services)] == [IncidentStatus.OPEN]
    with services.readers() as session:
        [decision] = triage.holding(session, of_alerts=True).values()
    assert (decision.decision, decision.waiting_since) == ("wake", None)


def test_a_decision_is_over_when_the_alert_is(services: Services, clock: Clock, alertmanager: Alertmanager) -> None:
    flapped(services, clock, alertmanager)
    alertmanager.send(alertmanager.alert(NAME, "resolved"))
    clock.forward(10)
    tick(services)
    assert asked(services, "triage").title == "No alert is firing"


def test_what_should_have_woken_people_wakes_them_the_next_time(
    services: Services, clock: Clock, alertmanager: Alertmanager
) -> None:
    flapped(services, clock, alertmanager)
    with services.readers() as session:
        [decision] = triage.holding(session, of_alerts=True).values()
    assert asked(services, f"woken #{decision.id}").title == "Noted: it should have woken you"
    assert asked(services, f"woken {decision.id}").title == "Noted: it should have woken you"
    clock.forward(10)
    tick(services)
    assert len(active(services)) == 1


def test_a_number_that_is_not_known_is_no_word(services: Services) -> None:
    assert asked(services, "woken 99").title == "Not found"
    assert asked(services, "woken soon").title == "Not found"


def test_the_digest_lists_what_waited_once(
    services: Services, clock: Clock, worker: Worker, alertmanager: Alertmanager
) -> None:
    clock.now = clock.now.replace(hour=5)
    flapped(services, clock, alertmanager)
    alertmanager.send(alertmanager.alert(NAME, "resolved"))
    clock.now = clock.now.replace(hour=9, minute=5)
    tick(services)
    worker.run_all()
    digests = [one.card for one in chat(services).messages.values() if "could wait" in one.card.title]
    assert [card.title for card in digests] == ["1 alert could wait"]
    assert f"{NAME} of shop" in digests[0].text
    clock.forward(86_400)
    tick(services)
    worker.run_all()
    assert len([one for one in chat(services).messages.values() if "could wait" in one.card.title]) == 1


def test_a_flapping_alert_whose_metric_climbs_wakes_at_once(
    services: Services, clock: Clock, alertmanager: Alertmanager
) -> None:
    flapped(services, clock, alertmanager, name="MemoryHigh")
    assert active(services) == []
    now = clock().timestamp()
    services.telemetry.append_metric_points(
        [MetricPoint(f"p{n}", "memory_pct", "shop", now - 60 * (40 - n), 40.0 + 1.4 * n) for n in range(40)]
    )
    clock.forward(30)
    tick(services)
    clock.forward(30)
    tick(services)
    assert len(active(services)) == 1
    with services.readers() as session:
        assert "still rising" in next(iter(triage.holding(session, of_alerts=True).values())).reason


def fire(services: Services, clock: Clock, service: str, *, is_firing: bool = True) -> None:
    change = AlertChange(service, "test", NAME, service, "critical", is_firing, clock().timestamp())
    with services.sessions.begin() as session:
        record_alerts(session, [change], now=clock())


def test_the_same_alert_of_another_region_opens_no_incident_until_it_stands_alone(
    services: Services, clock: Clock
) -> None:
    fire(services, clock, "cart-eu-west-1")
    clock.forward(30)
    tick(services)
    fire(services, clock, "cart-us-east-2")
    clock.forward(330)
    tick(services)
    assert [one.service for one in all_incidents(services)] == ["cart-eu-west-1"]
    with services.readers() as session:
        decision = next(iter(triage.holding(session, of_alerts=True).values()))
    assert (decision.decision, decision.joins) == ("record", "alert:alert:cart-eu-west-1:HighErrorRate")
    fire(services, clock, "cart-eu-west-1", is_firing=False)
    clock.forward(30)
    tick(services)
    with services.readers() as session:
        decision = next(iter(triage.holding(session, of_alerts=True).values()))
    assert (decision.service, decision.decision) == ("cart-us-east-2", "wake")
    assert decision.waiting_since is not None


def test_a_storm_is_read_in_as_many_queries_as_a_few_alerts(services: Services, clock: Clock) -> None:
    statements: list[str] = []

    @event.listens_for(services.engine, "before_cursor_execute")
    def keep(_: object, __: object, statement: str, *more: object) -> None:
        statements.append(statement)

    queries = []
    for alerts in (30, 90):
        for number in range(alerts):
            fire(services, clock, f"shop {number}")
        findings = alert_findings(services, Tick(clock(), (), ()))
        assert len(findings) == alerts
        statements.clear()
        scene = read_scene(services, findings, (), clock())
        queries.append(len(statements))
        assert [one.fired_last_hour for one in scene.firings] == [1] * alerts
    assert queries[0] == queries[1]


def test_a_tick_without_alerts_stores_nothing(services: Services) -> None:
    tick(services)
    with services.readers() as session:
        assert triage.latest(session, limit=9) == []
