from __future__ import annotations

from typing import Any

import pytest

from detection.types import Severity
from integrations.cards import Card, CardLink
from integrations.errors import AuthenticationError, NotFoundError, RetryableError
from integrations.jira import JiraTracker
from integrations.protocols import EscalationChannel, Ticket, TicketTracker
from integrations.teams import TeamsWebhook
from integrations.text import ours
from tests.contract.integrations.workspace import Workspace


@pytest.fixture
def jira(workspace: Workspace) -> TicketTracker:
    return JiraTracker(
        f"{workspace.url}/jira",
        email=workspace.jira_email,
        token=workspace.jira_token,
        project="SHOP",
        timeout_seconds=workspace.patience_seconds,
    )


@pytest.fixture
def teams(workspace: Workspace) -> EscalationChannel:
    return TeamsWebhook(
        f"{workspace.url}/teams/webhook/{workspace.teams_secret}", timeout_seconds=workspace.patience_seconds
    )


def create(jira: TicketTracker, key: str) -> Ticket:
    return jira.create(
        idempotency_key=key, title="Checkout is slow", body=ours("**p95** rose\n```sql\nSELECT 1\n```"), severity="sev1"
    )


def stored(workspace: Workspace, key: str) -> dict[str, Any]:
    answer = workspace.page.get(f"/jira/rest/api/2/issue/{key}", auth=(workspace.jira_email, workspace.jira_token))
    fields: dict[str, Any] = answer.raise_for_status().json()["fields"]
    return fields


def test_a_ticket_is_created_with_its_text_its_label_and_its_priority(
    workspace: Workspace, jira: TicketTracker
) -> None:
    ticket = create(jira, "incident-1")
    fields = stored(workspace, ticket.key)
    assert fields["summary"] == "Checkout is slow"
    assert fields["labels"] == ["argux-incident-1"]
    assert fields["priority"]["name"] == "Highest"
    assert "*p95* rose" in str(fields["description"])
    assert workspace.page.get(ticket.url).status_code == 200


def test_the_same_key_finds_the_existing_ticket(jira: TicketTracker) -> None:
    assert create(jira, "incident-2") == create(jira, "incident-2") != create(jira, "incident-3")


def test_a_ticket_whose_response_was_lost_is_not_created_twice(workspace: Workspace, jira: TicketTracker) -> None:
    before = create(jira, "incident-4")
    workspace.fault("jira", "lost_answer", path_contains="/issue")
    with pytest.raises(RetryableError):
        create(jira, "incident-5")
    found = create(jira, "incident-5")
    following = create(jira, "incident-6")
    numbers = [int(ticket.key.partition("-")[2]) for ticket in (before, found, following)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_failures_of_jira_become_the_right_errors(workspace: Workspace, jira: TicketTracker) -> None:
    address = f"{workspace.url}/jira"
    with pytest.raises(AuthenticationError):
        JiraTracker(address, email=workspace.jira_email, token="wrong", project="SHOP").check()
    with pytest.raises(NotFoundError):
        JiraTracker(address, email=workspace.jira_email, token=workspace.jira_token, project="NONE").check()
    jira.check()
    workspace.fault("jira", 429, retry_after=6)
    with pytest.raises(RetryableError) as caught:
        create(jira, "incident-7")
    assert caught.value.retry_after_seconds == 6.0


def test_the_account_may_create_tickets_and_no_field_is_missing(workspace: Workspace, jira: TicketTracker) -> None:
    assert jira.check_creating() == ()
    elsewhere = JiraTracker(
        f"{workspace.url}/jira", email=workspace.jira_email, token=workspace.jira_token, project="NONE"
    )
    with pytest.raises(NotFoundError):
        elsewhere.check_creating()


def test_the_jira_check_returns_the_project(jira: TicketTracker) -> None:
    assert jira.check().endswith("project SHOP")


def test_an_escalation_appears_in_teams(workspace: Workspace, teams: EscalationChannel) -> None:
    teams.escalate(
        Card(title="Checkout is down", severity=Severity.SEV1, links=(CardLink("Thread", "https://example.com/t"),))
    )
    assert "SEV1 · Checkout is down" in str(workspace.state()["teams"][-1])


def test_failures_of_teams_become_the_right_errors(workspace: Workspace, teams: EscalationChannel) -> None:
    workspace.fault("teams", 429, retry_after=2)
    with pytest.raises(RetryableError) as caught:
        teams.escalate(Card(title="x"))
    assert caught.value.retry_after_seconds == 2.0
    workspace.fault("teams", "lost_answer")
    with pytest.raises(RetryableError):
        teams.escalate(Card(title="x"))
