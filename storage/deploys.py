"""Deploys: which version of a service went live when, with its commit and the commit it replaced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from detection import types
from storage.database.locks import Lock, lock_exclusive
from storage.database.reading import readable
from storage.database.upserts import insert_if_new
from storage.models import Deploy

SEEN_IN_SPANS = "seen in spans"
"""`deployed_by` of a version that was only seen in spans, until its deploy is reported."""

REPORTED_WITHIN = timedelta(hours=1)
"""How far a reported deploy time may be from when its version was first seen; beyond that it is another deploy."""

REPEATED_WITHIN = timedelta(minutes=10)
"""How long after a deploy the same report without a time counts as a repeat of it (a pipeline's retry)."""

_SHORTEST_SHA = 7
_LOOKED_AT = 10


def record_deploy(
    session: Session,
    *,
    service: str,
    version: str,
    commit_sha: str,
    repository: str,
    deployed_at: datetime,
    deployed_by: str | None,
    now: datetime,
) -> tuple[Deploy, bool]:
    """Record a deploy, once per service, version and time; the second value is False if it was known already.

    Its previous commit is that of the service's deploy before it. A deploy reported late also corrects the previous
    commit of the deploy after it. A report of a version that was only seen in spans so far overwrites that deploy.
    """
    if deployed_by != SEEN_IN_SPANS:
        seen = _seen_deploy(session, service, version, commit_sha, deployed_at)
        if seen is not None:
            seen.version, seen.commit_sha, seen.repository = version, commit_sha, repository
            seen.deployed_by, seen.deployed_at = deployed_by, deployed_at
            session.flush()
            previous = latest_deploy(session, service, before=deployed_at)
            seen.previous_commit_sha = previous.commit_sha if previous else None
            _correct_next(session, service, deployed_at, commit_sha)
            return seen, True
    previous = latest_deploy(session, service, before=deployed_at)
    values = {
        "service": service,
        "version": version,
        "commit_sha": commit_sha,
        "previous_commit_sha": previous.commit_sha if previous else None,
        "repository": repository,
        "deployed_by": deployed_by,
        "deployed_at": deployed_at,
        "created_at": now,
    }
    new = insert_if_new(session, Deploy, values, unique=["service", "version", "deployed_at"])
    if new:
        _correct_next(session, service, deployed_at, commit_sha)
    same = select(Deploy).where(Deploy.service == service, Deploy.version == version, Deploy.deployed_at == deployed_at)
    return session.scalars(same).one(), new


def already_reported(session: Session, *, service: str, version: str, commit_sha: str, now: datetime) -> Deploy | None:
    """Return the service's latest deploy if a report without a time repeats it (a pipeline's retry); else None.

    Takes Lock.DEPLOYS, so that of two concurrent reports the second sees the first.
    """
    lock_exclusive(session, Lock.DEPLOYS)
    latest = latest_deploy(session, service)
    if latest is None or latest.deployed_by == SEEN_IN_SPANS:
        return None
    is_same = (latest.version, latest.commit_sha) == (version, commit_sha)
    reported_at = max(latest.created_at, latest.deployed_at)
    return latest if is_same and now - reported_at <= REPEATED_WITHIN else None


def deploys_between(session: Session, service: str | None, since: datetime, until: datetime) -> Sequence[Deploy]:
    """Return deploys from `since` (inclusive) to `until` (exclusive), oldest first. service: None for all services."""
    query = select(Deploy).where(Deploy.deployed_at >= since, Deploy.deployed_at < until)
    if service is not None:
        query = query.where(Deploy.service == service)
    return readable(session, query.order_by(Deploy.deployed_at, Deploy.id))


def first_deploy_since(
    session: Session, service: str, since: datetime, *, commit_sha: str | None = None
) -> Deploy | None:
    """Return the service's first deploy at or after `since`: of this commit, or of any. None if there is none."""
    query = select(Deploy).where(Deploy.service == service, Deploy.deployed_at >= since)
    if commit_sha is not None:
        query = query.where(Deploy.commit_sha == commit_sha)
    return _first(session, query.order_by(Deploy.deployed_at, Deploy.id))


def latest_deploy(session: Session, service: str | None, before: datetime | None = None) -> Deploy | None:
    """Return the newest deploy, or the newest strictly before a moment. service: None for all services."""
    query = select(Deploy) if service is None else select(Deploy).where(Deploy.service == service)
    if before is not None:
        query = query.where(Deploy.deployed_at < before)
    return _first(session, query.order_by(Deploy.deployed_at.desc(), Deploy.id.desc()))


def _first(session: Session, query: Select[Deploy]) -> Deploy | None:
    """Return the query's first deploy that can be read; None if there is none among the first few."""
    return next((row for count in (1, _LOOKED_AT) for row in readable(session, query.limit(count))), None)


def to_deploy(row: Deploy) -> types.Deploy:
    """Convert a row to detection's Deploy."""
    return types.Deploy(
        deploy_id=row.id,
        service=row.service,
        version=row.version,
        commit_sha=row.commit_sha,
        previous_commit_sha=row.previous_commit_sha,
        repository=row.repository,
        deployed_at=row.deployed_at.timestamp(),
        deployed_by=row.deployed_by,
    )


def _seen_deploy(session: Session, service: str, version: str, commit_sha: str, deployed_at: datetime) -> Deploy | None:
    """Find a deploy near `deployed_at` that was only seen in spans and whose version is this version or commit.

    The commit may be shortened. None if this very deploy is already recorded.
    """
    known = select(Deploy.id).where(
        Deploy.service == service, Deploy.version == version, Deploy.deployed_at == deployed_at
    )
    if session.scalar(known) is not None:
        return None
    around = deploys_between(session, service, deployed_at - REPORTED_WITHIN, deployed_at + REPORTED_WITHIN)
    return next(
        (
            deploy
            for deploy in around
            if deploy.deployed_by == SEEN_IN_SPANS
            and (deploy.version == version or _is_short_for(deploy.version, commit_sha))
        ),
        None,
    )


def _is_short_for(version: str, commit_sha: str) -> bool:
    return len(version) >= _SHORTEST_SHA and commit_sha.lower().startswith(version.lower())


def _correct_next(session: Session, service: str, deployed_at: datetime, commit_sha: str) -> None:
    following = (
        select(Deploy.id)
        .where(Deploy.service == service, Deploy.deployed_at > deployed_at)
        .order_by(Deploy.deployed_at, Deploy.id)
        .limit(1)
    )
    session.execute(
        update(Deploy).where(Deploy.id == following.scalar_subquery()).values(previous_commit_sha=commit_sha)
    )
