"""The doctor looks up the very thing that is configured: one wrong setting at a time, and all of them right."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.doctor import Health, checks, examine
from bot.setup.completeness import half_set, start_notes
from tests.contract.integrations.workspace import (
    BOT_TOKEN,
    GITHUB_TOKEN,
    JIRA_EMAIL,
    JIRA_TOKEN,
    REPOSITORY,
    TEAMS_SECRET,
    Workspace,
)
from workers.services import Services
from workers.settings import Settings


@pytest.fixture
def right(workspace: Workspace, tmp_path: Path, sqlite_url: str) -> dict[str, object]:
    return {
        "database_url": sqlite_url,
        "argux_data_dir": tmp_path,
        "slack_bot_token": BOT_TOKEN,
        "slack_app_token": "xapp-contract",
        "slack_signing_secret": "signed",
        "slack_api_url": f"{workspace.url}/slack/api/",
        "slack_channel": "#incidents",
        "approver_ids": ["U0ANA"],
        "github_token": GITHUB_TOKEN,
        "github_api_url": f"{workspace.url}/github",
        "service_repositories": {"shop": REPOSITORY},
        "jira_url": f"{workspace.url}/jira",
        "jira_email": JIRA_EMAIL,
        "jira_token": JIRA_TOKEN,
        "jira_project": "SHOP",
        "teams_webhook_url": f"{workspace.url}/teams/webhook/{TEAMS_SECRET}",
    }


def outcomes(values: dict[str, object]) -> dict[str, tuple[Health, str]]:
    wanted = checks(Services(Settings.model_validate(values)))
    return {found.name: (found.health, found.text) for found in examine(wanted, seconds=60)}


def test_everything_that_is_right_is_named(right: dict[str, object]) -> None:
    found = outcomes(right)

    assert {name for name, (health, _) in found.items() if health is Health.OK} == {
        "database", "detection", "doors", "endpoints", "jobs", "messages", "Slack", "people", "GitHub", "Jira", "Teams",
    }  # fmt: skip
    assert "posts to #incidents" in found["Slack"][1]
    assert "Ana may approve fixes" in found["people"][1]
    assert f"may write {REPOSITORY} (main)" in found["GitHub"][1]
    assert "may create tickets" in found["Jira"][1]


@pytest.mark.parametrize(
    ("wrong", "system", "said"),
    [
        ({"slack_channel": "#nowhere"}, "Slack", "there is no channel #nowhere"),
        ({"slack_channel": "C0NOWHERE"}, "Slack", "channel_not_found"),
        ({"audit_channel": "#nowhere"}, "Slack", "there is no channel #nowhere"),
        ({"slack_bot_token": "xoxb-wrong"}, "Slack", "invalid_auth"),
        ({"slack_app_token": "xapp-wrong"}, "Slack", "SLACK_APP_TOKEN was refused"),
        ({"approver_ids": ["U0ANA", "U0NOBODY"]}, "people", "U0NOBODY: no such person"),
        ({"approver_ids": ["U0ARGUX"]}, "people", "U0ARGUX (argux) is an app"),
        ({"approver_ids": ["U0ANA"], "slack_bot_token": None}, "people", "before SLACK_BOT_TOKEN is set"),
        (
            {"service_repositories": {"shop": REPOSITORY, "api": "acme/nothing"}},
            "GitHub",
            "acme/nothing: not there, or hidden from this token",
        ),
        ({"github_token": "wrong"}, "GitHub", "HTTP 401"),
        ({"jira_project": "NONE"}, "Jira", "No project could be found with key 'NONE'"),
        ({"jira_token": "wrong"}, "Jira", "HTTP 401"),
        ({"teams_webhook_url": "acme.webhook.office.com/x"}, "Teams", "must begin with https://"),
        ({"teams_webhook_url": "https://acme.webhook.office.com/"}, "Teams", "copy the whole of it"),
        ({"teams_webhook_url": "https://prod-1.logic.azure.com/workflows/1?sp=x"}, "Teams", "lacks its signature"),
    ],
)
def test_each_wrong_setting_fails_its_own_check_alone(
    right: dict[str, object], wrong: dict[str, object], system: str, said: str
) -> None:
    found = outcomes(right | wrong)

    health, text = found[system]
    assert health is Health.FAILED
    assert said in text
    assert "To mend it:" in text
    also = {"people", "Slack"} if "slack_bot_token" in wrong else {system}
    assert {name for name, (outcome, _) in found.items() if outcome is Health.FAILED} <= also


def test_without_anybody_who_may_approve_the_doctor_says_how_to_name_people(right: dict[str, object]) -> None:
    health, text = outcomes(right | {"approver_ids": []})["people"]

    assert health is Health.NOT_SET
    assert "Copy member ID" in text


INTEGRATIONS = {
    "Slack": ("slack_bot_token", "slack_app_token", "slack_signing_secret"),
    "people": ("approver_ids",),
    "GitHub": ("github_token", "service_repositories"),
    "Jira": ("jira_url", "jira_email", "jira_token"),
    "Teams": ("teams_webhook_url",),
}


@pytest.mark.parametrize("left_out", INTEGRATIONS)
def test_each_integration_left_out_in_turn_is_a_note_and_costs_none_of_the_others(
    right: dict[str, object], left_out: str
) -> None:
    names = INTEGRATIONS[left_out] + (INTEGRATIONS["people"] if left_out == "Slack" else ())
    values = {name: value for name, value in right.items() if name not in names}

    found = outcomes(values)

    assert found[left_out][0] is Health.NOT_SET
    assert found[left_out][1], "it says what to set"
    assert {name for name, (health, _) in found.items() if health is Health.FAILED} == set()
    assert {name for name in INTEGRATIONS if found[name][0] is Health.OK} == set(INTEGRATIONS) - {
        left_out, "people" if left_out == "Slack" else left_out,
    }  # fmt: skip
    settings = Settings.model_validate(values)
    assert half_set(settings) == []
    assert start_notes(settings, zone="UTC") != []
