from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from detection.types import Event, Finding, IncidentStatus, Metric
from integrations.inbound.otlp.doors import parse_traces
from integrations.inbound.product.posthog import parse_capture
from storage import funnels, incidents
from storage.models import Incident, KnowledgeEntry, Proposal, Verification
from storage.outcomes import judged_answers
from tests.conftest import PostgresServer
from tests.functional.stack import FUNNEL
from tests.functional.telemetry import traffic, week_of_history
from tests.scenarios.workers.clicks.test_people_decide import click, close, submit
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.incidents import diagnosed, offered
from tests.scenarios.workers.live_deploys import goes_live
from tests.scenarios.workers.maintenance import maintained
from tests.scenarios.workers.worker import START, Clock, Worker
from workers.lifecycle.detect import ROLLED_UP
from workers.lifecycle.tick import tick
from workers.services import Services
from workers.settings import Settings
from workers.watching import logs
from workers.watching.watch import Watch

GOOD, BAD, CURED = "1" * 40, "2" * 40, "3" * 40
LIMIT = 100_000_000
PAUSE_SECONDS = 3.0


def sender(services: Services, clock: Clock) -> Callable[[str, bytes], None]:
    """Return a function that parses bodies as the doors do, and appends the records to the store without HTTP."""

    def append(path: str, body: bytes) -> None:
        now = clock().timestamp()
        if path == "/batch/":
            records = parse_capture(body, now=now, max_decoded_bytes=LIMIT).records.records
            services.telemetry.append_events([record for record in records if isinstance(record, Event)])
        else:
            services.telemetry.append_spans(parse_traces(body, now=now, max_decoded_bytes=LIMIT).records)

    return append


class Shop:
    """Sends the shop's history, deploys and live traffic to Argux."""

    def __init__(self, services: Services, clock: Clock, send: Callable[[str, bytes], None]) -> None:
        self.services, self.clock, self.send = services, clock, send

    def deploy(self, sha: str) -> None:
        goes_live(self.services, sha)

    def live(self, seconds: float, version: str, *, broken: bool) -> None:
        since = self.clock().timestamp()
        self.clock.forward(seconds)
        traffic(self.send, since=since, until=self.clock().timestamp(), version=version, broken=broken)
        self.clock.forward(PAUSE_SECONDS)


HEALTHY_SECONDS = 600.0


def fill_with_a_healthy_shop(services: Services, clock: Clock) -> None:
    """Create a watched funnel, a week of healthy history and ten healthy minutes."""
    funnel_steps = cast("list[dict[str, Any]]", FUNNEL["steps"])
    steps: list[dict[str, Any]] = [
        {"name": step["name"], "event": step["event_filter"]["event"], "properties": {}} for step in funnel_steps
    ]
    with services.sessions.begin() as session:
        funnels.create_funnel(session, name="Purchase", steps=steps, baseline_days=7, window_minutes=30, now=clock())
    send = sender(services, clock)
    week_of_history(send, now=clock().timestamp(), version=GOOD)
    Shop(services, clock, send).live(HEALTHY_SECONDS, GOOD, broken=False)


@pytest.fixture(scope="session")
def filled() -> dict[str, Path]:
    """The databases that hold the healthy shop already: it is the same for every test, and takes seconds to make."""
    return {}


