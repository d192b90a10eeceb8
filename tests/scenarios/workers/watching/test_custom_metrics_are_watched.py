"""Custom metrics: leaving their usual level, approaching a limit, and recovering."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from detection.recovery import RecoveryState
from detection.types import Finding, IncidentStatus, MetricKind, MetricPoint, Severity
from storage import incidents
from storage.metric_limits import add_limit
from storage.models import Incident
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.worker import Clock, Worker
from workers.lifecycle.tick import tick
from workers.services import Services
from workers.watching import metrics

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
Values = Callable[[np.ndarray], np.ndarray]


class Sender:
    """Sends a metric's points as an exporter does: one per minute."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self.services, self.clock = services, clock

    def send(
        self, name: str, values: Values, *, since: float, until: float, step: float = MINUTE,
        kind: MetricKind = MetricKind.GAUGE, **attributes: str,
    ) -> None:  # fmt: skip
        moments = np.arange(since, until, step)
        self.services.telemetry.append_metric_points(
            [
                MetricPoint(f"{name}{at}{attributes}", name, "shop", float(at), float(value), kind, dict(attributes))
                for at, value in zip(moments, values(moments), strict=True)
            ]
        )

    def live(self, minutes: int, **metrics_: Values) -> None:
        """Send points and run a tick for each minute."""
        for _ in range(minutes):
            since = self.clock().timestamp()
            self.clock.forward(MINUTE)
            for name, values in metrics_.items():
                self.send(name, values, since=since, until=since + MINUTE)
            self.clock.forward(2)
            tick(self.services)
            self.clock.forward(-2)


@pytest.fixture
def sender(services: Services, clock: Clock) -> Sender:
    clock.now = datetime(2026, 2, 7, 12, 30, tzinfo=UTC)
    return Sender(services, clock)


def around(level: float, seed: int = 1) -> Values:
    random = np.random.default_rng(seed)
    return lambda moments: level + random.normal(0, 0.03 * level, len(moments))


def a_week_of(sender: Sender, name: str, values: Values) -> None:
    now = sender.clock().timestamp()
    sender.send(name, values, since=now - 7 * DAY, until=now - 3 * HOUR, step=10 * MINUTE)
    sender.send(name, values, since=now - 3 * HOUR, until=now)


def the_incident(services: Services) -> Incident:
    with services.readers() as session:
        [found] = incidents.list_incidents(session)
    return found


def findings_of(incident: Incident) -> list[Finding]:
    return [incidents.to_finding(record) for record in incident.findings]


@ON_BOTH
def test_a_metric_that_leaves_its_level_becomes_an_incident_that_is_diagnosed_and_recovers(
    services: Services, clock: Clock, worker: Worker, sender: Sender
) -> None:
    a_week_of(sender, "queue_depth", around(140))
    sender.live(2, queue_depth=around(140))
    with services.readers() as session:
        assert incidents.list_incidents(session) == []
    broke_at = clock().timestamp()
    sender.live(6, queue_depth=around(600))

    incident = the_incident(services)
    assert incident.title.startswith("queue_depth is 6")
    assert ", normally 1" in incident.title
    assert (incident.severity, incident.service) == (Severity.SEV4, "shop")
    assert abs(incident.onset_at.timestamp() - broke_at) <= MINUTE

    worker.run_all()
    assert isinstance(services.chat, FakeChat)
    [account] = [one.card for one in services.chat.messages.values() if one.card.title.startswith("Diagnosis")]
    assert "queue_depth is 6" in account.sections[0]
    assert "measurements)" in account.sections[0]
    assert services.chat.root().card.picture is not None

    [finding] = findings_of(incident)
    points = metrics.points(services, finding, broke_at - 600, clock().timestamp())
    assert len([point for point in points if point.value is not None and point.value > 500]) == 6

    live_at = clock().timestamp()
    sender.live(2, queue_depth=around(140))
    assert metrics.retest(services, finding, live_at, clock().timestamp()).state is RecoveryState.INSUFFICIENT_DATA
    sender.live(4, queue_depth=around(140))
    recovery = metrics.retest(services, finding, live_at, clock().timestamp())
    assert recovery.state is RecoveryState.RECOVERED
    assert recovery.before == pytest.approx(140, rel=0.1)
    assert metrics.retest(services, finding, broke_at, clock().timestamp()).state is RecoveryState.RECOVERED


def test_a_metric_that_stays_abnormal_does_not_count_as_recovered_or_become_normal(
    services: Services, clock: Clock, sender: Sender
) -> None:
    a_week_of(sender, "queue_depth", around(140))
    sender.live(8, queue_depth=around(600))
    incident = the_incident(services)
    [finding] = findings_of(incident)
    live_at = clock().timestamp()
    now = clock().timestamp()
    clock.forward(6 * HOUR)
    sender.send("queue_depth", around(600), since=now, until=clock().timestamp())
    sender.live(1, queue_depth=around(600))
    assert metrics.retest(services, finding, live_at, clock().timestamp()).state is RecoveryState.STILL_BROKEN
    [finding] = findings_of(the_incident(services))
    assert finding.expected == pytest.approx(140, rel=0.1)


