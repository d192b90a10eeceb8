"""Deploys: which version of a service went live when, with which commit, and which commit it replaced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from detection import types
from storage.database.locks import Lock, lock_exclusive
from storage.database.upserts import insert_if_new
from storage.models import Deploy

SEEN_IN_SPANS = "seen in spans"
"""Who deployed a version that nobody told of, until somebody does."""

REPORTED_WITHIN = timedelta(hours=1)
"""So far from when a version was first seen may its deploy be told to have been; beyond that it is another deploy."""

REPEATED_WITHIN = timedelta(minutes=10)
"""So long after a deploy, a pipeline that tells of it without a time is taken to tell of it again."""

_SHORTEST_SHA = 7


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
    """Write a deploy down once per service, version and time; the second value is False when it was known already.

    It learns the commit it replaced from that service's deploy before; reported late, it corrects the one after it.
    Somebody who tells of a version that was only seen so far takes that deploy over, and is right in everything.
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
    """The service's latest deploy, if this one, told without a time, is that one again: a pipeline's retry.

    To the end of the transaction nobody else is told about the same.
    """
    lock_exclusive(session, Lock.DEPLOYS)
    latest = latest_deploy(session, service)
    if latest is None or latest.deployed_by == SEEN_IN_SPANS:
        return None
    is_same = (latest.version, latest.commit_sha) == (version, commit_sha)
    told_at = max(latest.created_at, latest.deployed_at)
    return latest if is_same and now - told_at <= REPEATED_WITHIN else None


def deploys_between(session: Session, service: str | None, since: datetime, until: datetime) -> Sequence[Deploy]:
    """Deploys from `since` (inclusive) to `until` (exclusive), oldest first; None means of every service."""
    query = select(Deploy).where(Deploy.deployed_at >= since, Deploy.deployed_at < until)
    if service is not None:
        query = query.where(Deploy.service == service)
    return session.scalars(query.order_by(Deploy.deployed_at, Deploy.id)).all()


def first_deploy_since(
    session: Session, service: str, since: datetime, *, commit_sha: str | None = None
) -> Deploy | None:
    """The service's first deploy at or after a moment; of one commit, or of any."""
    query = select(Deploy).where(Deploy.service == service, Deploy.deployed_at >= since)
    if commit_sha is not None:
        query = query.where(Deploy.commit_sha == commit_sha)
    return session.scalars(query.order_by(Deploy.deployed_at, Deploy.id).limit(1)).one_or_none()


def latest_deploy(session: Session, service: str | None, before: datetime | None = None) -> Deploy | None:
    """The service's newest deploy, or its newest strictly before a moment; None means of all services."""
    query = select(Deploy) if service is None else select(Deploy).where(Deploy.service == service)
    if before is not None:
        query = query.where(Deploy.deployed_at < before)
    return session.scalars(query.order_by(Deploy.deployed_at.desc(), Deploy.id.desc()).limit(1)).one_or_none()


def to_deploy(row: Deploy) -> types.Deploy:
    """The deploy as detection knows it."""
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
    """The deploy of this version, or of this commit by its whole or short name, that was only seen so far."""
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
