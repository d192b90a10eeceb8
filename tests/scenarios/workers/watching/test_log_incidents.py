from __future__ import annotations

from datetime import timedelta

import pytest

from detection.types import IncidentStatus, Severity
from storage import incidents, log_patterns
from storage.models import Incident
from storage.telemetry.protocol import LOG_PATTERN, LOG_TEMPLATE, LogName
from tests.scenarios.workers.clicks.test_people_decide import click, close, submit
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.incidents import offered
from tests.scenarios.workers.log_shop import REFUSED, LogShop, log_shop
from tests.scenarios.workers.worker import Clock, Worker, verify
from workers.lifecycle.tick import tick
from workers.services import Services
from workers.watching.logs import OPTIONS

BAD, CURED = "2" * 40, "3" * 40


@pytest.fixture
def shop(services: Services, clock: Clock) -> LogShop:
    return log_shop(services, clock)


def all_incidents(services: Services) -> list[Incident]:
    with services.readers() as session:
        return list(incidents.list_incidents(session))


def test_healthy_logs_and_new_info_lines_open_no_incident(services: Services, shop: LogShop) -> None:
    shop.live(5, "A new cache of {number} entries was built", "INFO", a_minute=10)
    tick(services)
    assert all_incidents(services) == []


@ON_BOTH
def test_a_new_error_becomes_an_incident_with_a_readable_title(services: Services, shop: LogShop) -> None:
    shop.live(5)
    broke_at = shop.clock().timestamp()
    shop.live(3, REFUSED)
    tick(services)
    (incident,) = all_incidents(services)
    assert (
        incident.title
        == "“Charge for order … failed: gateway said declined” is new in shop: 12 lines in 10 min, none in 7 days"
    )
    assert (incident.service, incident.severity) == ("shop", Severity.SEV3)
    assert abs(incident.onset_at.timestamp() - broke_at) <= 120


def test_a_new_service_has_findings_only_by_pattern(services: Services, clock: Clock) -> None:
    clock.now = clock.now.replace(second=0)
    young = LogShop(services, clock)
    young.live(90)
    young.live(3, REFUSED)
    tick(services)
    assert all_incidents(services) == []
    young.live(3, "java.lang.OutOfMemoryError: Java heap space")
    tick(services)
    (incident,) = all_incidents(services)
    assert incident.title.startswith("Pattern “memory” in shop: 12 lines in 10 min, none in ")
    assert incident.severity == Severity.SEV2


def test_a_teams_own_pattern_opens_an_incident_with_its_severity(
    services: Services, shop: LogShop, clock: Clock
) -> None:
    with services.sessions.begin() as session:
        log_patterns.add_pattern(
            session, name="declined", expression="gateway said declined", severity=Severity.SEV1,
            description="Cards are declined.", by="ana", now=clock(),
        )  # fmt: skip
    shop.live(2, REFUSED, "INFO")
    tick(services)
    (incident,) = all_incidents(services)
    assert incident.severity == Severity.SEV1
    assert {record.subject["kind"] for record in incident.findings} == {LOG_PATTERN}


def test_a_deploy_just_before_is_the_cause_and_the_incident_is_charted(
    services: Services, shop: LogShop, worker: Worker
) -> None:
    diagnosed = _broken_by_a_deploy(services, shop, worker)
    with services.readers() as session:
        incident = incidents.get_incident(session, diagnosed)
    assert isinstance(services.chat, FakeChat)
    thread = _thread(services.chat)
    assert "Deploy 2222222" in thread
    assert "“Charge for order … failed: gateway said declined” comes at" in thread
    assert services.chat.root().card.picture is not None
    assert incident.status == IncidentStatus.OPEN


def test_without_a_deploy_the_cause_is_not_known(services: Services, shop: LogShop, worker: Worker) -> None:
    shop.live(3, REFUSED)
    tick(services)
    _diagnosed(worker)
    assert isinstance(services.chat, FakeChat)
    assert "Argux does not know why this happens" in _thread(services.chat)


