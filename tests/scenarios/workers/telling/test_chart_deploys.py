from __future__ import annotations

from datetime import timedelta

from detection.types import Deploy
from integrations.charts import Marker
from integrations.text import ours
from storage import deploys, diagnoses
from tests.scenarios.workers.incidents import opened, slow_checkout
from workers.diagnosis.model import Hypothesis, Role
from workers.services import Services
from workers.telling.chart_deploys import marked_deploys

INNOCENT, GUILTY = "a0e4a82" * 5, "e238d92" * 5


def _deployed(services: Services, service: str, sha: str, seconds_ago: float) -> float:
    at = services.clock() - timedelta(seconds=seconds_ago)
    with services.sessions.begin() as session:
        deploys.record_deploy(
            session,
            service=service,
            version=sha,
            commit_sha=sha,
            repository="acme/shop",
            deployed_at=at,
            deployed_by=None,
            now=services.clock(),
        )
    return at.timestamp()


def _diagnosed(services: Services, incident_id: int, deploy: Deploy, status: str) -> None:
    suspected = Hypothesis("deploy:1", "deploy", Role.ORIGIN, ours("It."), 0.5, deploy)
    with services.sessions.begin() as session:
        run = diagnoses.start_diagnosis(session, incident_id, now=services.clock())
        row = {
            "key": suspected.key,
            "cause": suspected.cause,
            "statement": "It.",
            "parameters": suspected.parameters(),
            "prior": 0.5,
            "status": status,
        }
        diagnoses.put_hypotheses(session, run, [row])


def _marked(services: Services, incident_id: int) -> tuple[Marker, ...]:
    now = services.clock().timestamp()
    with services.readers() as session:
        return marked_deploys(session, incident_id, slow_checkout(now - 40), now - 900, now)


def test_a_chart_marks_the_deploys_of_its_service_until_the_guilty_one_is_known(services: Services) -> None:
    incident_id = opened(services)
    nearest = _deployed(services, "shop", INNOCENT, 45)
    earlier = _deployed(services, "inventory", GUILTY, 60)
    assert _marked(services, incident_id) == (Marker(nearest, "deploy a0e4a82"),)
    guilty = Deploy(2, "inventory", GUILTY, GUILTY, None, "acme/shop", earlier)
    _diagnosed(services, incident_id, guilty, "open")
    assert _marked(services, incident_id) == (Marker(nearest, "deploy a0e4a82"),)
    _diagnosed(services, incident_id, guilty, "confirmed")
    assert _marked(services, incident_id) == (Marker(earlier, "deploy e238d92 of inventory"),)


def test_a_guilty_deploy_of_the_charts_own_service_is_marked_by_its_commit_alone(services: Services) -> None:
    incident_id = opened(services)
    at = _deployed(services, "shop", GUILTY, 60)
    _deployed(services, "shop", INNOCENT, 30)
    _diagnosed(services, incident_id, Deploy(1, "shop", GUILTY, GUILTY, None, "acme/shop", at), "confirmed")
    assert _marked(services, incident_id) == (Marker(at, "deploy e238d92"),)
