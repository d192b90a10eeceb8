"""Endpoints that fail or are not called any more: from the requests to the incident and its recovery."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from detection.types import IncidentStatus
from storage import diagnoses, incidents
from storage.models import Diagnosis, Incident, KnowledgeEntry, OutboxJob, Verification
from tests.scenarios.workers.api_traffic import Api
from tests.scenarios.workers.clicks.test_people_decide import click, close, submit
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.incidents import offered
from tests.scenarios.workers.worker import Clock, Worker
from workers.lifecycle.tick import tick
from workers.services import Services

GOOD, BAD, CURED = "1" * 40, "2" * 40, "3" * 40


@pytest.fixture
def api(services: Services, clock: Clock) -> Api:
    made = Api(services, clock)
    made.week()
    made.live(300, GOOD)
    tick(services)
    return made


def every_incident(services: Services) -> list[Incident]:
    with services.readers() as session:
        found = list(incidents.list_incidents(session))
        for incident in found:
            assert incident.findings
        return found


def the_diagnosis(services: Services, incident_id: int) -> Diagnosis:
    with services.readers() as session:
        found = diagnoses.latest_diagnosis(session, incident_id)
        assert found is not None
        assert found.evidence
        return found


def test_healthy_traffic_opens_no_incident(services: Services, api: Api) -> None:
    api.live(60, GOOD)
    tick(services)
    assert every_incident(services) == []


@ON_BOTH
def test_a_deploy_that_breaks_a_third_of_requests_is_detected_diagnosed_reverted_and_recovers(
    services: Services, api: Api, worker: Worker
) -> None:
    api.deploy(BAD)
    broke_at = api.clock().timestamp()
    api.live(45, BAD, failing={"POST /checkout": 0.3})
    tick(services)
    (incident,) = every_incident(services)
    assert [record.metric for record in incident.findings] == ["error_rate"]
    assert incident.title.startswith("POST /checkout fails for ")
    assert incident.title.endswith("of requests, normally 0.5 %")
    assert incident.severity == "sev2"
    assert abs(incident.onset_at.timestamp() - broke_at) <= 15
    worker.run_all()
    diagnosis = the_diagnosis(services, incident.id)
    assert diagnosis.root_cause is not None
    assert diagnosis.root_cause.startswith("Deploy 2222222 at ")
    assert "POST /checkout fails for" in diagnosis.root_cause
    (by_version,) = [item for item in diagnosis.evidence if item.result.startswith("Version 2222222 of ")]
    assert "of requests failing" in by_version.result
    assert by_version.weight > 0
    click(services, "approve_fix", offered(services, incident.id))
    submit(services)
    worker.run()
    worker.run()
    api.clock.now = datetime.fromtimestamp(api.clock().timestamp() + 1, UTC)
    api.deploy(CURED)
    api.live(90, CURED)
    tick(services)
    worker.run()
    (resolved,) = every_incident(services)
    assert (resolved.status, resolved.closed_by) == (IncidentStatus.RESOLVED, "Argux")


def test_an_incident_that_gets_worse_says_so_in_its_title_and_severity(services: Services, api: Api) -> None:
    api.live(45, BAD, failing={"POST /checkout": 0.15})
    tick(services)
    (began,) = every_incident(services)
    assert began.severity == "sev3"
    api.live(60, BAD, failing={"POST /checkout": 0.9})
    tick(services)
    (worse,) = every_incident(services)
    assert worse.severity == "sev1"
    assert worse.title != began.title
    with services.readers() as session:
        asked = [job.key for job in session.scalars(select(OutboxJob).where(OutboxJob.key.like("%findings:%")))]
    assert len(set(asked)) == 2


def test_traffic_that_vanishes_is_an_incident_although_no_data_arrives(services: Services, api: Api) -> None:
    stopped_at = api.clock().timestamp()
    api.live(60, GOOD, called={"POST /checkout": 0.0})
    tick(services)
    (incident,) = every_incident(services)
    assert [(record.metric, record.observed) for record in incident.findings] == [("request_rate", 0.0)]
    assert incident.title.startswith("POST /checkout is called no more, normally 2")
    assert incident.severity == "sev2"
    assert abs(incident.onset_at.timestamp() - stopped_at) <= 15


def approved_after_silence(services: Services, api: Api, worker: Worker) -> int:
    """Create the incident of an endpoint that is not called any more, its fix approved and merged."""
    api.live(60, GOOD, called={"POST /checkout": 0.0})
    tick(services)
    (incident,) = every_incident(services)
    click(services, "approve_fix", offered(services, incident.id))
    submit(services)
    worker.run()
    worker.run()
    return incident.id


def test_traffic_that_returned_has_recovered(services: Services, api: Api, worker: Worker) -> None:
    approved_after_silence(services, api, worker)
    api.clock.forward(1)
    api.deploy(CURED)
    api.live(90, CURED)
    tick(services)
    (resolved,) = every_incident(services)
    assert resolved.status == IncidentStatus.RESOLVED


def test_an_incident_marked_false_alarm_creates_no_knowledge_entry(
    services: Services, api: Api, worker: Worker
) -> None:
    incident_id = approved_after_silence(services, api, worker)
    close(services, "false_alarm", incident_id)
    api.clock.forward(1)
    api.deploy(CURED)
    api.live(90, CURED)
    tick(services)
    with services.readers() as session:
        assert session.scalars(select(Verification.status)).all() == ["recovered"]
        assert session.scalars(select(KnowledgeEntry)).all() == []


def test_requests_that_arrive_late_do_not_count_as_missing(services: Services, api: Api) -> None:
    services.telemetry.delivery_lag = lambda service, endpoint, *, until: 70.0  # type: ignore[method-assign]
    api.live(60, GOOD, called={"POST /checkout": 0.0})
    tick(services)
    assert every_incident(services) == []
    api.live(60, GOOD, called={"POST /checkout": 0.0})
    tick(services)
    assert len(every_incident(services)) == 1


def test_a_total_outage_is_one_incident_titled_by_its_failing_requests(services: Services, api: Api) -> None:
    api.deploy(BAD)
    everything = {"POST /checkout": 1.0, "GET /cart": 1.0}
    api.live(60, BAD, failing=everything, called=dict.fromkeys(everything, 0.3), ms=2000.0)
    tick(services)
    (incident,) = every_incident(services)
    assert {record.metric for record in incident.findings} == {"error_rate", "request_rate", "latency_p95_ms"}
    assert incident.severity == "sev1"
    assert " fails for " in incident.title
