"""Incidents through the API: read, changed with an audit entry and a job in one transaction, diagnosed again."""

from __future__ import annotations

from typing import TypeVar

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from detection.chain import Chain, ChainLink
from detection.types import IncidentStatus
from integrations.text import ours
from storage import audit, diagnoses, incidents
from storage.models import AuditEntry, OutboxJob
from tests.scenarios.workers.incidents import revert_proposal, slow_checkout_incident
from workers.diagnosis.model import FixPlan, Verdict
from workers.diagnosis.pipeline import CONFIRM, FIX
from workers.services import Services

Row = TypeVar("Row", OutboxJob, AuditEntry)

DEPLOY = "Deploy v42 did it."


@pytest.fixture
def incident_id(services: Services) -> int:
    """Store an incident of a slow checkout with a diagnosis and a proposal, and return its id."""
    now = services.clock()
    hypothesis = {"key": "deploy:1", "cause": "deploy", "statement": DEPLOY, "parameters": {}}
    with services.sessions.begin() as session:
        incident = slow_checkout_incident(session, now)
        diagnosis = diagnoses.start_diagnosis(session, incident.id, now=now)
        diagnoses.save_checkpoint(session, diagnosis, "characterise", {"onset": 1})
        judged = {"prior": 0.4, "posterior": 0.9, "status": "confirmed"}
        diagnoses.put_hypotheses(session, diagnosis, [{**hypothesis, **judged}])
        diagnoses.add_evidence(
            session, diagnosis, hypothesis_key="deploy:1", query="deploys of shop", source="deploys",
            result="v42 went live 5 s before the onset", data={}, outcome="data", weight=2.0, now=now,
        )  # fmt: skip
        diagnoses.conclude(
            session, diagnosis, status="concluded", root_cause=DEPLOY, suspect_commit="3f2a9c1", confidence=0.9, now=now
        )
        revert_proposal(session, incident.id, now, diagnosis_id=diagnosis.id)
        return incident.id


def rows(services: Services, table: type[Row]) -> list[Row]:
    with services.readers() as session:
        return list(session.scalars(select(table)))


def test_an_incident_is_read_with_everything_recorded_so_far(
    client: TestClient, operator: dict[str, str], incident_id: int
) -> None:
    incident = client.get(f"/api/incidents/{incident_id}", headers=operator).json()

    assert (incident["title"], incident["status"], incident["severity"]) == ("POST /checkout is slow", "open", "sev2")
    assert [finding["observed"] for finding in incident["findings"]] == [1020.0]
    diagnosis = incident["diagnosis"]
    assert (diagnosis["root_cause"], diagnosis["confidence"]) == (DEPLOY, 0.9)
    assert (diagnosis["suspect_commit"], diagnosis["steps_done"]) == ("3f2a9c1", ["characterise"])
    assert [hypothesis["posterior"] for hypothesis in diagnosis["hypotheses"]] == [0.9]
    assert [(evidence["number"], evidence["weight"]) for evidence in diagnosis["evidence"]] == [(1, 2.0)]
    assert "#7" in incident["proposal"]["title"]
    assert (incident["approval"], incident["verification"], incident["ticket"]) == (None, None, None)
    assert incident["timeline"][0]["kind"] == "opened"


