"""Read which changes went live before an incident: deploys, commits and flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from detection.types import Commit, Deploy, FlagChange
from storage import models
from storage.deploys import deploys_between, to_deploy
from storage.surroundings.commits import commit_of, commits_between
from storage.surroundings.flags import flag_changes_between
from workers.diagnosis.changes import makes_something_grow
from workers.diagnosis.scene.asking import Reader, utc

CHANGES_SECONDS = 24 * 3600.0
"""How long before the onset a change may have gone live."""

GROWING_SECONDS = 7 * 24 * 3600.0
"""The same for one whose diff shows that something grows: leaks take days."""

MOST_OLDER = 300
"""How many deploys before the last day are looked through for such a change, the latest of them."""


@dataclass(frozen=True, slots=True)
class LiveChanges:
    """What went live, each oldest first."""

    deploys: tuple[Deploy, ...]
    commits: tuple[Commit, ...]
    flags: tuple[FlagChange, ...]


def read_changes(reader: Reader, *, onset: float, until: float) -> LiveChanges:
    """Return the changes of the day before `onset`, and of days before it those that make something grow."""
    since, growing_since, end = utc(onset - CHANGES_SECONDS), utc(onset - GROWING_SECONDS), utc(until)
    deploys = reader.stored("deploys", lambda session: _deploys(session, growing_since, since, end), models.Deploy)
    commits = reader.stored(
        "commits",
        lambda session: _commits(session, deploys, since, end),
        models.Commit if reader.sources.code_host is None else None,
    )
    flags = reader.stored("flags", lambda session: flag_changes_between(session, since, end), models.FlagChange)
    return LiveChanges(tuple(deploys), tuple(commits), tuple(flags))


def _deploys(session: Session, growing_since: datetime, since: datetime, until: datetime) -> list[Deploy]:
    """Return the deploys of this time, and those before it whose commit makes something grow."""
    older = [to_deploy(row) for row in deploys_between(session, None, growing_since, since)][-MOST_OLDER:]
    named = ((deploy, commit_of(session, deploy.commit_sha.lower())) for deploy in older)
    growing = [deploy for deploy, commit in named if commit is not None and makes_something_grow([commit])]
    return [*growing, *(to_deploy(row) for row in deploys_between(session, None, since, until))]


def _commits(session: Session, deploys: Sequence[Deploy], since: datetime, until: datetime) -> list[Commit]:
    """Return the commits of this time, and those that its deploys name: they may have been made long before."""
    recent = commits_between(session, since, until)
    named = {deploy.commit_sha.lower() for deploy in deploys}
    missing = sorted(sha for sha in named if not any(commit.sha.startswith(sha) for commit in recent))
    older = {commit.sha: commit for sha in missing if (commit := commit_of(session, sha)) is not None}
    return [*older.values(), *recent]