@ON_BOTH
def test_no_more_lines_after_the_fix_resolve_the_incident(services: Services, shop: LogShop, worker: Worker) -> None:
    incident_id = _approved_and_merged(services, shop, worker)
    shop.deploy(CURED)
    shop.live(3)
    tick(services)
    verify(services)
    worker.run()
    with services.readers() as session:
        incident = incidents.get_incident(session, incident_id)
    assert incident.status == IncidentStatus.RESOLVED
    assert isinstance(services.chat, FakeChat)
    assert "lines a minute: 0.0 a minute before" in _thread(services.chat)


def test_lines_that_continue_after_the_fix_reopen_the_incident(
    services: Services, shop: LogShop, worker: Worker
) -> None:
    incident_id = _approved_and_merged(services, shop, worker)
    shop.deploy(CURED)
    shop.live(12, REFUSED)
    tick(services)
    verify(services)
    with services.readers() as session:
        assert incidents.get_incident(session, incident_id).status == IncidentStatus.OPEN


def test_the_error_of_a_past_incident_is_reported_as_back(services: Services, shop: LogShop, worker: Worker) -> None:
    shop.live(3, REFUSED)
    tick(services)
    (first,) = all_incidents(services)
    shop.live(12)
    close(services, "resolve", first.id)
    shop.live(60)
    tick(services)
    assert len(all_incidents(services)) == 1
    shop.live(3, REFUSED)
    tick(services)
    (second, _) = all_incidents(services)
    assert "is back in shop: 12 lines in 10 min, before only in past incidents" in second.title


def test_a_storm_of_new_errors_is_one_incident_with_a_few_findings(services: Services, shop: LogShop) -> None:
    words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"]
    now = shop.clock()
    for word in words:
        for number in range(6 + len(word)):
            shop.say(f"{word} of the {word * 2} broke {word[::-1]}", now + timedelta(seconds=number), "ERROR")
    shop.live(1)
    tick(services)
    (incident,) = all_incidents(services)
    assert len(incident.findings) == 5
    shop.live(1)
    tick(services)
    (incident,) = all_incidents(services)
    assert len(incident.findings) == 5


def test_the_memory_of_past_windows_selects_only_unusual_series(services: Services, shop: LogShop) -> None:
    shop.live(3, REFUSED)
    tick(services)
    suspects = services.log_memory.worth_reading(services.telemetry, now=shop.clock().timestamp(), options=OPTIONS)
    texts = {
        one.text
        for one in services.telemetry.log_series(
            since=0, until=shop.clock().timestamp(), bucket_seconds=3600, names=suspects.names
        )
    }
    assert suspects.checked == 2
    assert texts == {"Charge for order <*> failed: gateway said declined"}
    assert all(isinstance(name, LogName) and name.kind == LOG_TEMPLATE for name in suspects.names)


def _thread(chat: FakeChat) -> str:
    return " ".join(posted.card.text for posted in chat.messages.values() if posted.thread is not None)


def _diagnosed(worker: Worker) -> None:
    """Wait as long as a diagnosis waits for an endpoint's finding, then run all jobs."""
    worker.clock.forward(20)
    while worker.run():
        pass


def _broken_by_a_deploy(services: Services, shop: LogShop, worker: Worker) -> int:
    shop.live(5)
    shop.deploy(BAD)
    shop.live(3, REFUSED)
    tick(services)
    _diagnosed(worker)
    (incident,) = all_incidents(services)
    return incident.id


def _approved_and_merged(services: Services, shop: LogShop, worker: Worker) -> int:
    incident_id = _broken_by_a_deploy(services, shop, worker)
    shop.live(1, REFUSED)
    click(services, "approve_fix", offered(services, incident_id))
    submit(services)
    worker.run()
    worker.run()
    shop.clock.forward(1)
    return incident_id
