"""One row that cannot be read stops nothing: the rows beside it are handled, it is told, and once mended it is too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from detection.types import Severity
from storage import deliveries, diagnoses, incidents, maintenance, metric_limits, outbox, verifications
from storage import funnels as stored_funnels
from storage.deploys import deploys_between, record_deploy
from storage.models import (
    Action,
    Delivery,
    Diagnosis,
    Incident,
    KnowledgeEntry,
    MaintenanceWindow,
    OutboxJob,
    Proposal,
    Verification,
)
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.incidents import offered, opened
from tests.scenarios.workers.worker import Clock
from workers.clicks.slash_command import incidents_card, status_card
from workers.lifecycle.tick import run_parts
from workers.running.housekeeping import expire
from workers.running.relay import relay_once
from workers.services import Services
from workers.watching.delays import delays

BROKEN_JSON, NO_DATE = '{"broken', "no date"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite alone: PostgreSQL refuses most of these values."""
    return sqlite_url


@dataclass
class World:
    services: Services
    clock: Clock
    alertmanager: Alertmanager

    def tick(self) -> None:
        run_parts(self.services)

    def keep_house(self) -> None:
        try:
            expire(self.services)
        except ExceptionGroup:
            return

    def relay(self) -> None:
        relay_once(self.services)

    def incident(self, title: str) -> int:
        now = self.clock()
        with self.services.sessions.begin() as session:
            return incidents.open_incident(
                session, title=title, severity=Severity.SEV3, service=title, onset_at=now, now=now
            ).id

    def read(self, question: Callable[[Session], Any]) -> Any:
        with self.services.readers() as session:
            return question(session)

    def titles(self) -> list[str]:
        return sorted(self.read(lambda session: session.scalars(select(Incident.title)).all()))

    def troubles(self) -> list[str]:
        with self.services.readers() as session:
            return [one.what for one in delays(self.services, session).troubles]


@dataclass(frozen=True)
class Case:
    """prepare: make the row that will be broken, then its sibling. broken: table, key column, key, column and value.

    run: what reads them. told: how the trouble is called. handled: which of the two were handled, by name.
    again: what is to be run after the row was mended, if not the same.
    """

    name: str
    prepare: Callable[[World], None]
    broken: tuple[str, str, object, str, str]
    run: Callable[[World], None]
    told: str
    handled: Callable[[World], set[str]]
    again: Callable[[World], None] | None = None


def two_alerts(world: World) -> None:
    world.alertmanager.send(world.alertmanager.alert("Bad", "firing", service="one"))
    world.clock.forward(600)
    world.alertmanager.send(world.alertmanager.alert("Good", "firing", service="two"))


def alerts_told(world: World) -> set[str]:
    return {title.partition(" ")[0] for title in world.titles()}


def a_bad_incident_and_an_alert(world: World) -> None:
    opened(world.services)
    world.clock.forward(600)
    world.alertmanager.send(world.alertmanager.alert("Good", "firing", service="two"))


def bad_is_listed(world: World) -> set[str]:
    def findings(session: Session) -> set[str]:
        return {"Bad" for one in incidents.active_incidents(session) if one.id == 1 and one.findings}

    found: set[str] = world.read(findings)
    return found | ({"Good"} & alerts_told(world))


def two_funnels(world: World) -> None:
    with world.services.sessions.begin() as session:
        for name in ("Bad", "Good"):
            steps: list[dict[str, Any]] = [{"name": step, "event": step, "properties": {}} for step in ("in", "out")]
            stored_funnels.create_funnel(
                session, name=name, steps=steps, baseline_days=7, window_minutes=30, now=world.clock()
            )


def funnels_watched(world: World) -> set[str]:
    return {one.name for one in world.read(stored_funnels.definitions)}


