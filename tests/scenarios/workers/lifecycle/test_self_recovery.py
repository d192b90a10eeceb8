"""Endpoints that recover by themselves: resolved and posted with figures, never on missing data, never twice."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.api.models.incident_models import describe
from detection.types import IncidentStatus
from storage import audit, incidents, verifications
from storage.models import AuditEntry, Incident, KnowledgeEntry, Proposal
from tests.scenarios.workers.api_traffic import FAILING, Api, lives
from tests.scenarios.workers.clicks.test_people_decide import click, close, submit
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import chat
from tests.scenarios.workers.incidents import offered
from tests.scenarios.workers.live_deploys import goes_live
from tests.scenarios.workers.maintenance import maintained
from tests.scenarios.workers.worker import Worker
from workers.clicks.slash_command import incidents_card, status_card
from workers.lifecycle.tick import tick
from workers.services import Services

BAD, OTHER = "2" * 40, "4" * 40


def the_incident(services: Services) -> Incident:
    with services.readers() as session:
        (found,) = incidents.list_incidents(session)
        assert found.findings
        assert found.timeline
        return found


def status(services: Services) -> tuple[IncidentStatus, str | None]:
    found = the_incident(services)
    return found.status, found.closed_by


def told(services: Services, title: str) -> str:
    """Return the text of the only thread message with this title."""
    (card,) = [one.card for one in chat(services).messages.values() if one.card.title == title]
    return card.text


def test_an_error_burst_that_ends_by_itself_is_posted_with_figures_and_resolved(
    services: Services, api: Api, worker: Worker
) -> None:
    lives(services, api, 2, failing=FAILING)
    last_broken = max(record.last_seen_at for record in the_incident(services).findings)
    worker.run()
    lives(services, api, 9)
    assert status(services) == (IncidentStatus.OPEN, None)
    lives(services, api, 3)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")
    worker.run_all()
    text = told(services, "Back to usual")
    assert text.startswith(
        f"By itself since <t:{int(last_broken.timestamp())}>:\n- POST /checkout error rate: 0.5 % before, "
    )
    assert " % at its worst, " in text
    assert text.endswith("The incident is resolved; it lasted 2 min.")
    card = chat(services).root().card
    assert card.text.startswith("**Back to usual by itself** since ")
    assert dict(card.fields)["Status"].endswith("by Argux")
    assert chat(services).buttons() == ["reopen"]


@ON_BOTH
def test_a_self_recovery_is_in_the_timeline_the_audit_chain_and_the_knowledge_entries(
    services: Services, api: Api
) -> None:
    lives(services, api, 2, failing=FAILING)
    lives(services, api, 12)
    incident = the_incident(services)
    (entry,) = [entry for entry in incident.timeline if entry.kind == "recovered"]
    assert (entry.actor, entry.text.startswith("Back to usual by itself since ")) == ("Argux", True)
    with services.readers() as session:
        verification = verifications.self_recovery_of(session, incident)
        (learnt,) = session.scalars(select(KnowledgeEntry)).all()
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.sequence.desc())).first()
        audit.verify(session, key=services.audit_key)
        listed = incidents_card(session, IncidentStatus.RESOLVED)
        shown = describe(session, incident.id)
    assert verification is not None
    (measure,) = verification.measures
    assert measure["before"] == pytest.approx(0.005, abs=0.004)
    assert measure["during"] > 0.2
    assert measure["after"] < 0.05
    assert learnt.fix == "None known: it recovered by itself."
    assert "POST /checkout error rate" in learnt.recovery
    assert last is not None
    assert (last.event, last.payload["why"]) == ("resolve", "back to usual by itself")
    assert listed.text.endswith(" by Argux")
    assert shown.verification is not None
    assert (shown.closed_by, shown.verification.status, shown.verification.action_id) == ("Argux", "recovered", None)
    assert shown.verification.measures == verification.measures


def test_a_deploy_before_the_recovery_is_mentioned_but_not_called_the_cure(
    services: Services, api: Api, worker: Worker
) -> None:
    lives(services, api, 2, failing=FAILING)
    api.deploy(OTHER)
    goes_live(services, BAD, service="billing")
    lives(services, api, 12)
    worker.run_all()
    text = told(services, "Back to usual")
    assert "Deploy `4444444` of shop went live at <t:" in text
    assert "in between; whether that cured it is not known." in text
    assert "billing" not in text
    with services.readers() as session:
        (learnt,) = session.scalars(select(KnowledgeEntry)).all()
    assert learnt.fix.startswith("None known: it recovered by itself. Deploy 4444444")


def test_latency_back_to_usual_is_resolved(services: Services, api: Api, worker: Worker) -> None:
    lives(services, api, 2, ms=600.0)
    lives(services, api, 12)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")
    worker.run_all()
    assert "POST /checkout p95 latency: " in told(services, "Back to usual")


def test_traffic_that_returns_is_resolved_and_traffic_that_stays_away_is_not(services: Services, api: Api) -> None:
    lives(services, api, 2, called={"POST /checkout": 0.0})
    assert [record.metric for record in the_incident(services).findings] == ["request_rate"]
    lives(services, api, 20, called={"POST /checkout": 0.0})
    assert status(services) == (IncidentStatus.OPEN, None)
    lives(services, api, 13)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")


def test_what_is_still_broken_stays_open(services: Services, api: Api) -> None:
    lives(services, api, 25, failing=FAILING)
    assert status(services) == (IncidentStatus.OPEN, None)


def test_silence_is_no_recovery(services: Services, api: Api) -> None:
    lives(services, api, 2, failing=FAILING)
    lives(services, api, 2)
    for _ in range(20):
        api.clock.forward(120)
        tick(services)
    assert status(services) == (IncidentStatus.OPEN, None)


def test_a_flapping_signal_is_one_incident_with_few_messages(services: Services, api: Api, worker: Worker) -> None:
    for _ in range(4):
        lives(services, api, 2, failing=FAILING)
        lives(services, api, 7)
    assert status(services) == (IncidentStatus.OPEN, None)
    worker.run_all()
    assert "Back to usual" not in chat(services).thread_titles()


@ON_BOTH
def test_a_relapse_reopens_the_incident_which_must_then_be_quiet_for_longer(
    services: Services, api: Api, worker: Worker
) -> None:
    lives(services, api, 2, failing=FAILING)
    lives(services, api, 12)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")
    lives(services, api, 2, failing=FAILING)
    assert status(services) == (IncidentStatus.OPEN, None)
    worker.run_all()
    assert " fails for " in told(services, "Broken again")
    assert "the incident is open again" in told(services, "Broken again")
    assert "resolve" in chat(services).buttons()
    assert "Back to usual" not in chat(services).root().card.text
    lives(services, api, 15)
    assert status(services) == (IncidentStatus.OPEN, None)
    lives(services, api, 7)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")
    worker.run_all()
    assert chat(services).thread_titles().count("Back to usual") == 2


def test_a_different_finding_soon_after_is_another_incident(services: Services, api: Api) -> None:
    lives(services, api, 2, failing=FAILING)
    lives(services, api, 19)
    lives(services, api, 2, failing={"GET /cart": 0.3})
    with services.readers() as session:
        assert [row.status for row in incidents.list_incidents(session)] == ["open", "resolved"]


def test_a_relapse_does_not_reopen_an_incident_that_a_person_resolved(services: Services, api: Api) -> None:
    lives(services, api, 2, failing=FAILING)
    close(services, "resolve", the_incident(services).id)
    lives(services, api, 12)
    lives(services, api, 2, failing=FAILING)
    with services.readers() as session:
        assert [row.status for row in incidents.list_incidents(session)] == ["open", "resolved"]


def test_while_a_fix_is_under_way_only_the_verification_decides(services: Services, api: Api, worker: Worker) -> None:
    lives(services, api, 2, failing=FAILING)
    click(services, "approve_fix", offered(services, the_incident(services).id))
    submit(services)
    assert status(services) == (IncidentStatus.MITIGATING, None)
    lives(services, api, 14)
    assert status(services) == (IncidentStatus.MITIGATING, None)


def test_a_self_recovery_ends_a_fix_that_waits_for_approval(services: Services, api: Api, worker: Worker) -> None:
    lives(services, api, 2, failing=FAILING)
    proposal_id = offered(services, the_incident(services).id)
    worker.run_all()
    assert "approve_fix" in chat(services).buttons()
    lives(services, api, 12)
    worker.run_all()
    assert chat(services).buttons() == ["reopen"]
    assert dict(chat(services).root().card.fields)["Fix"].endswith(": not carried out")
    assert "The fix that was offered was not carried out." in told(services, "Back to usual")
    click(services, "approve_fix", proposal_id)
    assert chat(services).ephemerals[-1][1] == "The incident is closed already; nothing was merged."
    with services.readers() as session:
        assert session.get_one(Proposal, proposal_id).status == "open"


def test_an_acknowledged_incident_recovers_too(services: Services, api: Api) -> None:
    lives(services, api, 2, failing=FAILING)
    click(services, "acknowledge", the_incident(services).id)
    lives(services, api, 12)
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")


def test_under_maintenance_a_recovered_incident_is_resolved_without_messages(
    services: Services, api: Api, worker: Worker
) -> None:
    maintained(services, None, hours=1)
    lives(services, api, 2, failing=FAILING)
    worker.run_all()
    lives(services, api, 12)
    worker.run_all()
    assert status(services) == (IncidentStatus.RESOLVED, "Argux")
    api.clock.forward(2 * 3600)
    tick(services)
    worker.run_all()
    assert chat(services).messages == {}


def test_the_status_answer_lists_recovered_incidents(services: Services, api: Api) -> None:
    lives(services, api, 2, failing=FAILING)
    lives(services, api, 12)
    with services.readers() as session:
        fields = dict(status_card(services, session).fields)
    assert fields["Back to usual"].startswith("#1 POST /checkout fails for ")