@pytest.fixture
def database_url(
    database_url: str, filled: dict[str, Path], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The URL of a copy of the healthy shop's database."""
    is_sqlite = database_url.startswith("sqlite")
    kind = "sqlite" if is_sqlite else "postgresql"
    if kind not in filled:
        directory = tmp_path_factory.mktemp("shop")
        settings = Settings(_env_file=None, database_url=database_url, audit_key="test", argux_data_dir=directory)
        clock = Clock(START)
        services = Services(settings, clock=clock, stopwatch=lambda: 0.0)
        fill_with_a_healthy_shop(services, clock)
        services.engine.dispose()
    if is_sqlite:
        path = Path(database_url.removeprefix("sqlite:///"))
        filled[kind] = filled.get(kind) or Path(shutil.copy(path, directory / "shop.db"))
        shutil.copy(filled[kind], path)
        return database_url
    server: PostgresServer = request.getfixturevalue("postgres_server")
    if kind not in filled:
        server.copy("argux", "shop")
        filled[kind] = directory
    server.copy("shop", "shop_of_one_test")
    return server.url("shop_of_one_test")


@pytest.fixture
def shop(services: Services, clock: Clock) -> Shop:
    """The healthy shop, ten minutes after its history."""
    clock.forward(HEALTHY_SECONDS + PAUSE_SECONDS)
    return Shop(services, clock, sender(services, clock))


def the_incident(services: Services) -> Incident | None:
    with services.readers() as session:
        found = incidents.list_incidents(session)
    assert len(found) <= 1
    return found[0] if found else None


def test_healthy_traffic_opens_no_incident(services: Services, shop: Shop) -> None:
    tick(services)
    assert the_incident(services) is None


@ON_BOTH
def test_a_slow_deploy_becomes_one_incident_with_all_its_findings(services: Services, shop: Shop) -> None:
    shop.deploy(BAD)
    broke_at = shop.clock().timestamp()
    shop.live(45, BAD, broken=True)
    tick(services)
    shop.live(60, BAD, broken=True)
    tick(services)
    incident = the_incident(services)
    assert incident is not None
    assert {record.metric for record in incident.findings} == {"latency_p95_ms", "query_count", "conversion_rate"}
    assert abs(incident.onset_at.timestamp() - broke_at) <= 15


def test_a_failing_watch_does_not_stop_the_others_and_its_error_is_raised(
    services: Services, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[Finding]:
        raise ValueError("a detector's own bug")

    watches = (Watch(frozenset({Metric.LOG_RATE}), broken, logs.points, logs.retest), *ROLLED_UP)
    monkeypatch.setattr("workers.lifecycle.tick.ROLLED_UP", watches)
    shop.deploy(BAD)
    shop.live(45, BAD, broken=True)
    with pytest.raises(ExceptionGroup, match="Not everything could be done"):
        tick(services)
    assert the_incident(services) is not None


@ON_BOTH
def test_a_recovered_shop_resolves_the_incident_with_the_measured_recovery(
    services: Services, shop: Shop, worker: Worker
) -> None:
    incident_id = fixed(services, shop, worker)
    shop.live(90, CURED, broken=False)
    tick(services)
    worker.run()
    with services.readers() as session:
        incident = incidents.get_incident(session, incident_id)
    assert (incident.status, incident.closed_by) == (IncidentStatus.RESOLVED, "Argux")
    assert isinstance(services.chat, FakeChat)
    assert "**Recovered.**" in services.chat.root().card.text
    assert "Recovered" in services.chat.thread_titles()
    assert services.chat.buttons() == ["reopen"]


@pytest.mark.parametrize("helped", [True, False])
def test_a_fix_that_helps_confirms_the_diagnosis_behind_it_and_one_that_does_not_refutes_it(
    services: Services, shop: Shop, worker: Worker, helped: bool
) -> None:
    incident_id = fixed(services, shop, worker)
    diagnosis_id = diagnosed(services, incident_id)
    with services.sessions.begin() as session:
        session.scalars(select(Proposal)).one().diagnosis_id = diagnosis_id
    for seconds in (60, 150):
        shop.live(seconds, CURED, broken=not helped)
        tick(services)
        shop.clock.forward(450)
    with services.readers() as session:
        assert [answer.is_right for answer in judged_answers(session)] == [helped]


def test_under_maintenance_every_stage_runs_and_no_message_is_posted(
    services: Services, shop: Shop, worker: Worker
) -> None:
    maintained(services, None, hours=3)
    incident_id = fixed(services, shop, worker)
    shop.live(90, CURED, broken=False)
    tick(services)
    worker.run()
    with services.readers() as session:
        incident = incidents.get_incident(session, incident_id)
        kinds = [entry.kind for entry in incident.timeline]
        remembered = session.scalars(select(KnowledgeEntry.incident_id)).all()
        metrics = {record.metric for record in incident.findings}
    assert (incident.status, list(remembered)) == (IncidentStatus.RESOLVED, [incident_id])
    assert {"latency_p95_ms", "query_count"} <= metrics
    assert {"opened", "quiet", "resolved"} <= set(kinds)
    shop.clock.forward(4 * 3600)
    tick(services)
    worker.run()
    assert isinstance(services.chat, FakeChat)
    assert services.chat.messages == {}


def test_a_fix_that_does_not_help_in_time_reopens_the_incident_and_says_so(
    services: Services, shop: Shop, worker: Worker
) -> None:
    incident_id = fixed(services, shop, worker)
    shop.live(60, CURED, broken=True)
    tick(services)
    with services.readers() as session:
        assert incidents.get_incident(session, incident_id).status == IncidentStatus.MITIGATING
    shop.clock.forward(450)
    shop.live(150, CURED, broken=True)
    tick(services)
    worker.run()
    with services.readers() as session:
        assert incidents.get_incident(session, incident_id).status == IncidentStatus.OPEN
    assert isinstance(services.chat, FakeChat)
    assert "Not recovered" in services.chat.thread_titles()
    assert "**The fix did not cure it.**" in services.chat.root().card.text


def test_a_fix_followed_by_no_traffic_is_reported_as_untested_never_as_recovered(
    services: Services, shop: Shop, worker: Worker
) -> None:
    incident_id = fixed(services, shop, worker)
    shop.clock.forward(700)
    tick(services)
    worker.run()
    with services.readers() as session:
        assert incidents.get_incident(session, incident_id).status == IncidentStatus.OPEN
        [verification] = session.scalars(select(Verification)).all()
    assert verification.status == "insufficient_data"
    assert "insufficient data: only 0 seen since" in verification.measures[0]["text"]
    assert isinstance(services.chat, FakeChat)
    assert "Insufficient data to tell whether it recovered" in services.chat.thread_titles()
    assert "**Insufficient data to tell whether the fix cured it.**" in services.chat.root().card.text


def test_a_false_alarm_that_continues_is_recorded_and_not_posted_again(services: Services, shop: Shop) -> None:
    shop.deploy(BAD)
    shop.live(60, BAD, broken=True)
    tick(services)
    first = the_incident(services)
    assert first is not None
    close(services, "false_alarm", first.id)
    for _ in range(3):
        shop.live(45, BAD, broken=True)
        tick(services)
    incident = the_incident(services)
    assert incident is not None
    assert incident.status == IncidentStatus.FALSE_ALARM
    assert max(record.last_seen_at for record in incident.findings) == shop.clock()


def test_a_new_break_after_the_cooldown_opens_a_new_incident(services: Services, shop: Shop) -> None:
    shop.deploy(BAD)
    shop.live(60, BAD, broken=True)
    tick(services)
    first = the_incident(services)
    assert first is not None
    close(services, "resolve", first.id)
    shop.live(360, CURED, broken=False)
    tick(services)
    assert the_incident(services) is not None
    shop.live(60, BAD, broken=True)
    tick(services)
    with services.readers() as session:
        assert [row.status for row in incidents.list_incidents(session)] == ["open", "resolved"]


def fixed(services: Services, shop: Shop, worker: Worker) -> int:
    """Break the shop, approve and merge the fix, and deploy it; return the incident's id."""
    shop.deploy(BAD)
    shop.live(60, BAD, broken=True)
    tick(services)
    incident = the_incident(services)
    assert incident is not None
    click(services, "approve_fix", offered(services, incident.id))
    submit(services)
    worker.run()
    worker.run()
    shop.clock.now = datetime.fromtimestamp(shop.clock().timestamp() + 1, UTC)
    shop.deploy(CURED)
    return incident.id
