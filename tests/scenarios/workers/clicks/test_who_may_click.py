"""Only full members of the workspace decide, only named approvers merge, and every refusal is in the audit chain."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from detection.types import IncidentStatus
from integrations.protocols import Standing
from storage import incidents
from storage.models import AuditEntry, OutboxJob
from tests.scenarios.workers.clicks.test_people_decide import click, fakes, status
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.incidents import diagnosed, offered, opened
from tests.scenarios.workers.worker import Clock
from workers.clicks.buttons import DIAGNOSIS_BUTTONS, HANDLERS
from workers.clicks.slash_command import answer_command
from workers.clicks.submissions import handle_submission
from workers.services import Services
from workers.telling.incident_view import incident_view
from workers.telling.offered import unset_buttons
from workers.telling.root_card import root_card

NO_MEMBERS = [standing for standing in Standing if standing is not Standing.MEMBER]
UNSET: dict[str, dict[str, None]] = {
    "all": {},
    "no Jira": {"jira_url": None},
    "no Teams": {"teams_webhook_url": None},
    "neither": {"jira_token": None, "teams_webhook_url": None},
}


def refusals(services: Services) -> list[AuditEntry]:
    with services.readers() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.event == "refused")))


@pytest.mark.parametrize("standing", NO_MEMBERS)
def test_nobody_but_a_member_can_press_any_button(services: Services, standing: Standing) -> None:
    chat, _ = fakes(services)
    chat.standings["UEVE"] = standing
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    with services.readers() as session:
        before = {row.key for row in session.scalars(select(OutboxJob))}
    for action_id in HANDLERS:
        click(services, action_id, proposal_id if action_id == "approve_fix" else incident_id, "Eve")
    for callback_id, value in [("confirm_resolve", f"{incident_id}:broken"), ("confirm_approval", f"{proposal_id}:x")]:
        handle_submission(services, callback_id, value, "UEVE", "eve", "V1", {"reason": "mine"})
    assert status(services, incident_id) == IncidentStatus.OPEN
    assert chat.modals == []
    with services.readers() as session:
        assert {row.key for row in session.scalars(select(OutboxJob))} == before
    assert len(chat.ephemerals) == len(HANDLERS) + 2
    assert len(refusals(services)) == len(HANDLERS) + 2
    assert {entry.payload["user_id"] for entry in refusals(services)} == {"UEVE"}


def test_with_no_approver_named_nobody_can_merge_and_is_told_how_to_name_one(services: Services) -> None:
    chat, code_host = fakes(services)
    services.settings = services.settings.model_copy(update={"approver_ids": []})
    proposal_id = offered(services, opened(services))
    click(services, "approve_fix", proposal_id)
    assert "adds your member id UANA to APPROVER_IDS" in chat.ephemerals[-1][1]
    assert (chat.modals, code_host.merges) == ([], 0)


@ON_BOTH
def test_a_person_is_looked_up_once_in_five_minutes_and_anew_for_every_approval(
    services: Services, clock: Clock
) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    for _ in range(3):
        click(services, "acknowledge", incident_id)
    assert chat.look_ups == ["UANA"]
    clock.forward(301)
    click(services, "acknowledge", incident_id)
    assert chat.look_ups == ["UANA"] * 2
    chat.standings["UANA"] = Standing.DEACTIVATED
    click(services, "approve_fix", proposal_id)
    assert chat.modals == []
    assert "deactivated" in chat.ephemerals[-1][1]


def staged(services: Services, state: IncidentStatus, stage: str) -> tuple[int, int]:
    """Make an incident, last seen broken an hour ago, in this state and stage; return its id and its offer's."""
    incident_id = opened(services)
    proposal_id = 0
    if stage != "opened":
        diagnosed(services, incident_id)
    if stage == "offered":
        proposal_id = offered(services, incident_id)
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        if state is not IncidentStatus.OPEN:
            incidents.change_status(session, incident, state, actor="Ben", now=services.clock())
        for record in incident.findings:
            record.last_seen_at -= timedelta(hours=1)
    return incident_id, proposal_id


@pytest.mark.parametrize("unset", UNSET)
@pytest.mark.parametrize("state", list(IncidentStatus))
def test_every_button_on_the_card_is_accepted(services: Services, state: IncidentStatus, unset: str) -> None:
    services.settings = services.settings.model_copy(update=UNSET[unset])
    offered_buttons: set[str] = set()
    for stage in ("opened", "diagnosed", "offered"):
        incident_id, _ = staged(services, state, stage)
        with services.readers() as session:
            card = root_card(incident_view(session, incident_id), None, unset=unset_buttons(services.settings))
        for action in card.actions:
            offered_buttons.add(action.action_id)
            fresh_id, fresh_proposal_id = staged(services, state, stage)
            click(services, action.action_id, fresh_proposal_id if action.action_id == "approve_fix" else fresh_id)
            assert [entry.payload for entry in refusals(services)] == [], action.action_id
            with services.sessions.begin() as session:
                # A snooze would quiet the other incidents with the same finding.
                incidents.get_incident(session, fresh_id).snoozed_until = None
    assert offered_buttons
    assert ("create_ticket" in offered_buttons) is ("Jira" not in unset and unset != "neither" and not state.is_closed)
    assert ("escalate" in offered_buttons) is ("Teams" not in unset and unset != "neither" and not state.is_closed)


@pytest.mark.parametrize("state", [IncidentStatus.RESOLVED, IncidentStatus.FALSE_ALARM])
def test_a_closed_incident_takes_no_button_but_reopen_and_those_of_its_diagnosis(
    services: Services, state: IncidentStatus
) -> None:
    others = sorted(HANDLERS.keys() - {"reopen"} - DIAGNOSIS_BUTTONS)
    for action_id in others:
        incident_id, proposal_id = staged(services, state, "offered")
        click(services, action_id, proposal_id if action_id == "approve_fix" else incident_id)
        assert status(services, incident_id) == state
    assert len(refusals(services)) == len(others)


def test_a_fix_under_way_is_not_acknowledged_away(services: Services) -> None:
    incident_id, _ = staged(services, IncidentStatus.MITIGATING, "offered")
    click(services, "acknowledge", incident_id)
    assert status(services, incident_id) == IncidentStatus.MITIGATING


@pytest.mark.parametrize(("action_id", "unset"), [("create_ticket", "no Jira"), ("escalate", "no Teams")])
def test_a_button_of_what_is_not_connected_says_why(services: Services, action_id: str, unset: str) -> None:
    chat, _ = fakes(services)
    services.settings = services.settings.model_copy(update=UNSET[unset])
    click(services, action_id, opened(services))
    assert "is not connected: " in chat.ephemerals[-1][1]
    assert "is not set" in chat.ephemerals[-1][1]


@pytest.mark.parametrize("standing", [Standing.STRANGER, Standing.DEACTIVATED])
def test_a_slash_command_of_another_company_is_told_nothing(services: Services, standing: Standing) -> None:
    chat, _ = fakes(services)
    chat.standings["UEVE"] = standing
    opened(services)
    answer_command(services, "incidents", "https://hooks.slack.com/1", user_id="UEVE")
    assert "POST /checkout" not in chat.responses[-1].text
    answer_command(services, "incidents", "https://hooks.slack.com/1", user_id="UANA")
    assert "POST /checkout" in chat.responses[-1].text
