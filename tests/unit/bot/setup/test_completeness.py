"""What is set half, and what will not work for what is not set, is said in one line each."""

from __future__ import annotations

import pytest

from bot.setup.completeness import half_set, start_notes
from workers.settings import Settings

COMPLETE: dict[str, object] = {
    "slack_bot_token": "xoxb-1",
    "slack_signing_secret": "s",
    "slack_app_token": "xapp-1",
    "approver_ids": ["U012ABC"],
    "github_token": "ghp_1",
    "service_repositories": {"shop": "acme/shop"},
    "jira_url": "https://acme.example",
    "jira_email": "ana@acme.example",
    "jira_token": "j",
    "teams_webhook_url": "https://acme.webhook.office.com/x",
    "llm_base_url": "https://llm.example/v1",
    "llm_api_key": "k",
    "llm_model": "m",
    "elasticsearch_url": "https://elastic.example",
    "elasticsearch_api_key": "k",
    "syslog_port": 5514,
    "syslog_host": "127.0.0.1",
}


def settings(**changed: object) -> Settings:
    return Settings.model_validate(COMPLETE | changed)


def test_what_is_complete_has_nothing_to_say() -> None:
    assert half_set(settings()) == []
    assert start_notes(settings(), zone="UTC") == []


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("slack_bot_token", "SLACK_SIGNING_SECRET is set without SLACK_BOT_TOKEN"),
        ("jira_url", "JIRA_EMAIL is set without JIRA_URL"),
        ("jira_email", "JIRA_URL is set without JIRA_EMAIL"),
        ("jira_token", "JIRA_URL is set without JIRA_TOKEN"),
        ("llm_base_url", "LLM_API_KEY is set without LLM_BASE_URL"),
        ("llm_api_key", "LLM_BASE_URL is set without LLM_API_KEY"),
        ("llm_model", "LLM_BASE_URL is set without LLM_MODEL"),
        ("github_token", "SERVICE_REPOSITORIES is set without GITHUB_TOKEN"),
        ("elasticsearch_url", "ELASTICSEARCH_API_KEY is set without ELASTICSEARCH_URL"),
        ("syslog_port", "SYSLOG_HOST is set without SYSLOG_PORT"),
    ],
)
def test_each_half_of_a_pair_is_missed(left_out: str, said: str) -> None:
    assert half_set(settings(**{left_out: None})) == [said]


def test_slack_needs_one_way_for_clicks_and_not_both() -> None:
    assert half_set(settings(slack_app_token=None)) == []
    assert half_set(settings(slack_signing_secret=None)) == []
    assert half_set(settings(slack_app_token=None, slack_signing_secret=None)) == [
        "SLACK_BOT_TOKEN is set without SLACK_SIGNING_SECRET or SLACK_APP_TOKEN"
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("slack_bot_token", "xapp-1", "SLACK_BOT_TOKEN does not begin with xoxb-"),
        ("slack_app_token", "xoxb-1", "SLACK_APP_TOKEN does not begin with xapp-"),
        ("slack_bot_token", '"xoxb-1"', "SLACK_BOT_TOKEN has quotation marks around it"),
        ("github_token", "'ghp_1'", "GITHUB_TOKEN has quotation marks around it"),
        ("jira_project", '"SHOP"', "JIRA_PROJECT has quotation marks around it"),
        ("jira_url", "acme.atlassian.net", "JIRA_URL is no web address"),
        ("llm_base_url", "htps://llm.example", "LLM_BASE_URL is no web address"),
        ("elasticsearch_url", "https://elastic.example:port", "ELASTICSEARCH_URL is no web address"),
        ("teams_webhook_url", "acme.webhook.office.com/x", "TEAMS_WEBHOOK_URL is no web address"),
        ("github_api_url", "github.acme.example/api/v3", "GITHUB_API_URL is no web address"),
        ("approver_ids", ["ana"], "'ana', which is no member id"),
        ("approver_ids", ["u012abc"], "'u012abc', which is no member id"),
        ("approver_ids", ["S012ABC"], "'S012ABC', which is no member id"),
        ("approver_ids", ["Ana Lopez"], "'Ana Lopez', which is no member id"),
        ("approver_ids", ["@ana"], "'@ana', which is no member id"),
        ("service_repositories", {"shop": "shop"}, "write it as shop=owner/name"),
        ("service_repositories", {"shop": "https://github.com/acme/shop"}, "write it as shop=owner/name"),
    ],
)
def test_a_value_in_a_wrong_form_is_named_with_the_right_one(name: str, value: object, said: str) -> None:
    [line] = half_set(settings(**{name: value}))
    assert said in line


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (("slack_bot_token",), "nobody is told until SLACK_BOT_TOKEN"),
        (("slack_app_token", "slack_signing_secret"), "buttons and /argux do nothing"),
        (("approver_ids",), "Copy member ID"),
        (("github_token",), "no fix is offered until GITHUB_TOKEN"),
        (("jira_url",), "no tickets until JIRA_URL"),
        (("teams_webhook_url",), "no escalation until TEAMS_WEBHOOK_URL"),
    ],
)
def test_each_integration_left_out_says_what_will_not_work(left_out: tuple[str, ...], said: str) -> None:
    values: dict[str, object] = {name: [] if name == "approver_ids" else None for name in left_out}
    [note] = start_notes(settings(**values), zone="UTC")
    assert said in note


def test_a_key_that_can_be_guessed_is_told_with_the_way_to_make_a_better_one() -> None:
    [note] = start_notes(settings(audit_key="secret"), zone="UTC")
    assert note.startswith("AUDIT_KEY has fewer than 16 characters")
    assert "openssl rand -hex 32" in note
    assert start_notes(settings(audit_key="0123456789abcdef"), zone="UTC") == []


def test_white_space_around_a_value_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    written = {
        "SLACK_BOT_TOKEN": "xoxb-1\n",
        "GITHUB_TOKEN": " ghp_1 ",
        "SLACK_CHANNEL": "#ops ",
        "ARGUX_PORT": "9000\n",
        "ARGUX_TIMEZONE": " Europe/Berlin",
        "APPROVER_IDS": " U012ABC , U034DEF\n",
    }
    for name, value in written.items():
        monkeypatch.setenv(name, value)

    read = Settings(_env_file=None)

    assert read.slack_bot_token is not None
    assert read.slack_bot_token.get_secret_value() == "xoxb-1"
    assert read.github_token is not None
    assert read.github_token.get_secret_value() == "ghp_1"
    assert (read.slack_channel, read.argux_port, read.argux_timezone) == ("#ops", 9000, "Europe/Berlin")
    assert read.approver_ids == ["U012ABC", "U034DEF"]
