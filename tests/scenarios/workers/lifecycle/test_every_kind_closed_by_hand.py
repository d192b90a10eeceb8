"""Closing by hand tells how it stands, in the latest figures and the signal's own words, for every kind of signal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detection.types import IncidentStatus
from storage import incidents
from tests.scenarios.workers.api_traffic import Api
from tests.scenarios.workers.clicks.test_people_decide import click, close
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.log_shop import REFUSED, log_shop
from tests.scenarios.workers.watching.test_custom_metrics_are_watched import Sender, a_week_of, around
from tests.scenarios.workers.worker import Clock
from workers.clicks.slash_command import status_card
from workers.lifecycle.tick import tick
from workers.services import Services

GOOD = "1" * 40


def api_of(services: Services, clock: Clock) -> Api:
    api = Api(services, clock)
    api.week()
    api.live(30, GOOD)
    tick(services)
    return api


def failing(services: Services, clock: Clock) -> Callable[[int], None]:
    """Requests fail: a quarter at first, then more than half."""
    api = api_of(services, clock)

    def go_on(step: int) -> None:
        for _ in range(2):
            api.live(57, GOOD, failing={"POST /checkout": 0.25 if step == 0 else 0.6})
            tick(services)

    return go_on


def slow(services: Services, clock: Clock) -> Callable[[int], None]:
    """Requests are slow: 400 ms at first, then 900 ms."""
    api = api_of(services, clock)

    def go_on(step: int) -> None:
        for _ in range(2):
            api.live(57, GOOD, ms=400.0 if step == 0 else 900.0)
            tick(services)

    return go_on


def logged(services: Services, clock: Clock) -> Callable[[int], None]:
    """A new line: two a minute at first, then six."""
    shop = log_shop(services, clock)
    shop.live(2)
    tick(services)

    def go_on(step: int) -> None:
        for _ in range(4):
            shop.live(1, REFUSED, a_minute=2 if step == 0 else 6)
            clock.now = clock.now.replace(second=0)
            tick(services)

    return go_on


def matched(services: Services, clock: Clock) -> Callable[[int], None]:
    """A line of a built-in pattern: two a minute at first, then six."""
    shop = log_shop(services, clock)
    shop.live(2)
    tick(services)

    def go_on(step: int) -> None:
        for _ in range(4):
            shop.live(1, "java.lang.OutOfMemoryError: Java heap space", a_minute=2 if step == 0 else 6)
            clock.now = clock.now.replace(second=0)
            tick(services)

    return go_on


def measured(services: Services, clock: Clock) -> Callable[[int], None]:
    """A queue: 600 at first, then 900."""
    sender = Sender(services, clock)
    a_week_of(sender, "queue_depth", around(140))
    sender.live(2, queue_depth=around(140))
    return lambda step: sender.live(6, queue_depth=around(600 if step == 0 else 900))


def filling(services: Services, clock: Clock) -> Callable[[int], None]:
    """A disk that fills, and goes on filling."""
    sender = Sender(services, clock)
    began = clock().timestamp() - 4 * 3600
    disk = {"system.filesystem.utilization": lambda at: 0.5 + 0.4 * (np.asarray(at) - began) / (6 * 3600)}
    sender.send(
        "system.filesystem.utilization", disk["system.filesystem.utilization"], since=began, until=clock().timestamp()
    )
    return lambda step: sender.live(12, **disk)


SIGNALS: dict[str, tuple[Callable[[Services, Clock], Callable[[int], None]], str, str]] = {
    "error rate": (failing, "POST /checkout fails for 6", " % of requests, normally 0."),
    "latency": (slow, "is slow: p95 1,", " ms, normally "),
    "new log line": (logged, "is logged ", " a minute in shop, normally 0.0 a minute"),
    "log pattern": (matched, "Pattern “memory” is logged ", " a minute in shop, normally 0.0 a minute"),
    "custom metric": (measured, "queue_depth is ", ", normally 1"),
    "limit": (filling, "disk is at ", " %, on its way to its limit of 100 %"),
}


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_dialog_the_status_and_the_timeline_say_the_latest_figure_and_the_normal_one(
    services: Services, clock: Clock, signal: str
) -> None:
    breaks, latest, usual = SIGNALS[signal]
    go_on = breaks(services, clock)
    go_on(0)
    go_on(1)
    with services.readers() as session:
        assert [one.status for one in incidents.list_incidents(session)] == [IncidentStatus.OPEN]
    click(services, "resolve", 1)
    assert isinstance(services.chat, FakeChat)
    said = services.chat.modals[-1].sections[0].replace("\\", "")
    assert said.startswith("**Still broken:** ")
    assert latest in said, said
    assert usual in said, said
    close(services, "resolve", 1)
    with services.readers() as session:
        card = status_card(services, session)
        texts = [row.text for row in incidents.get_incident(session, 1).timeline]
    assert latest in card.text.replace("\\", "")
    assert any("Closed although broken still" in text for text in texts)


def test_an_incident_whose_data_has_stopped_is_not_resolved_as_if_it_were_well(
    services: Services, clock: Clock
) -> None:
    api = api_of(services, clock)
    for _ in range(2):
        api.live(57, GOOD, failing={"POST /checkout": 0.3})
        tick(services)
    clock.forward(15 * 60)

    click(services, "resolve", 1)

    assert isinstance(services.chat, FakeChat)
    with services.readers() as session:
        assert incidents.get_incident(session, 1).status is IncidentStatus.OPEN
    said = services.chat.modals[-1].sections[0]
    assert said.startswith("**Not known to be well:** too little was measured since <t:")
    assert "POST /checkout fails for" in said
    close(services, "resolve", 1)
    with services.readers() as session:
        incident = incidents.get_incident(session, 1)
        assert incident.status is IncidentStatus.RESOLVED
        assert any("Closed without knowing that it is well" in row.text for row in incident.timeline)
