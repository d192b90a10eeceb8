"""Rises and slow drifts of a funnel: told once, quietly, and never as good news when they may not be."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from detection.types import IncidentStatus, Severity
from storage import incidents
from storage.models import Incident, OutboxJob
from tests.scenarios.workers.counted_funnel import CountedFunnel, counted_funnel
from tests.scenarios.workers.worker import Clock, Worker
from workers.lifecycle.detect import detect
from workers.services import Services

CHANGED_SECONDS = 1200.0
"""How long ago what has changed began to."""


@pytest.fixture
def funnel(services: Services) -> CountedFunnel:
    """Two weeks of 30 %, 20 entries every ten seconds."""
    made = counted_funnel(services)
    made.hours(14, entries=7200, rate=0.3)
    return made


def lately(funnel: CountedFunnel, clock: Clock, *, entries: float, rate: float) -> None:
    """Since CHANGED_SECONDS so many enter every ten seconds, and so many of them convert."""
    now = clock().timestamp()
    changed_at = now - CHANGED_SECONDS
    funnel.tens(
        entries=lambda at: entries if at >= changed_at else 20.0,
        rate=lambda at: rate if at >= changed_at else 0.3,
        since=now - 5000,
        until=now,
    )


def all_incidents(services: Services) -> Sequence[Incident]:
    with services.readers() as session:
        return incidents.list_incidents(session)


def jobs(services: Services) -> list[str]:
    with services.readers() as session:
        return [job.actor for job in session.scalars(select(OutboxJob))]


def broken_before(services: Services, funnel: CountedFunnel, clock: Clock, *, ended_ago: float) -> None:
    """The funnel dropped, and was mended so many seconds ago."""
    now = clock.now
    clock.forward(-ended_ago - 3600)
    lately(funnel, clock, entries=20.0, rate=0.1)
    assert detect(services)
    clock.now = now
    clock.forward(-ended_ago)
    with services.sessions.begin() as session:
        (incident,) = incidents.active_incidents(session)
        incidents.change_status(session, incident, IncidentStatus.RESOLVED, actor="ana", now=clock())
    clock.now = now


def test_a_rise_is_told_as_a_small_incident_without_a_cause_to_look_for(
    services: Services, funnel: CountedFunnel, clock: Clock, worker: Worker
) -> None:
    lately(funnel, clock, entries=20.0, rate=0.45)
    assert detect(services)
    (incident,) = all_incidents(services)
    assert incident.severity == Severity.SEV4
    assert re.fullmatch(r"Signup conversion is up at 4\d\.\d %, normally (29|30)\.\d %", incident.title)
    assert "diagnose" not in jobs(services)
    worker.run_all()
    card = services.chat.root().card
    assert card.text.startswith("**Good news, or a step that counts too easily.**")
    assert "approve_fix" not in services.chat.buttons()
    clock.forward(40)
    assert detect(services)
    assert len(all_incidents(services)) == 1


def test_a_rise_shortly_after_an_incident_of_the_funnel_is_its_echo_and_not_told(
    services: Services, funnel: CountedFunnel, clock: Clock
) -> None:
    broken_before(services, funnel, clock, ended_ago=CHANGED_SECONDS + 600)
    lately(funnel, clock, entries=20.0, rate=0.45)
    assert detect(services)
    assert len(all_incidents(services)) == 1


def test_hours_after_an_incident_a_rise_is_told_again(services: Services, funnel: CountedFunnel, clock: Clock) -> None:
    broken_before(services, funnel, clock, ended_ago=5 * 3600)
    lately(funnel, clock, entries=20.0, rate=0.45)
    assert detect(services)
    assert [incident.severity for incident in all_incidents(services)] == [Severity.SEV4, Severity.SEV1]


def test_when_entries_have_vanished_that_is_told_and_no_good_news(
    services: Services, funnel: CountedFunnel, clock: Clock, worker: Worker
) -> None:
    lately(funnel, clock, entries=6.0, rate=0.6)
    assert detect(services)
    (incident,) = all_incidents(services)
    assert incident.title.startswith("Signup conversion seems to be ")
    worker.run_all()
    assert "the first step may no longer be tracked" in services.chat.root().card.text


def test_a_rise_with_rather_fewer_entries_than_usual_is_not_told(
    services: Services, funnel: CountedFunnel, clock: Clock
) -> None:
    lately(funnel, clock, entries=13.0, rate=0.45)
    assert detect(services)
    assert all_incidents(services) == []


def drift(services: Services, clock: Clock) -> CountedFunnel:
    """Two weeks of 30 %, of which the last two days slip to 23 %."""
    funnel, now = counted_funnel(services), clock().timestamp()
    funnel.hours(14, entries=2000, rate=lambda at: 0.3 - 0.07 * max(0.0, 1 - (now - at) / (2 * 86_400)))
    return funnel


def test_a_slow_drift_is_told_once_with_its_hours_and_what_it_costs(
    services: Services, clock: Clock, worker: Worker
) -> None:
    drift(services, clock)
    for _ in range(3):
        assert detect(services)
        clock.forward(60)
    (incident,) = all_incidents(services)
    assert incident.severity == Severity.SEV3
    assert "Signup conversion has slipped over " in incident.title
    assert "diagnose" not in jobs(services)
    worker.run_all()
    card = services.chat.root().card
    assert card.text.startswith("**No single moment broke this.**")
    assert dict(card.fields)["At stake"].startswith("About ")


def test_a_drift_that_somebody_has_closed_is_not_told_again_the_next_hour(services: Services, clock: Clock) -> None:
    drift(services, clock)
    assert detect(services)
    with services.sessions.begin() as session:
        (incident,) = incidents.active_incidents(session)
        incidents.change_status(session, incident, IncidentStatus.RESOLVED, actor="ana", now=clock())
    clock.forward(2 * 3600)
    assert detect(services)
    assert detect(services)
    assert len(all_incidents(services)) == 1


def test_a_drop_says_on_its_card_and_in_its_thread_what_is_at_stake(
    services: Services, clock: Clock, worker: Worker
) -> None:
    funnel = counted_funnel(services, value=50.0, currency="EUR")
    funnel.hours(14, entries=7200, rate=0.3)
    lately(funnel, clock, entries=20.0, rate=0.2)
    assert detect(services)
    worker.run()
    worker.run()
    at_stake = dict(services.chat.root().card.fields)["At stake"]
    assert " users an hour (" in at_stake
    assert " a day (€" in at_stake
    assert "At stake" in services.chat.thread_titles()
