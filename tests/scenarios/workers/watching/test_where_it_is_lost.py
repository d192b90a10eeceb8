"""From events to the incident, which shows which users lose conversions, or that the mix of users changed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import pytest

from detection.types import Event
from storage import funnels, incidents
from storage.models import Incident
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.worker import Clock, Worker
from workers.lifecycle.tick import tick
from workers.services import Services

DAY, HOUR = 86_400.0, 3600.0
Mix = Mapping[str, Mapping[str, int]]
KINDS: Mix = {
    "country": {"DE": 5, "US": 2, "FR": 2, "IN": 1},
    "device": {"ios": 1, "android": 1, "web": 1},
    "payment_method": {"card": 1, "paypal": 1},
}
"""The values of each dimension, with their weights."""

USUALLY = {"IN": 0.1, "US": 0.6}
"""The conversion rate by country; 0.5 for all others."""

Where = Sequence[tuple[str, str]]


class Shop:
    """Sends users' events; `broken` is the segment where nearly all conversions fail."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self.services, self.clock, self.random, self.numbers = services, clock, random.Random(3), count()

    def users(
        self, how_many: int, since: float, until: float, *, broken: Where | None = None, mix: Mix = KINDS
    ) -> None:
        events = [event for _ in range(how_many) for event in self._user(since, until, broken, {**KINDS, **mix})]
        now = self.clock().timestamp()
        self.services.telemetry.append_events([event for event in events if event.happened_at <= now])

    def live(self, minutes: float, **about: Any) -> None:
        """Send the events of three users per second."""
        since = self.clock().timestamp()
        self.clock.forward(minutes * 60)
        self.users(int(minutes * 180), since, self.clock().timestamp(), **about)

    def _user(self, since: float, until: float, broken: Where | None, mix: Mix) -> Iterator[Event]:
        number, at = next(self.numbers), self.random.uniform(since, until)
        kind = {name: self.random.choices(list(values), list(values.values()))[0] for name, values in mix.items()}
        rate = USUALLY.get(kind["country"], 0.5)
        if broken is not None and all(kind[name] == value for name, value in broken):
            rate *= 0.1
        yield Event(f"{number}a", "view", f"u{number}", at, {**kind, "version": "1.0"})
        if self.random.random() < rate:
            yield Event(f"{number}b", "pay", f"u{number}", at + self.random.uniform(1, 8), {})


@pytest.fixture
def shop(services: Services, clock: Clock) -> Shop:
    """A shop with two healthy days of history and a few healthy minutes."""
    steps: list[dict[str, Any]] = [{"name": name, "event": name, "properties": {}} for name in ("view", "pay")]
    with services.sessions.begin() as session:
        funnels.create_funnel(session, name="Checkout", steps=steps, baseline_days=7, window_minutes=30, now=clock())
    made, now = Shop(services, clock), clock().timestamp()
    made.users(4000, now - 2 * DAY, now)
    made.live(4)
    return made


def incident_after(services: Services, shop: Shop, minutes: float = 4, **about: Any) -> Incident:
    for _ in range(2):
        shop.live(minutes / 2, **about)
        tick(services)
    with services.readers() as session:
        (incident,) = incidents.list_incidents(session)
        assert incident.findings
        return incident


def told(services: Services, worker: Worker) -> tuple[str, str, str]:
    """Return the incident's title, its card's section and the thread message about the location."""
    worker.run()
    worker.run()
    assert isinstance(services.chat, FakeChat)
    card = services.chat.root().card
    (section,) = [section for section in card.sections if section.startswith("**Where**")]
    (message,) = [posted.card for posted in services.chat.messages.values() if posted.card.title == "Where"]
    return card.title, section, message.text


@ON_BOTH
def test_a_break_in_a_combination_names_it_in_the_title_the_card_and_the_thread(
    services: Services, shop: Shop, worker: Worker
) -> None:
    incident_after(services, shop, broken=(("country", "DE"), ("payment_method", "paypal")))
    title, section, message = told(services, worker)
    assert title.startswith("#1 Checkout conversion for country DE and payment_method paypal is ")
    assert "country = DE and payment_method = paypal carries" in section
    assert "of the loss is" in section
    assert "country = DE and payment_method = paypal carries" in message


def test_a_break_in_one_dimension_is_not_reported_as_narrower(services: Services, shop: Shop, worker: Worker) -> None:
    incident_after(services, shop, broken=(("payment_method", "paypal"),))
    title, section, _ = told(services, worker)
    assert title.startswith("#1 Checkout conversion for payment_method paypal is ")
    assert "payment_method = paypal carries" in section
    assert section.count("carries") == 1
    assert "- Next best explanations: " in section


def test_a_break_everywhere_is_reported_as_everywhere(services: Services, shop: Shop, worker: Worker) -> None:
    incident_after(services, shop, broken=())
    title, section, _ = told(services, worker)
    assert title.startswith("#1 Checkout conversion is ")
    assert "Everywhere alike: no country, device or payment_method fares worse than the others." in section


def test_a_changed_mix_of_users_is_reported_and_no_place_is_named(
    services: Services, shop: Shop, worker: Worker
) -> None:
    incident_after(services, shop, mix={"country": {"DE": 1, "IN": 6}})
    title, section, _ = told(services, worker)
    assert title.startswith("#1 Checkout conversion is ")
    assert "Other users than usual came; each kind of them converts as before." in section
    assert "country = IN is 8" in section
    assert "carries" not in section