def two_snoozes(world: World) -> None:
    for name in ("Bad", "Good"):
        incident_id = world.incident(name)
        with world.services.sessions.begin() as session:
            incident = session.get_one(Incident, incident_id)
            incident.snoozed_until, incident.snoozed_by = world.clock() - timedelta(minutes=1), "Ana"


def snoozes_ended(world: World) -> set[str]:
    ended = select(Incident.title).where(Incident.snoozed_until.is_(None))
    return set(world.read(lambda session: session.scalars(ended).all()))


def two_windows(world: World) -> None:
    now = world.clock()
    with world.services.sessions.begin() as session:
        for name in ("Bad", "Good"):
            maintenance.create_window(
                session, service=name, begins_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1), reason="",
                made_by="Ana", now=now,
            )  # fmt: skip


def windows_closed(world: World) -> set[str]:
    closed = select(MaintenanceWindow.service).where(MaintenanceWindow.closed_at.is_not(None))
    return set(world.read(lambda session: session.scalars(closed).all()))


def two_verifications(world: World) -> None:
    now = world.clock()
    for _ in ("Bad", "Good"):
        incident_id = opened(world.services)
        proposal_id = offered(world.services, incident_id)
        with world.services.sessions.begin() as session:
            action = Action(
                proposal_id=proposal_id, incident_id=incident_id, status="done", result={}, started_at=now,
                finished_at=now,
            )  # fmt: skip
            session.add(action)
            session.flush()
            verifications.start_verification(
                session, incident_id=incident_id, action_id=action.id, deadline_at=now - timedelta(minutes=1), now=now
            )


def verifications_ended(world: World) -> set[str]:
    ended = select(Verification.id).where(Verification.finished_at.is_not(None))
    return {("Bad", "Good")[found - 1] for found in world.read(lambda session: session.scalars(ended).all())}


def two_deploys(world: World) -> None:
    with world.services.sessions.begin() as session:
        for name in ("Bad", "Good"):
            record_deploy(
                session, service=name, version="1", commit_sha="a" * 40, repository="acme/shop", deployed_by="Ana",
                deployed_at=world.clock() - timedelta(hours=1), now=world.clock(),
            )  # fmt: skip


def deploys_known(world: World) -> set[str]:
    since, until = world.clock() - timedelta(days=1), world.clock()
    return {one.service for one in world.read(lambda session: deploys_between(session, None, since, until))}


def two_limits(world: World) -> None:
    with world.services.sessions.begin() as session:
        for name in ("Bad", "Good"):
            metric_limits.add_limit(
                session, name=name, service=None, threshold=1.0, above=True, horizon_hours=6.0, created_by="Ana",
                now=world.clock(),
            )  # fmt: skip


def limits_known(world: World) -> set[str]:
    return {one.name for one in world.read(metric_limits.list_limits)}


def two_late_offers(world: World) -> None:
    for _ in ("Bad", "Good"):
        offered(world.services, opened(world.services))
    world.clock.forward(5 * 3600)


def offers_expired(world: World) -> set[str]:
    expired = select(Proposal.id).where(Proposal.status == "expired")
    return {("Bad", "Good")[found - 1] for found in world.read(lambda session: session.scalars(expired).all())}


def two_late_diagnoses(world: World) -> None:
    for name in ("Bad", "Good"):
        incident_id = world.incident(name)
        with world.services.sessions.begin() as session:
            diagnoses.start_diagnosis(session, incident_id, now=world.clock())
    world.clock.forward(3600)


def diagnoses_ended(world: World) -> set[str]:
    ended = select(Diagnosis.id).where(Diagnosis.status == "failed")
    return {("Bad", "Good")[found - 1] for found in world.read(lambda session: session.scalars(ended).all())}


def two_held_messages(world: World) -> None:
    for name in ("Bad", "Good"):
        incident_id = world.incident(name)
        with world.services.sessions.begin() as session:
            deliveries.create_delivery(
                session, key=name, incident_id=incident_id, purpose="thread", channel="C1", content={},
                now=world.clock(),
            ).status = "held"  # fmt: skip


