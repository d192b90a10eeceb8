"""Rises and slow drifts of a funnel: reported once, at low severity, and never as good news when they may not be."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from detection.types import IncidentStatus, Severity
from storage import incidents
from storage.models import Incident, OutboxJob
from tests.scenarios.workers.counted_funnel import CountedFunnel, counted_funnel
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import chat
from tests.scenarios.workers.worker import Clock, Worker
from workers.lifecycle.tick import run_parts
from workers.services import Services

CHANGED_SECONDS = 1200.0
"""How long ago the change began."""


@pytest.fixture
def funnel(services: Services) -> CountedFunnel:
    """A funnel with two weeks of history: 30 % convert, 20 entries every ten seconds."""
    made = counted_funnel(services)
    made.hours(14, entries=7200, rate=0.3)
    return made


def lately(funnel: CountedFunnel, clock: Clock, *, entries: float, rate: float) -> None:
    """Write recent buckets: for the last CHANGED_SECONDS, `entries` every ten seconds, of which `rate` convert."""
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
    """Record an incident of the funnel that was resolved `ended_ago` seconds ago."""
    now = clock.now
    clock.forward(-ended_ago - 3600)
    lately(funnel, clock, entries=20.0, rate=0.1)
    run_parts(services).raise_all()
    clock.now = now
    clock.forward(-ended_ago)
    with services.sessions.begin() as session:
        (incident,) = incidents.active_incidents(session)
        incidents.change_status(session, incident, IncidentStatus.RESOLVED, actor="ana", now=clock())
    clock.now = now


def test_a_rise_is_a_low_severity_incident_without_a_diagnosis(
    services: Services, funnel: CountedFunnel, clock: Clock, worker: Worker
) -> None:
    lately(funnel, clock, entries=20.0, rate=0.45)
    run_parts(services).raise_all()
    (incident,) = all_incidents(services)
    assert incident.severity == Severity.SEV4
    assert re.fullmatch(r"Signup conversion is up at 4\d\.\d %, normally (29|30)\.\d %", incident.title)
    assert "diagnose" not in jobs(services)
    worker.run_all()
    card = chat(services).root().card
    assert card.text.startswith("**Good news, or a step that counts too easily.**")
    assert "approve_fix" not in chat(services).buttons()
    clock.forward(40)
    run_parts(services).raise_all()
    assert len(all_incidents(services)) == 1


def test_a_rise_shortly_after_an_incident_of_the_funnel_is_not_reported(
    services: Services, funnel: CountedFunnel, clock: Clock
) -> None:
    broken_before(services, funnel, clock, ended_ago=CHANGED_SECONDS + 600)
    lately(funnel, clock, entries=20.0, rate=0.45)
    run_parts(services).raise_all()
    assert len(all_incidents(services)) == 1


def test_hours_after_an_incident_a_rise_is_reported_again(
    services: Services, funnel: CountedFunnel, clock: Clock
) -> None:
    broken_before(services, funnel, clock, ended_ago=5 * 3600)
    lately(funnel, clock, entries=20.0, rate=0.45)
    run_parts(services).raise_all()
    assert [incident.severity for incident in all_incidents(services)] == [Severity.SEV4, Severity.SEV1]


def test_a_rise_with_vanished_entries_is_not_reported_as_good_news(
    services: Services, funnel: CountedFunnel, clock: Clock, worker: Worker
) -> None:
    lately(funnel, clock, entries=6.0, rate=0.6)
    run_parts(services).raise_all()
    (incident,) = all_incidents(services)
    assert incident.title.startswith("Signup conversion seems to be ")
    worker.run_all()
    assert "the first step may no longer be tracked" in chat(services).root().card.text


def test_a_rise_with_fewer_entries_than_usual_is_not_reported(
    services: Services, funnel: CountedFunnel, clock: Clock
) -> None:
    lately(funnel, clock, entries=13.0, rate=0.45)
    run_parts(services).raise_all()
    assert all_incidents(services) == []


def drift(services: Services, clock: Clock) -> CountedFunnel:
    """A funnel with two weeks of 30 %, which drifts down to 23 % over the last two days."""
    funnel, now = counted_funnel(services), clock().timestamp()
    funnel.hours(14, entries=2000, rate=lambda at: 0.3 - 0.07 * max(0.0, 1 - (now - at) / (2 * 86_400)))
    return funnel


@ON_BOTH
def test_a_slow_drift_is_reported_once_with_its_hours_and_its_cost(
    services: Services, clock: Clock, worker: Worker
) -> None:
    drift(services, clock)
    for _ in range(3):
        run_parts(services).raise_all()
        clock.forward(60)
    (incident,) = all_incidents(services)
    assert incident.severity == Severity.SEV3
    assert "Signup conversion has slipped over " in incident.title
    assert "diagnose" not in jobs(services)
    worker.run_all()
    card = chat(services).root().card
    assert card.text.startswith("**No single moment broke this.**")
    assert dict(card.fields)["At stake"].startswith("About ")


def test_a_drift_closed_by_a_person_is_not_reported_again_the_next_hour(services: Services, clock: Clock) -> None:
    drift(services, clock)
    run_parts(services).raise_all()
    with services.sessions.begin() as session:
        (incident,) = incidents.active_incidents(session)
        incidents.change_status(session, incident, IncidentStatus.RESOLVED, actor="ana", now=clock())
    clock.forward(2 * 3600)
    run_parts(services).raise_all()
    run_parts(services).raise_all()
    assert len(all_incidents(services)) == 1


def test_a_drop_shows_what_is_at_stake_on_its_card_and_in_its_thread(
    services: Services, clock: Clock, worker: Worker
) -> None:
    funnel = counted_funnel(services, value=50.0, currency="EUR")
    funnel.hours(14, entries=7200, rate=0.3)
    lately(funnel, clock, entries=20.0, rate=0.2)
    run_parts(services).raise_all()
    worker.run()
    worker.run()
    at_stake = dict(chat(services).root().card.fields)["At stake"]
    assert " users an hour (" in at_stake
    assert " a day (€" in at_stake
    assert "At stake" in chat(services).thread_titles()
