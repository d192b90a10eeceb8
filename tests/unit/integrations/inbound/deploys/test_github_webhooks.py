"""GitHub's webhooks. PyGithub reads the same payloads, which proves that they have GitHub's shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from github import Github
from github.Deployment import Deployment
from github.DeploymentStatus import DeploymentStatus
from github.Repository import Repository
from hypothesis import given
from hypothesis import strategies as st

from integrations.inbound.deploys.github_webhooks import WebhookContent, read_github_webhook
from integrations.inbound.reading.records import PayloadError
from integrations.inbound.reading.signatures import is_signed

NOW = 1_770_465_600.0
SHA = "3f2a9c1d5e8b7a6f4c3d2e1f0a9b8c7d6e5f4a3b"
REPOSITORY = {"id": 1, "full_name": "acme/shop", "name": "shop", "default_branch": "main"}


def deployment(**changes: Any) -> dict[str, Any]:
    status = {"id": 2, "state": "success", "created_at": "2026-02-07T11:59:00Z", "environment": "production"}
    made = {
        "id": 1, "sha": SHA, "ref": "main", "task": "deploy", "environment": "production",
        "production_environment": True, "creator": {"login": "ana"},
    }  # fmt: skip
    for name, value in changes.items():
        (status if name in ("state", "created_at") else made)[name] = value
        if name == "environment":
            status[name] = value
    return {"action": "created", "deployment_status": status, "deployment": made, "repository": REPOSITORY}


def told(payload: Any, event: str = "deployment_status", services: dict[str, str] | None = None) -> WebhookContent:
    return read_github_webhook(
        json.dumps(payload).encode(),
        event=event,
        delivery="72d3162e",
        services=services or {},
        environments=["production", "live"],
        now=NOW,
    )


def test_a_successful_deployment_is_a_deploy_of_every_service_in_the_repository() -> None:
    services = {"api": "Acme/Shop", "web": "acme/shop", "other": "acme/other"}
    deploys = told(deployment(), services=services).deploys
    assert [(deploy.service, deploy.version, deploy.commit_sha) for deploy in deploys] == [
        ("api", SHA, SHA),
        ("web", SHA, SHA),
    ]
    assert (deploys[0].deployed_at, deploys[0].deployed_by) == (NOW - 60, "ana")
    assert [deploy.service for deploy in told(deployment()).deploys] == ["shop"]


def test_a_deployed_tag_is_the_version() -> None:
    assert [deploy.version for deploy in told(deployment(ref="v42")).deploys] == ["v42"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "pending"}, "not yet a success"),
        ({"state": "failure"}, "not yet a success"),
        ({"environment": "staging", "production_environment": False}, "DEPLOY_ENVIRONMENTS"),
    ],
)
def test_a_deployment_that_is_not_live_is_ignored(changes: dict[str, Any], why: str) -> None:
    left = told(deployment(**changes))
    assert not left.deploys
    assert why in left.ignored


def test_a_deployment_to_a_configured_environment_counts() -> None:
    assert told(deployment(environment="Live", production_environment=False)).deploys


@pytest.mark.parametrize(
    ("changes", "field"), [({"sha": "main"}, "deployment.sha"), ({"created_at": "x"}, "deployment_status.created_at")]
)
def test_an_invalid_deployment_is_refused_with_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(PayloadError) as refused:
        told(deployment(**changes))
    assert refused.value.field == field


def push(**changes: Any) -> dict[str, Any]:
    commit = {"id": SHA, "message": "Batch the stock query\n\nOne query per cart.", "timestamp": "2026-02-07T11:58:00Z"}
    return {
        "ref": "refs/heads/main", "before": "0" * 40, "after": SHA, "repository": REPOSITORY,
        "pusher": {"name": "ana", "email": "ana@acme.example"}, "head_commit": commit, "commits": [commit], **changes,
    }  # fmt: skip


def test_a_push_to_the_default_branch_becomes_a_log_record() -> None:
    [record] = told(push(), "push").records
    assert record.body == "ana pushed 3f2a9c1 to main of acme/shop: Batch the stock query"
    assert (record.service, record.attributes["commit_sha"]) == ("shop", SHA)
    assert record.record_id == "github:72d3162e:shop"


def test_pushes_to_other_branches_and_other_events_are_ignored() -> None:
    assert "not the default branch" in told(push(ref="refs/heads/feature"), "push").ignored
    assert told(push(head_commit=None), "push").ignored
    assert told({"zen": "Keep it logically awesome."}, "ping").ignored


def test_pygithub_reads_the_same_values_from_these_payloads() -> None:
    payload = deployment(ref="v42")
    with Github(lazy=True) as github:
        made = Deployment(github.requester, {}, payload["deployment"], completed=True)
        status = DeploymentStatus(github.requester, {}, payload["deployment_status"], completed=True)
        repository = Repository(github.requester, {}, payload["repository"], completed=True)
        expected = (made.ref, made.sha, status.created_at.timestamp(), repository.full_name, made.creator.login)
        assert (status.state, made.production_environment) == ("success", True)
    [deploy] = told(payload).deploys
    assert (deploy.version, deploy.commit_sha, deploy.deployed_at, deploy.repository, deploy.deployed_by) == expected


@given(body=st.binary(max_size=100))
def test_an_invalid_body_raises_payload_error(body: bytes) -> None:
    for event in ("push", "deployment_status"):
        with pytest.raises(PayloadError):
            read_github_webhook(body, event=event, delivery="", services={}, environments=[], now=NOW)


def test_a_signature_matches_only_its_own_body_and_secret() -> None:
    signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_signed(b"Hello, World!", "It's a Secret to Everybody", signature)
    assert not is_signed(b"Hello, World?", "It's a Secret to Everybody", signature)
    assert not is_signed(b"Hello, World!", "another secret", signature)
    for wrong in (None, "", "757107", "ü" * 64):
        assert not is_signed(b"Hello, World!", "It's a Secret to Everybody", wrong)


def test_a_push_tells_its_commits_and_one_that_cannot_be_read_costs_no_other() -> None:
    good = {"id": "a" * 40, "message": "One", "timestamp": "2026-02-07T12:00:00+01:00", "author": None,
            "added": ["new.py"], "removed": None, "modified": ["old.py"]}  # fmt: skip
    push = {
        "ref": "refs/heads/main", "before": "b" * 40, "after": "a" * 40, "head_commit": good,
        "repository": {"full_name": "acme/shop", "default_branch": "main"},
        "commits": [good, {**good, "id": "none"}, {**good, "id": "c" * 40, "timestamp": "noon"}],
    }  # fmt: skip
    told = read_github_webhook(
        json.dumps(push).encode(), event="push", delivery="d", services={}, environments=(), now=1_770_500_000.0
    )
    [commit] = told.commits
    assert (commit.sha, commit.parent_sha, commit.service) == ("a" * 40, "b" * 40, "shop")
    assert [(file.path, file.status) for file in commit.files] == [("new.py", "added"), ("old.py", "modified")]