def messages_released(world: World) -> set[str]:
    released = select(Delivery.key).where(Delivery.status == "pending")
    return set(world.read(lambda session: session.scalars(released).all()))


def two_jobs(world: World) -> None:
    with world.services.sessions.begin() as session:
        for name in ("Bad", "Good"):
            arguments = {"incident_id": 1}
            outbox.enqueue(session, "refresh_incident", arguments, key=name, now=world.clock())


def jobs_sent(world: World) -> set[str]:
    sent = select(OutboxJob.key).where(OutboxJob.sent_at.is_not(None), OutboxJob.key.in_(("Bad", "Good")))
    return set(world.read(lambda session: session.scalars(sent).all()))


def retry_the_bad_job(world: World) -> None:
    with world.services.sessions.begin() as session:
        [bad] = [one for one in outbox.dead_letters(session) if one.key == "Bad"]
        outbox.start_anew(bad, world.clock())
    relay_once(world.services)


def two_lessons(world: World) -> None:
    for name in ("Bad", "Good"):
        incident_id = world.incident(name)
        with world.services.sessions.begin() as session:
            session.add(
                KnowledgeEntry(
                    incident_id=incident_id, symptom=name, root_cause="", fix="", recovery="", created_at=world.clock()
                )
            )


def nothing_read(world: World) -> set[str]:
    return {"Good"} if "reading knowledge entry 1" in world.troubles() else {"Bad", "Good"}


