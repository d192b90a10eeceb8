"""`argux doctor`: one line per system (ok, not set, or FAILED with a remedy), within a time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.doctor import Check, Health, checks, examine
from integrations.errors import AuthenticationError
from storage.telemetry.protocol import EndpointCount
from workers.services import Services
from workers.settings import Settings


def check(probe: Callable[[], str], *, is_configured: bool = True) -> Check:
    return Check("GitHub", is_configured, probe, remedy="make a new token", if_not_set="set GITHUB_TOKEN")


def refused() -> str:
    raise AuthenticationError("GitHub", "the token was refused")


def surprised() -> str:
    raise RuntimeError("password=hunter2")


def test_a_working_system_is_ok_with_the_text_of_its_check() -> None:
    [outcome] = examine([check(lambda: "argux-bot, 3 repositories")])

    assert outcome.line() == "GitHub:    ok · argux-bot, 3 repositories"


def test_a_failed_system_says_how_to_fix_it() -> None:
    [outcome] = examine([check(refused)])

    assert outcome.line() == "GitHub:    FAILED · GitHub: the token was refused. To mend it: make a new token"


def test_a_system_that_is_not_configured_is_not_checked() -> None:
    [outcome] = examine([check(refused, is_configured=False)])

    assert outcome.line() == "GitHub:    not set · set GITHUB_TOKEN"


def test_an_unexpected_error_is_shown_without_its_text() -> None:
    [outcome] = examine([check(surprised)])

    assert outcome.line() == "GitHub:    FAILED · RuntimeError. To mend it: make a new token"


def test_a_system_that_hangs_fails_in_time_and_does_not_delay_the_others() -> None:
    never = threading.Event()
    hanging = Check("Jira", True, lambda: str(never.wait()), remedy="check JIRA_URL", if_not_set="")

    slow, quick = examine([hanging, check(lambda: "fine")], seconds=2.0)

    assert (slow.health, quick.health) == (Health.FAILED, Health.OK)
    assert "no answer within 2 s" in slow.text
    never.set()


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str) -> Settings:
    return Settings(_env_file=None, database_url=sqlite_url, argux_data_dir=tmp_path)


def test_without_any_settings_the_database_is_ok_and_nothing_fails(settings: Settings) -> None:
    outcomes = {outcome.name: outcome for outcome in examine(checks(Services(settings)), seconds=60)}

    assert list(outcomes) == [
        "database",
        "broker",
        "detection",
        "endpoints",
        "doors",
        "jobs",
        "messages",
        "Slack",
        "people",
        "GitHub",
        "deploys",
        "Jira",
        "Teams",
        "Elastic",
        "status",
        "LLM",
    ]
    assert outcomes["database"].health is Health.OK
    own = ("detection", "endpoints", "doors", "jobs", "messages")
    assert {outcomes[name].health for name in list(outcomes)[1:] if name not in own} == {Health.NOT_SET}


def test_endpoints_that_are_watched_together_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(settings)
    counts = {("tea", "GET /shops/{name}"): EndpointCount(9, 90), ("tea", "GET /vats/{id}"): EndpointCount(9, 90)}
    monkeypatch.setattr(services.telemetry, "endpoint_counts", lambda **_: counts)
    (found,) = [one for one in examine(checks(services), seconds=60) if one.name == "endpoints"]
    assert found.health is Health.NOTICE
    assert "the further ones watched as one: tea: GET /shops/{name}" in found.text
    assert "{id}" not in found.text


def test_an_incomplete_group_of_settings_fails_and_names_the_missing_one(settings: Settings) -> None:
    half = settings.model_copy(
        update={"jira_url": "https://acme.example", "llm_model": "m", "slack_signing_secret": SecretStr("s")}
    )

    outcomes = {outcome.name: outcome.text for outcome in examine(checks(Services(half)), seconds=60)}

    assert "JIRA_EMAIL" in outcomes["Jira"]
    assert "LLM_BASE_URL is not set" in outcomes["LLM"]
    assert "SLACK_BOT_TOKEN is not set" in outcomes["Slack"]


def test_an_unreachable_broker_fails(settings: Settings) -> None:
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})

    outcomes = {outcome.name: outcome for outcome in examine(checks(Services(away)), seconds=60)}

    assert outcomes["broker"].health is Health.FAILED
    assert "check REDIS_URL" in outcomes["broker"].text
