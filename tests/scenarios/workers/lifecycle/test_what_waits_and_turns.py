"""What waits is never lost: it is read again until it ends, and what people said of one alert counts for that one."""

from __future__ import annotations

import pytest

from detection.types import AlertChange, FlagChange, IncidentStatus, MetricPoint
from storage import incidents, triage
from storage.alerts import record_alerts
from storage.models import TriageDecision
from storage.surroundings import flags
from tests.scenarios.workers.fakes import chat
from tests.scenarios.workers.lifecycle.test_who_is_woken import active, asked
from tests.scenarios.workers.worker import Clock, Worker
from workers.lifecycle.tick import tick
from workers.services import Services

HEAP = '{"memory_limit_pct": {"from": 80, "to": 92}}'
LEVEL = [76.0, 76.4, 76.2, 76.3]
TURNED = "It could wait, and now it cannot"


def send(services: Services, clock: Clock, name: str, service: str = "cache", *, is_firing: bool = True) -> None:
    change = AlertChange(f"{name}:{service}", "test", name, service, "warning", is_firing, clock().timestamp())
    with services.sessions.begin() as session:
        record_alerts(session, [change], now=clock())


def holding(services: Services) -> dict[str, TriageDecision]:
    with services.readers() as session:
        return {f"{one.name} {one.service}": one for one in triage.holding(session, of_alerts=True).values()}


def memory(services: Services, clock: Clock, *values: float) -> None:
    """Store a sample for each of the last minutes, up to now."""
    last = clock().timestamp()
    services.telemetry.append_metric_points(
        [
            MetricPoint(f"m{last}{number}", "memory_pct", "cache", last - 60 * (len(values) - 1 - number), value)
            for number, value in enumerate(values)
        ]
    )


@pytest.fixture
def settled(services: Services, clock: Clock) -> None:
    """An alert about memory that a raised limit explains, and that holds below that limit: it waits."""
    clock.now = clock.now.replace(hour=8)
    change = FlagChange("1", "heap", "cache", "production", "{}", HEAP, clock().timestamp() - 1800)
    with services.sessions.begin() as session:
        flags.record_flag_changes(session, [change], now=clock())
    memory(services, clock, 50.0, 55.0, 60.0, 66.0, 72.0, *LEVEL * 6)
    clock.forward(60)
    tick(services)
    send(services, clock, "MemoryHigh")
    clock.forward(60)
    tick(services)
    assert active(services) == []
    assert holding(services)["MemoryHigh cache"].rule == "settles_after_change"


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("hours", [0, 5])
def test_an_alert_that_waits_is_told_when_its_samples_begin_to_rise(
    services: Services, clock: Clock, worker: Worker, hours: int
) -> None:
    clock.forward(hours * 3600 + 30 * 60)
    memory(services, clock, *LEVEL * (15 * hours), *[76.3 + 0.5 * number for number in range(30)])
    for _ in range(2):
        clock.forward(60)
        tick(services)
    worker.run_all()
    assert len(active(services)) == 1
    [card] = [one.card for one in chat(services).messages.values() if one.card.title == TURNED]
    assert "MemoryHigh had waited for the digest since" in card.text
    assert "still rising" in card.text


@pytest.mark.usefixtures("settled")
def test_an_alert_that_waits_wakes_nobody_hours_later_if_nothing_has_changed(services: Services, clock: Clock) -> None:
    clock.forward(5 * 3600)
    memory(services, clock, *LEVEL * 75)
    send(services, clock, "MemoryHigh")
    for _ in range(2):
        clock.forward(60)
        tick(services)
    assert active(services) == []
    assert holding(services)["MemoryHigh cache"].decision == "digest"


@pytest.mark.usefixtures("settled")
def test_an_alert_that_waits_and_is_never_said_to_end_is_listed_and_stays_in_sight(
    services: Services, clock: Clock, worker: Worker
) -> None:
    clock.forward(65 * 60)
    memory(services, clock, *LEVEL * 16)
    tick(services)
    worker.run_all()
    [digest] = [one.card for one in chat(services).messages.values() if "could wait" in one.card.title]
    assert "MemoryHigh of cache" in digest.text
    assert "MemoryHigh of cache" in asked(services, "triage").text


@pytest.mark.usefixtures("settled")
def test_an_alert_that_waits_and_ends_at_once_is_listed_all_the_same(
    services: Services, clock: Clock, worker: Worker
) -> None:
    send(services, clock, "MemoryHigh", is_firing=False)
    clock.forward(65 * 60)
    tick(services)
    worker.run_all()
    [digest] = [one.card for one in chat(services).messages.values() if "could wait" in one.card.title]
    assert "MemoryHigh of cache" in digest.text


def called_false(services: Services, clock: Clock, name: str, service: str) -> None:
    """Let an alert fire, wake people, be closed as a false alarm, and end."""
    send(services, clock, name, service)
    tick(services)
    with services.sessions.begin() as session:
        for one in incidents.list_incidents(session):
            if not one.status.is_closed:
                incidents.change_status(session, one, IncidentStatus.FALSE_ALARM, actor="Ana", now=clock())
    clock.forward(60)
    send(services, clock, name, service, is_firing=False)
    tick(services)
    clock.forward(2 * 3600)


def test_a_false_alarm_counts_for_that_alert_of_that_service_only(services: Services, clock: Clock) -> None:
    called_false(services, clock, "CpuHigh", "cache")
    called_false(services, clock, "CpuHigh", "cache")
    for name, service in (("CpuHigh", "cache"), ("CpuHigh", "search"), ("ErrorsHigh", "cache")):
        send(services, clock, name, service)
        clock.forward(600)
    tick(services)
    decided = {name: one.decision for name, one in holding(services).items()}
    assert decided == {"CpuHigh cache": "digest", "CpuHigh search": "wake", "ErrorsHigh cache": "wake"}
    assert "false alarm" in holding(services)["CpuHigh cache"].reason


def test_a_word_that_one_alert_should_have_woken_people_wakes_them_for_no_other(
    services: Services, clock: Clock
) -> None:
    for name in ("CpuHigh", "DiskHigh"):
        called_false(services, clock, name, "cache")
        called_false(services, clock, name, "cache")
    send(services, clock, "CpuHigh")
    send(services, clock, "DiskHigh")
    tick(services)
    assert active(services) == []
    asked(services, f"woken {holding(services)['CpuHigh cache'].id}")
    clock.forward(60)
    tick(services)
    decided = {name: one.decision for name, one in holding(services).items()}
    assert decided == {"CpuHigh cache": "wake", "DiskHigh cache": "digest"}
