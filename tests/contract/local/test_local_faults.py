"""Fault injection: what the real clients get when a system is slow, is down or loses a response."""

from __future__ import annotations

import http.client
import urllib.error

import httpx
import pytest
from github import GithubException
from jira import JIRAError
from slack_sdk.errors import SlackApiError

from tests.contract.local.workspace import TEAMS_WEBHOOK, Workspace, wait_for


def test_a_slack_rate_limit_can_be_injected_once(workspace: Workspace) -> None:
    workspace.fault("slack", 429, retry_after=7, path_contains="chat.postMessage")
    slack = workspace.slack()
    slack.auth_test()
    with pytest.raises(SlackApiError, match="ratelimited") as caught:
        slack.chat_postMessage(channel="general", text="x")
    assert caught.value.response.headers["retry-after"] == "7"
    slack.chat_postMessage(channel="general", text="x")
    assert [entry["status"] for entry in workspace.requests("slack")] == [200, 429, 200]


def test_github_jira_and_teams_fail_as_often_as_requested(workspace: Workspace) -> None:
    for system in ("github", "jira", "teams"):
        workspace.fault(system, 500, count=2)
    for _ in range(2):
        with pytest.raises(GithubException) as github:
            workspace.github().get_repo("acme/shop")
        with pytest.raises(JIRAError) as jira:
            workspace.jira()
        assert (github.value.status, jira.value.status_code) == (500, 500)
        assert workspace.page.post(TEAMS_WEBHOOK, json={}).status_code == 500
    assert workspace.github().get_repo("acme/shop").name == "shop"
    assert workspace.jira().myself()["active"]


def test_a_request_with_a_lost_response_still_takes_effect(workspace: Workspace) -> None:
    workspace.fault("slack", "lost_answer")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, urllib.error.URLError)):
        workspace.slack().chat_postMessage(channel="general", text="once")
    assert [message["text"] for message in workspace.state()["messages"]] == ["once"]
    assert [(entry["status"], entry["fault"]) for entry in workspace.requests("slack")] == [(None, "lost_answer")]


def test_a_request_that_times_out_has_no_effect(workspace: Workspace) -> None:
    workspace.fault("slack", "timeout", seconds=0.05)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, urllib.error.URLError)):
        workspace.slack().chat_postMessage(channel="general", text="never")
    assert workspace.state()["messages"] == []


def test_a_hanging_request_does_not_delay_the_servers_stop(workspace: Workspace) -> None:
    workspace.fault("teams", "timeout", seconds=300)
    impatient = httpx.Timeout(60, read=0.2)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(workspace.url + TEAMS_WEBHOOK, json={}, timeout=impatient, trust_env=False)
    wait_for(lambda: workspace.requests("teams"))
    workspace.server.config.timeout_graceful_shutdown = 300
    workspace.server.should_exit = True
    workspace.thread.join(60)
    assert not workspace.thread.is_alive()


def test_faults_can_be_cancelled_and_never_affect_the_page(workspace: Workspace) -> None:
    workspace.fault("slack", 500, count=100)
    assert workspace.state()["messages"] == []
    workspace.page.delete("/page/faults")
    assert workspace.slack().auth_test()["ok"]


def test_an_invalid_fault_is_refused(shared_workspace: Workspace) -> None:
    for invalid in ({"system": "fax", "status": 500}, {"system": "slack", "status": "sometimes"}):
        assert shared_workspace.page.post("/page/faults", json=invalid).status_code == 422
