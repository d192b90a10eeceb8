"""What changed, of an export: commits with their diffs, deploys, flags; without the keys that a diff may show."""

from __future__ import annotations

from collections.abc import Sequence

from bot.exporting.incident import moment
from detection.types import Commit, Deploy, FlagChange
from storage.telemetry.rows.keys import text_without_keys


def commits_json(commits: Sequence[Commit]) -> dict[str, object]:
    """Return the commits, oldest first, each file with its patch."""
    return {"commits": [_commit(commit) for commit in commits]}


def _commit(commit: Commit) -> dict[str, object]:
    return {
        "sha": commit.sha,
        "parent_sha": commit.parent_sha,
        "author": commit.author,
        "timestamp": moment(commit.committed_at),
        "message": text_without_keys(commit.message),
        "url": commit.url,
        "service": commit.service,
        "repository": commit.repository,
        "files": [
            {"path": file.path, "status": file.status, "patch": text_without_keys(file.patch)} for file in commit.files
        ],
    }


def deploys_json(deploys: Sequence[Deploy]) -> dict[str, object]:
    """Return the deploys, in their order."""
    return {
        "deploys": [
            {
                "service": deploy.service,
                "version": deploy.version,
                "commit_sha": deploy.commit_sha,
                "previous_commit_sha": deploy.previous_commit_sha,
                "repository": deploy.repository,
                "timestamp": moment(deploy.deployed_at),
                "deployed_by": deploy.deployed_by,
            }
            for deploy in deploys
        ]
    }


def flags_json(flags: Sequence[FlagChange]) -> dict[str, object]:
    """Return the changes of flags and configuration values."""
    return {
        "changes": [
            {
                "flag": change.flag,
                "service": change.service,
                "environment": change.environment,
                "from": None if change.before is None else text_without_keys(change.before),
                "to": text_without_keys(change.after),
                "timestamp": moment(change.changed_at),
                "actor": change.changed_by,
            }
            for change in flags
        ]
    }