CASES = (
    Case("an alert's numbers are no JSON", two_alerts, ("alerts", "name", "Bad", "values", BROKEN_JSON), World.tick,
         "reading alert 1", alerts_told),
    Case("an alert's numbers are none", two_alerts, ("alerts", "name", "Bad", "values", '{"a": "x"}'), World.tick,
         "reading alert 1", alerts_told),
    Case("an alert's numbers are null", two_alerts, ("alerts", "name", "Bad", "values", "null"), World.tick,
         "reading alert 1", alerts_told),
    Case("an alert's severity is unknown", two_alerts, ("alerts", "name", "Bad", "severity", "huge"), World.tick,
         "reading alert 1", alerts_told),
    Case("an alert's beginning is no date", two_alerts, ("alerts", "name", "Bad", "started_at", NO_DATE), World.tick,
         "reading alert 1", alerts_told),
    Case("a finding's subject is no JSON", a_bad_incident_and_an_alert,
         ("findings", "id", 1, "subject", BROKEN_JSON), World.tick, "reading finding record 1", bad_is_listed),
    Case("a finding's subject says nothing", a_bad_incident_and_an_alert,
         ("findings", "id", 1, "subject", "{}"), World.tick, "reading finding record 1", bad_is_listed),
    Case("a finding's metric is unknown", a_bad_incident_and_an_alert,
         ("findings", "id", 1, "metric", "mood"), World.tick, "reading finding record 1", bad_is_listed),
    Case("an incident's severity is unknown", a_bad_incident_and_an_alert,
         ("incidents", "id", 1, "severity", "huge"), World.tick, "reading incident 1", bad_is_listed),
    Case("an incident's onset is no date", a_bad_incident_and_an_alert,
         ("incidents", "id", 1, "onset_at", NO_DATE), World.tick, "reading incident 1", bad_is_listed),
    Case("a funnel's steps are no JSON", two_funnels, ("funnels", "name", "Bad", "steps", BROKEN_JSON), World.tick,
         "reading funnel 1", funnels_watched),
    Case("a funnel's steps define nothing", two_funnels, ("funnels", "name", "Bad", "steps", '[{"name": "in"}]'),
         World.tick, "reading funnel 1", funnels_watched),
    Case("a snoozed incident cannot be read", two_snoozes, ("incidents", "title", "Bad", "status", "odd"), World.tick,
         "ending the snooze of incident #1", snoozes_ended),
    Case("a maintenance window's beginning is no date", two_windows,
         ("maintenance_windows", "service", "Bad", "begins_at", NO_DATE), World.tick, "reading maintenance window 1",
         windows_closed),
    Case("a verification's beginning is no date", two_verifications, ("verifications", "id", 1, "live_at", NO_DATE),
         World.tick, "verifying the fix of incident #1", verifications_ended),
    Case("the finding to verify is no JSON", two_verifications, ("findings", "id", 1, "details", BROKEN_JSON),
         World.tick, "verifying the fix of incident #1", verifications_ended),
    Case("a deploy's time is no date", two_deploys, ("deploys", "service", "Bad", "created_at", NO_DATE), World.tick,
         "reading deploy 1", deploys_known),
    Case("a limit is no number", two_limits, ("metric_limits", "name", "Bad", "threshold", "many"), World.tick,
         "reading metric limit 1", limits_known),
    Case("an offer's parameters are no JSON", two_late_offers, ("proposals", "id", 1, "parameters", BROKEN_JSON),
         World.keep_house, "reading proposal 1", offers_expired),
    Case("a diagnosis's checkpoints are no JSON", two_late_diagnoses,
         ("diagnoses", "id", 1, "checkpoints", BROKEN_JSON), World.keep_house, "reading diagnosis 1", diagnoses_ended),
    Case("a held message's content is no JSON", two_held_messages,
         ("deliveries", "key", "Bad", "content", BROKEN_JSON), World.tick, "reading delivery 1", messages_released),
    Case("a job's arguments are no JSON", two_jobs, ("outbox", "key", "Bad", "arguments", BROKEN_JSON), World.relay,
         "", jobs_sent, retry_the_bad_job),
    Case("a lesson's time is no date", two_lessons, ("knowledge", "id", 1, "created_at", NO_DATE), World.keep_house,
         "reading knowledge entry 1", nothing_read),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_one_bad_row_stops_no_other_and_is_told_and_caught_up_once_mended(
    services: Services, clock: Clock, case: Case
) -> None:
    world = World(services, clock, Alertmanager(services, clock))
    case.prepare(world)
    before = swap(services, case.broken)
    case.run(world)
    handled = case.handled(world)
    assert "Good" in handled
    if case.told:
        assert case.told in world.troubles()
    with services.readers() as session:
        status_card(services, session)
        incidents_card(session, None)
    table, key_column, key, column, _ = case.broken
    swap(services, (table, key_column, key, column, before))
    clock.forward(10)
    (case.again or case.run)(world)
    assert case.handled(world) == {"Bad", "Good"}
    assert case.told not in world.troubles()


def swap(services: Services, broken: tuple[str, str, object, str, Any]) -> Any:
    """Put a value into a column past the model, and return what was there."""
    table, key_column, key, column, value = broken
    with services.engine.begin() as connection:
        question = f'SELECT "{column}" FROM {table} WHERE {key_column} = :key'
        before = connection.execute(text(question), {"key": key}).scalar_one()
        change = f'UPDATE {table} SET "{column}" = :value WHERE {key_column} = :key'
        connection.execute(text(change), {"value": value, "key": key})
    return before


@pytest.mark.parametrize("value", [BROKEN_JSON, "null", "[]", "{}"])
@pytest.mark.parametrize("source", ["versions", "closed_by_hand"])
def test_a_position_that_cannot_be_read_is_begun_anew_and_told(
    services: Services, clock: Clock, source: str, value: str
) -> None:
    world = World(services, clock, Alertmanager(services, clock))
    world.tick()
    swap(services, ("pull_cursors", "source", source, "position", value))
    clock.forward(60)
    world.alertmanager.send(world.alertmanager.alert("Good", "firing", service="two"))
    world.tick()
    assert (world.troubles(), alerts_told(world)) == ([f"reading the position of {source}"], {"Good"})
    clock.forward(60)
    world.tick()
    assert world.troubles() == []