def test_a_counter_that_stops_is_reported_as_a_rate(services: Services, clock: Clock, sender: Sender) -> None:
    now = clock().timestamp()
    steady: Values = lambda moments: 3.0 * (moments - now + 8 * DAY)  # noqa: E731
    sender.send(
        "orders", steady, since=now - 7 * DAY, until=now - 3 * HOUR, step=10 * MINUTE, kind=MetricKind.CUMULATIVE
    )
    sender.send("orders", steady, since=now - 3 * HOUR, until=now, kind=MetricKind.CUMULATIVE)
    for _ in range(7):
        since = clock().timestamp()
        clock.forward(MINUTE)
        frozen: Values = lambda moments: np.full(len(moments), 3.0 * 8 * DAY)  # noqa: E731
        sender.send("orders", frozen, since=since, until=since + MINUTE, kind=MetricKind.CUMULATIVE)
        clock.forward(2)
        tick(services)
        clock.forward(-2)
    assert the_incident(services).title == "orders is 0 a second, normally 3 a second"


def test_a_filling_disk_is_reported_before_it_is_full(services: Services, clock: Clock, sender: Sender) -> None:
    now = clock().timestamp()
    random = np.random.default_rng(1)
    name = "system.filesystem.utilization"

    def filling(moments: np.ndarray) -> np.ndarray:
        return np.asarray(0.94 - 0.02 * (now - moments) / HOUR + random.normal(0, 0.0005, len(moments)))

    for state, values in (("used", filling), ("free", lambda moments: 1 - filling(moments))):
        sender.send(
            name, values, since=now - 2 * DAY, until=now - 3 * HOUR, step=10 * MINUTE, device="sda1", state=state
        )
        sender.send(name, values, since=now - 3 * HOUR, until=now, device="sda1", state=state)
    clock.forward(2)
    tick(services)

    incident = the_incident(services)
    assert incident.title.startswith("disk (device=sda1, state=used) full in 3 h (99 % sure); it is at 94 %")
    assert incident.severity == Severity.SEV3
    [finding] = findings_of(incident)
    assert (
        finding.fingerprint
        == "custom_metric:metric:shop:system.filesystem.utilization (device=sda1, state=used):limit=1"
    )

    clock.forward(-2)
    live_at = clock().timestamp()
    clock.forward(20 * MINUTE)
    cleaned: Values = lambda moments: 0.5 + random.normal(0, 0.0005, len(moments))  # noqa: E731
    sender.send(name, cleaned, since=live_at, until=clock().timestamp(), device="sda1", state="used")
    tick(services)
    assert metrics.retest(services, finding, live_at, clock().timestamp()).state is RecoveryState.RECOVERED


def test_a_limit_that_people_set_is_reported_when_it_is_exceeded(
    services: Services, clock: Clock, sender: Sender
) -> None:
    with services.sessions.begin() as session:
        add_limit(
            session, name="queue_depth", service="shop", threshold=150, above=True, horizon_hours=2, created_by="Mia",
            now=clock(),
        )  # fmt: skip
    now = clock().timestamp()
    sender.send("queue_depth", around(152, 3), since=now - HOUR, until=now)
    clock.forward(2)
    tick(services)
    assert the_incident(services).title.endswith("over its limit of 150")
    assert the_incident(services).severity == Severity.SEV2


def test_a_metric_known_for_only_an_hour_opens_no_incident(services: Services, clock: Clock, sender: Sender) -> None:
    now = clock().timestamp()
    sender.send("fresh", around(10), since=now - HOUR, until=now)
    sender.live(8, fresh=around(1000))
    with services.readers() as session:
        assert incidents.list_incidents(session) == []


def test_what_has_lasted_two_days_is_told_as_the_new_normal_and_the_incident_is_over(
    services: Services, clock: Clock, worker: Worker, sender: Sender
) -> None:
    a_week_of(sender, "queue_depth", around(140))
    sender.live(8, queue_depth=around(600))
    since = clock().timestamp()
    assert the_incident(services).closed_at is None
    clock.forward(2 * DAY)
    now = clock().timestamp()
    sender.send("queue_depth", around(600), since=since, until=now - 3 * HOUR, step=10 * MINUTE)
    sender.send("queue_depth", around(600), since=now - 3 * HOUR, until=now)
    sender.live(16, queue_depth=around(600))

    incident = the_incident(services)
    assert incident.status is IncidentStatus.RESOLVED
    worker.run_all()
    assert isinstance(services.chat, FakeChat)
    [told] = [one.card for one in services.chat.messages.values() if one.card.title == "The new normal"]
    assert "lasted for two days" in str(told.text)


def test_a_worker_that_starts_anew_goes_on_with_what_another_remembered(
    services: Services, clock: Clock, sender: Sender
) -> None:
    a_week_of(sender, "queue_depth", around(140))
    sender.live(3, queue_depth=around(140))
    services.__dict__.pop("metric_memory", None)
    sender.live(5, queue_depth=around(600))
    assert the_incident(services).title.startswith("queue_depth is 6")