def test_a_diagnosis_says_how_it_spread_what_was_covered_and_what_to_do(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    chain = Chain("cart-db", (ChainLink("cart-db", "cart", "cart keeps its data there"),), ("cart",), (), 0.8, ())
    verdict = Verdict(
        "concluded", (), "certificate", None, 0.0, 0.9, None, (), no_change=True, none_confidence=0.92,
        coverage=ours("Coverage: checked metrics at <t:1770465600>."), remedy="rotate-cert", chain=chain,
    )  # fmt: skip
    fix = FixPlan(None, "Rotate the certificate of cart.", says_what_to_do=True)
    with services.sessions.begin() as session:
        diagnosis = diagnoses.latest_diagnosis(session, incident_id)
        assert diagnosis is not None
        diagnoses.save_checkpoint(session, diagnosis, "confirm", CONFIRM.codec.dump_python(verdict, mode="json"))
        diagnoses.save_checkpoint(session, diagnosis, "fix", FIX.codec.dump_python(fix, mode="json"))

    found = client.get(f"/api/incidents/{incident_id}", headers=operator).json()["diagnosis"]

    assert (found["no_change"], found["none_confidence"], found["remedy"]) == (True, 0.92, "rotate-cert")
    assert found["what_to_do"] == "Rotate the certificate of cart."
    assert found["coverage"].startswith("Coverage: checked metrics at ")
    assert "<t:" not in found["coverage"]
    assert found["chain"]["line"] == "cart-db → cart"
    assert found["chain"]["nodes"] == [
        {"name": "cart-db", "role": "origin", "rank": 0},
        {"name": "cart", "role": "victim", "rank": 1},
    ]
    assert found["chain"]["edges"] == [{"source": "cart-db", "target": "cart", "why": "cart keeps its data there"}]


def test_a_diagnosis_without_or_with_an_unreadable_verdict_is_read_all_the_same(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    path = f"/api/incidents/{incident_id}"
    before = client.get(path, headers=operator).json()["diagnosis"]
    with services.sessions.begin() as session:
        diagnosis = diagnoses.latest_diagnosis(session, incident_id)
        assert diagnosis is not None
        diagnoses.save_checkpoint(session, diagnosis, "confirm", {"status": 7, "chain": "broken"})

    after = client.get(path, headers=operator).json()["diagnosis"]

    assert (before["chain"], before["coverage"], before["remedy"]) == (None, None, None)
    assert (after["chain"], after["root_cause"]) == (None, DEPLOY)


def test_the_stakes_are_given_in_words_and_numbers(
    client: TestClient, operator: dict[str, str], incident_id: int
) -> None:
    stakes = client.get(f"/api/incidents/{incident_id}", headers=operator).json()["stakes"]

    assert stakes["text"] == "about 400 requests a minute"
    assert (stakes["requests_a_minute"], stakes["affected_users"], stakes["revenue_a_day"]) == (400.0, None, None)


def test_incidents_are_listed_by_status(client: TestClient, operator: dict[str, str], incident_id: int) -> None:
    assert [row["id"] for row in client.get("/api/incidents?status=open", headers=operator).json()] == [incident_id]
    assert client.get("/api/incidents?status=resolved", headers=operator).json() == []
    assert client.get("/api/incidents?status=broken", headers=operator).json()["error"]["field"] == "status"
    assert client.get("/api/incidents?limit=0", headers=operator).json()["error"]["field"] == "limit"


def test_a_change_is_made_audited_and_enqueued_for_the_channel(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    answer = client.patch(
        f"/api/incidents/{incident_id}", json={"status": "acknowledged", "severity": "sev1"}, headers=operator
    )

    assert answer.status_code == 200
    incident = answer.json()
    assert (incident["status"], incident["severity"], incident["acknowledged_by"]) == ("acknowledged", "sev1", "ana")
    assert [entry["actor"] for entry in incident["timeline"]][-2:] == ["ana", "ana"]
    [job] = rows(services, OutboxJob)
    assert (job.actor, job.arguments) == ("refresh_incident", {"incident_id": incident_id})
    [entry] = rows(services, AuditEntry)
    assert (entry.actor, entry.payload["status"]) == ("ana", ["open", "acknowledged"])
    with services.readers() as session:
        assert audit.verify(session, key=services.audit_key).ok


def test_an_invalid_transition_is_409_and_says_why(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    resolved = {"status": "resolved", "even_if_broken": True}
    client.patch(f"/api/incidents/{incident_id}", json=resolved, headers=operator)

    answer = client.patch(f"/api/incidents/{incident_id}", json={"status": "acknowledged"}, headers=operator)

    assert answer.status_code == 409
    assert answer.json()["error"]["field"] == "status"
    assert "it cannot become acknowledged" in answer.json()["error"]["message"]
    assert len(rows(services, AuditEntry)) == 1


def test_setting_the_current_status_changes_nothing(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    answer = client.patch(f"/api/incidents/{incident_id}", json={"status": "open"}, headers=operator)

    assert answer.status_code == 200
    assert (rows(services, AuditEntry), rows(services, OutboxJob)) == ([], [])


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, None), ({"status": "gone"}, "status"), ({"severity": "sev9"}, "severity"), ({"title": "x"}, "title")],
)
def test_an_invalid_change_is_422(
    client: TestClient, operator: dict[str, str], incident_id: int, body: dict[str, str], field: str | None
) -> None:
    answer = client.patch(f"/api/incidents/{incident_id}", json=body, headers=operator)

    assert (answer.status_code, answer.json()["error"].get("field")) == (422, field)


def test_a_diagnosis_is_enqueued_and_the_answer_does_not_wait(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    answer = client.post(f"/api/incidents/{incident_id}/diagnose", headers=operator)

    assert (answer.status_code, answer.json()) == (202, {"incident": incident_id, "queued": True})
    jobs = [(job.actor, job.arguments) for job in rows(services, OutboxJob)]
    assert ("diagnose", {"incident_id": incident_id}) in jobs


def test_a_closed_incident_is_not_diagnosed(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        incidents.change_status(session, incident, IncidentStatus.FALSE_ALARM, actor="ana", now=services.clock())

    assert client.post(f"/api/incidents/{incident_id}/diagnose", headers=operator).status_code == 409
    assert rows(services, OutboxJob) == []


@pytest.mark.parametrize("status", ["running", "a fix is under way"])
def test_a_diagnosis_is_refused_as_the_button_is(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int, status: str
) -> None:
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        if status == "running":
            diagnoses.start_diagnosis(session, incident_id, now=services.clock())
        else:
            incidents.change_status(session, incident, IncidentStatus.MITIGATING, actor="ana", now=services.clock())

    answer = client.post(f"/api/incidents/{incident_id}/diagnose", headers=operator)

    assert (answer.status_code, "under way" in answer.json()["error"]["message"]) == (409, True)
    assert rows(services, OutboxJob) == []
    assert rows(services, AuditEntry) == []


def test_a_diagnosis_asked_for_is_audited_and_a_second_one_is_refused(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    assert client.post(f"/api/incidents/{incident_id}/diagnose", headers=operator).status_code == 202
    assert client.post(f"/api/incidents/{incident_id}/diagnose", headers=operator).status_code == 409

    [entry] = rows(services, AuditEntry)
    assert (entry.actor, entry.event, entry.payload) == ("ana", "diagnose_again", {"incident_id": incident_id})


def test_an_incident_that_is_broken_still_is_closed_only_when_that_is_said(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    path = f"/api/incidents/{incident_id}"

    refused = client.patch(path, json={"status": "resolved"}, headers=operator)
    assert refused.status_code == 409
    assert "Still broken: POST /checkout is slow: p95 1,020 ms, normally 60 ms" in refused.json()["error"]["message"]
    closed = client.patch(path, json={"status": "resolved", "even_if_broken": True}, headers=operator)
    assert (closed.status_code, closed.json()["closed_by_hand"]) == (200, True)
    status = client.get("/api/status", headers=operator).json()
    assert [one["incident"] for one in status["closed_by_hand_still_broken"]] == [incident_id]
    assert status["counts"]["broken"] == 1
    assert client.patch(path, json={"status": "open"}, headers=operator).status_code == 200
    assert [entry.event for entry in rows(services, AuditEntry)] == ["resolve", "reopen"]


def test_a_false_alarm_needs_a_reason_and_is_muted_for_a_day(
    client: TestClient, operator: dict[str, str], incident_id: int
) -> None:
    path, change = f"/api/incidents/{incident_id}", {"status": "false_alarm", "even_if_broken": True}

    assert client.patch(path, json=change, headers=operator).status_code == 422
    closed = client.patch(path, json={**change, "reason": "a load test"}, headers=operator).json()
    assert closed["closing_reason"] == "a load test"
    assert closed["muted_until"] is not None


@pytest.mark.parametrize("status", ["mitigating", "open"])
def test_no_key_sets_or_leaves_the_status_of_a_fix_under_way(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int, status: str
) -> None:
    if status == "open":
        with services.sessions.begin() as session:
            incident = incidents.get_incident(session, incident_id)
            incidents.change_status(session, incident, IncidentStatus.MITIGATING, actor="ana", now=services.clock())

    answer = client.patch(f"/api/incidents/{incident_id}", json={"status": status}, headers=operator)

    assert answer.status_code == 409


def test_an_unknown_incident_is_404(client: TestClient, operator: dict[str, str]) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/diagnose")):
        answer = client.request(
            method,
            f"/api/incidents/99{path}",
            json={"status": "resolved"} if method == "PATCH" else None,
            headers=operator,
        )
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, "There is no incident 99.")
