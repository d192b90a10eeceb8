"""Read the webhooks that GitHub posts for deployments and pushes.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from detection.types import ChangedFile, Commit, LogRecord
from integrations.inbound.deploys.api import DeployNotice
from integrations.inbound.monitoring.log_fields import NAME_LIMIT, clipped, decoded_json
from integrations.inbound.reading.records import FieldError, PayloadError
from integrations.inbound.reading.times import parse_time

_SHA = re.compile(r"[0-9a-f]{7,64}", re.I)
_TITLE_LIMIT = 300


class _Person(msgspec.Struct):
    login: str = ""
    name: str = ""


class _Repository(msgspec.Struct):
    full_name: str
    default_branch: str = "main"


class _Deployment(msgspec.Struct):
    sha: str
    ref: str = ""
    environment: str = ""
    production_environment: bool = False
    creator: _Person | None = None


class _Status(msgspec.Struct):
    state: str
    created_at: str
    environment: str = ""


class _DeploymentStatusEvent(msgspec.Struct):
    deployment_status: _Status
    deployment: _Deployment
    repository: _Repository


class _Author(msgspec.Struct):
    name: str | None = None
    username: str | None = None


class _Commit(msgspec.Struct):
    id: str
    message: str = ""
    timestamp: str = ""
    url: str | None = None
    author: _Author | None = None
    added: list[str] | None = None
    removed: list[str] | None = None
    modified: list[str] | None = None


class _PushEvent(msgspec.Struct):
    ref: str
    after: str
    repository: _Repository
    before: str = ""
    head_commit: _Commit | None = None
    pusher: _Person | None = None
    commits: list[_Commit] = []


@dataclass(frozen=True, slots=True)
class WebhookContent:
    """The content of a webhook: deploys, or log records and commits without patches, or why it is ignored."""

    deploys: Sequence[DeployNotice] = ()
    records: Sequence[LogRecord] = ()
    commits: Sequence[Commit] = ()
    ignored: str = ""


def read_github_webhook(
    text: bytes,
    *,
    event: str,
    delivery: str,
    services: Mapping[str, str],
    environments: Sequence[str],
    now: float,
) -> WebhookContent:
    """Read one webhook; `event` is its X-GitHub-Event header and `delivery` its X-GitHub-Delivery.

    `services` maps each service to its repository. A repository that is not in it counts as one service with the
    repository's name. A deployment counts if GitHub marks it as production or its environment is in `environments`.
    Raises PayloadError.
    """
    try:
        if event == "deployment_status":
            return _deployment(decoded_json(text, _DeploymentStatusEvent), services, environments, now)
        if event == "push":
            return _push(decoded_json(text, _PushEvent), delivery, services, now)
    except FieldError as error:
        raise PayloadError(error.message, error.field) from error
    return WebhookContent(ignored=f"Argux has no use for the event {clipped(event, 100)!r}")


def services_of(repository: str, services: Mapping[str, str]) -> list[str]:
    """Return the services that come from a repository."""
    found = [name for name, owner in services.items() if owner.lower() == repository.lower()]
    return found or [clipped(repository.rpartition("/")[2], NAME_LIMIT)]


def _deployment(
    payload: _DeploymentStatusEvent, services: Mapping[str, str], environments: Sequence[str], now: float
) -> WebhookContent:
    deployment, status = payload.deployment, payload.deployment_status
    environment = status.environment or deployment.environment
    if status.state != "success":
        return WebhookContent(ignored=f"the deployment is {clipped(status.state, 50)}, not yet a success")
    if not deployment.production_environment and environment.lower() not in {name.lower() for name in environments}:
        return WebhookContent(ignored=f"the environment {clipped(environment, 100)!r} is not among DEPLOY_ENVIRONMENTS")
    if not _SHA.fullmatch(deployment.sha):
        raise FieldError("deployment.sha", "is no commit")
    version = deployment.ref.removeprefix("refs/tags/")
    is_branch = version in ("", payload.repository.default_branch) or version.startswith("refs/")
    notices = [
        DeployNotice(
            service=service,
            version=clipped(deployment.sha if is_branch else version, NAME_LIMIT),
            commit_sha=deployment.sha.lower(),
            repository=clipped(payload.repository.full_name, NAME_LIMIT),
            deployed_at=parse_time(status.created_at, now=now, field="deployment_status.created_at"),
            deployed_by=(deployment.creator.login or None) if deployment.creator else None,
        )
        for service in services_of(payload.repository.full_name, services)
    ]
    return WebhookContent(deploys=notices)


def _push(payload: _PushEvent, delivery: str, services: Mapping[str, str], now: float) -> WebhookContent:
    branch = payload.ref.removeprefix("refs/heads/")
    if branch != payload.repository.default_branch:
        return WebhookContent(ignored=f"{clipped(payload.ref, 200)} is not the default branch")
    if payload.head_commit is None:
        return WebhookContent(ignored="the push holds no commit")
    who = payload.pusher.name if payload.pusher and payload.pusher.name else "somebody"
    title = payload.head_commit.message.partition("\n")[0][:_TITLE_LIMIT]
    repository = clipped(payload.repository.full_name, NAME_LIMIT)
    records = [
        LogRecord(
            record_id=f"github:{clipped(delivery or payload.after, NAME_LIMIT)}:{service}",
            service=service,
            version=None,
            happened_at=now,
            severity="INFO",
            body=clipped(f"{who} pushed {payload.after[:7]} to {branch} of {repository}: {title}"),
            attributes={
                "source": "github",
                "event": "push",
                "repository": repository,
                "branch": clipped(branch, NAME_LIMIT),
                "commit_sha": clipped(payload.after, 64),
                "previous_commit_sha": clipped(payload.before, 64),
                "commit_count": len(payload.commits),
            },
        )
        for service in services_of(payload.repository.full_name, services)
    ]
    return WebhookContent(records=records, commits=_commits(payload, services, now))


def _commits(payload: _PushEvent, services: Mapping[str, str], now: float) -> list[Commit]:
    """Return the pushed commits with the paths that each changed; GitHub's webhook holds no patches.

    A commit without a readable SHA or time is left out: it is in the log record all the same.
    """
    told = payload.commits or ([payload.head_commit] if payload.head_commit else [])
    owners = services_of(payload.repository.full_name, services)
    found = []
    parent = payload.before.lower() if _SHA.fullmatch(payload.before) and payload.before.strip("0") else None
    for commit in told:
        try:
            committed_at = parse_time(commit.timestamp, now=now, field="timestamp") if commit.timestamp else now
        except FieldError:
            continue
        if not _SHA.fullmatch(commit.id):
            continue
        statuses = {"added": commit.added, "removed": commit.removed, "modified": commit.modified}
        who = commit.author
        found.append(
            Commit(
                sha=commit.id.lower(),
                parent_sha=parent if commit is told[0] else None,
                author=((who.username or who.name or "") if who else "")[:NAME_LIMIT],
                committed_at=committed_at,
                message=commit.message,
                url=(commit.url or "")[:2000],
                files=tuple(
                    ChangedFile(path[:1000], status, 0, 0, "")
                    for status, paths in statuses.items()
                    for path in paths or ()
                ),
                service=owners[0] if len(owners) == 1 else None,
                repository=clipped(payload.repository.full_name, NAME_LIMIT),
            )
        )
    return found
