"""The other kinds of signals that recover by themselves: funnels in both directions, custom metrics, log templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from detection.types import IncidentStatus
from storage import incidents
from storage.models import Incident
from storage.telemetry.protocol import COARSE_SECONDS
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.counted_funnel import CountedFunnel, counted_funnel
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.log_shop import REFUSED, LogShop, log_shop
from tests.scenarios.workers.watching.test_custom_metrics_are_watched import Sender, a_week_of, around
from tests.scenarios.workers.worker import Clock, Worker
from workers.lifecycle.tick import tick
from workers.services import Services

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def the_incident(services: Services) -> Incident:
    with services.readers() as session:
        (found,) = incidents.list_incidents(session)
        assert found.findings
        return found


def status(services: Services) -> tuple[IncidentStatus, str | None]:
    found = the_incident(services)
    return found.status, found.closed_by


def told(services: Services, worker: Worker) -> str:
    worker.run_all()
    assert isinstance(services.chat, FakeChat)
    (card,) = [one.card for one in services.chat.messages.values() if one.card.title == "Back to usual"]
    return card.text


def funnel_that(
    services: Services, clock: Clock, *, changed_to: float, for_minutes: float, silent_afterwards: bool = False
) -> CountedFunnel:
    """A funnel with two weeks of 30 %, then some minutes of another rate from now on, then three hours of 30 %."""
    funnel, now = counted_funnel(services), clock().timestamp()
    ends = now + for_minutes * MINUTE
    funnel.hours(14, entries=7200, rate=0.3)
    funnel.tens(
        entries=lambda at: 0.0 if silent_afterwards and at >= ends else 20.0,
        rate=lambda at: changed_to if now <= at < ends else 0.3,
        since=now - 5000,
        until=now + 3 * HOUR,
    )
    return funnel


def minutes_pass(services: Services, clock: Clock, minutes: int) -> None:
    """A tick every other minute: more would show the same, and each takes a tenth of a second."""
    for _ in range(0, minutes, 2):
        clock.forward(2 * MINUTE)
        tick(services)


@pytest.mark.parametrize("changed_to", [0.1, 0.5], ids=["drop", "rise"])
def test_a_conversion_rate_back_to_usual_is_resolved(
    services: Services, clock: Clock, worker: Worker, changed_to: float
) -> None:
    funnel_that(services, clock, changed_to=changed_to, for_minutes=15)
    minutes_pass(services, clock, 20)
    assert status(services) == (IncidentStatus.OPEN, None)
    minutes_pass(services, clock, 60)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")
    text = told(services, worker)
    assert "Signup conversion rate: 30." in text or "Signup conversion rate: 29." in text
    assert " at its worst, " in text


@pytest.mark.parametrize("changed_to", [0.1, 0.5], ids=["drop", "rise"])
def test_a_conversion_rate_that_stays_abnormal_keeps_its_incident_open(
    services: Services, clock: Clock, changed_to: float
) -> None:
    funnel_that(services, clock, changed_to=changed_to, for_minutes=180)
    minutes_pass(services, clock, 80)
    assert status(services) == (IncidentStatus.OPEN, None)


@ON_BOTH
def test_a_funnel_without_entries_has_not_recovered(services: Services, clock: Clock) -> None:
    funnel_that(services, clock, changed_to=0.1, for_minutes=15, silent_afterwards=True)
    minutes_pass(services, clock, 80)
    assert status(services) == (IncidentStatus.OPEN, None)


def drifting(services: Services, clock: Clock, rate: Callable[[float], float]) -> None:
    """Write two weeks of hourly buckets and two future days; `rate` is a function of the hours from now."""
    funnel, now = counted_funnel(services), clock().timestamp()
    clock.forward(2 * DAY)
    funnel.hours(16, entries=4000, rate=lambda at: rate((at - now) / HOUR))
    clock.forward(-2 * DAY)
    assert now % COARSE_SECONDS < HOUR


def hours_pass(services: Services, clock: Clock, hours: int) -> None:
    for _ in range(2 * hours):
        clock.forward(HOUR / 2)
        tick(services)


@pytest.mark.parametrize("slip", [-0.07, 0.07], ids=["down", "up"])
def test_a_slow_drift_that_ended_is_resolved_and_one_that_lasts_is_not(
    services: Services, clock: Clock, worker: Worker, slip: float
) -> None:
    drifting(services, clock, lambda hour: 0.3 + (slip * max(0.0, 1 + hour / 48) if hour < 6 else 0.0))
    tick(services)
    assert the_incident(services).findings[0].detector == "funnel_conversion_drift"
    hours_pass(services, clock, 6)
    assert status(services) == (IncidentStatus.OPEN, None)
    hours_pass(services, clock, 30)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")


@pytest.fixture
def sender(services: Services, clock: Clock) -> Sender:
    clock.now = datetime(2026, 2, 7, 12, 30, tzinfo=UTC)
    made = Sender(services, clock)
    a_week_of(made, "queue_depth", around(140))
    return made


@pytest.mark.parametrize("level", [600, 20], ids=["high", "low"])
def test_a_custom_metric_back_at_its_usual_level_is_resolved(
    services: Services, worker: Worker, sender: Sender, level: float
) -> None:
    sender.live(8, queue_depth=around(level))
    sender.live(9, queue_depth=around(140))
    assert status(services) == (IncidentStatus.OPEN, None)
    sender.live(8, queue_depth=around(140))
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")
    assert "queue_depth: 14" in told(services, worker) or "queue_depth: 13" in told(services, worker)


def test_a_custom_metric_that_is_abnormal_or_silent_keeps_its_incident_open(
    services: Services, clock: Clock, sender: Sender
) -> None:
    sender.live(30, queue_depth=around(600))
    assert status(services) == (IncidentStatus.OPEN, None)
    sender.live(5, queue_depth=around(140))
    minutes_pass(services, clock, 40)
    assert status(services) == (IncidentStatus.OPEN, None)


def test_a_disk_that_was_cleaned_up_is_resolved(services: Services, clock: Clock, sender: Sender) -> None:
    now, random, name = clock().timestamp(), np.random.default_rng(1), "system.filesystem.utilization"
    filling = lambda moments: 0.94 - 0.02 * (now - moments) / HOUR + random.normal(0, 0.0005, len(moments))  # noqa: E731
    cleaned = lambda moments: 0.5 + random.normal(0, 0.0005, len(moments))  # noqa: E731
    sender.send(name, filling, since=now - 2 * DAY, until=now - 3 * HOUR, step=600.0, device="sda1", state="used")
    sender.send(name, filling, since=now - 3 * HOUR, until=now, device="sda1", state="used")
    sender.send(name, cleaned, since=now + MINUTE, until=now + 2 * HOUR, device="sda1", state="used")
    clock.forward(2)
    tick(services)
    assert the_incident(services).title.startswith("disk (device=sda1, state=used) full in 3 h")
    minutes_pass(services, clock, 60)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")


@pytest.fixture
def shop(services: Services, clock: Clock) -> LogShop:
    return log_shop(services, clock)


def said(services: Services, shop: LogShop, minutes: int, body: str | None = None) -> None:
    for _ in range(minutes):
        shop.live(1, body)
        tick(services)


@ON_BOTH
def test_a_log_template_that_went_quiet_is_resolved(services: Services, shop: LogShop, worker: Worker) -> None:
    said(services, shop, 4, REFUSED)
    assert status(services) == (IncidentStatus.OPEN, None)
    said(services, shop, 23)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")
    assert "“Charge for order … failed: gateway said declined” lines a minute: 0.0 a minute before, " in told(
        services, worker
    )


def test_a_log_template_that_is_still_logged_keeps_its_incident_open(services: Services, shop: LogShop) -> None:
    said(services, shop, 30, REFUSED)
    assert status(services) == (IncidentStatus.OPEN, None)


def test_a_service_that_stops_logging_has_not_recovered(services: Services, shop: LogShop, clock: Clock) -> None:
    said(services, shop, 6, REFUSED)
    minutes_pass(services, clock, 40)
    assert status(services) == (IncidentStatus.OPEN, None)


@ON_BOTH
def test_an_incident_with_an_alert_is_resolved_only_after_the_alert_ended(
    services: Services, clock: Clock, sender: Sender
) -> None:
    alertmanager = Alertmanager(services, clock)
    sender.live(8, queue_depth=around(600))
    alertmanager.send(alertmanager.alert("QueueTooLong", "firing"))
    sender.live(20, queue_depth=around(140))
    assert {record.metric for record in the_incident(services).findings} == {"custom_metric", "alert"}
    assert status(services) == (IncidentStatus.OPEN, None)
    alertmanager.send(alertmanager.alert("QueueTooLong", "resolved"))
    sender.live(12, queue_depth=around(140))
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")
