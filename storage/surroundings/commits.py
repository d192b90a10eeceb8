"""Commits with their diffs. The same commit may be told several times, at first without its diff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection import types
from storage.database.dropping import drop_old
from storage.database.reading import readable
from storage.database.texts import clipped, clipped_or_none, moment
from storage.database.upserts import insert_if_new
from storage.models import Commit

LONGEST_PATCH = 200_000
"""Characters of one file's patch that are kept; a longer one is left out, as GitHub does with very large ones."""

MOST_FILES = 1_000
_LONGEST_PATCHES = 2_000_000
_SHORTEST_SHA = 7
_LONGEST_MESSAGE = 20_000


def record_commits(session: Session, commits: Sequence[types.Commit], *, now: datetime) -> int:
    """Record commits, each once by repository and SHA; return how many are new.

    What an earlier report lacked (patches, files, the service, the parent) is filled from a later one; what is known
    stays.
    """
    in_order = sorted(commits, key=lambda commit: (commit.repository, commit.sha))
    return sum(_record(session, commit, now) for commit in in_order)


def commits_between(session: Session, since: datetime, until: datetime) -> list[types.Commit]:
    """Return commits made from `since` (inclusive) to `until` (exclusive), oldest first."""
    query = select(Commit).where(Commit.committed_at >= since, Commit.committed_at < until)
    return [_commit(row) for row in readable(session, query.order_by(Commit.committed_at, Commit.id), _commit)]


def commit_of(session: Session, sha: str) -> types.Commit | None:
    """Return the commit of this SHA, which may be shortened to 7 characters; None if none or several begin with it."""
    sha = sha.lower()
    if len(sha) < _SHORTEST_SHA:
        return None
    # "g" comes after every hexadecimal digit: a range, which an index serves in every collation.
    query = select(Commit).where(Commit.sha >= sha, Commit.sha < f"{sha}g").order_by(Commit.sha, Commit.id)
    rows = readable(session, query.limit(2), _commit)
    return _commit(rows[0]) if rows and len({row.sha for row in rows}) == 1 else None


def drop_old_commits(session: Session, *, now: datetime) -> int:
    """Delete some commits received long ago; return how many."""
    return drop_old(session, Commit, Commit.recorded_at, now=now)


def _record(session: Session, commit: types.Commit, now: datetime) -> bool:
    files = _files_json(commit.files)
    row = {
        "repository": clipped(commit.repository, 200),
        "sha": clipped(commit.sha.lower(), 64),
        "parent_sha": clipped_or_none(commit.parent_sha, 64),
        "service": clipped_or_none(commit.service, 200),
        "author": clipped(commit.author, 200),
        "committed_at": moment(commit.committed_at),
        "message": clipped(commit.message, _LONGEST_MESSAGE),
        "url": clipped(commit.url, 2000),
        "files": files,
        "recorded_at": now,
    }
    if insert_if_new(session, Commit, row, unique=["repository", "sha"]):
        return True
    same = select(Commit).where(Commit.repository == row["repository"], Commit.sha == row["sha"]).with_for_update()
    for known in readable(session, same, _commit):
        for name in ("parent_sha", "service", "author", "message", "url"):
            if not getattr(known, name):
                setattr(known, name, row[name])
        merged = _merged(known.files, files)
        if merged != known.files:
            known.files = merged
    session.flush()
    return False


def _merged(known: list[dict[str, Any]], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the known files, those told with a patch in place of those without, and further ones."""
    files = {file["path"]: file for file in known}
    for file in told:
        before = files.get(file["path"])
        if before is None or (file["patch"] and not before["patch"]):
            files[file["path"]] = file
    return list(files.values())


def _files_json(files: Iterable[types.ChangedFile]) -> list[dict[str, Any]]:
    room = _LONGEST_PATCHES
    written: list[dict[str, Any]] = []
    for file in list(files)[:MOST_FILES]:
        size = len(file.patch)
        is_kept = size <= min(LONGEST_PATCH, room)
        room -= size if is_kept else 0
        written.append(
            {
                "path": clipped(file.path, 1000),
                "status": clipped(file.status, 50),
                "additions": file.additions,
                "deletions": file.deletions,
                "patch": clipped(file.patch, LONGEST_PATCH) if is_kept else "",
            }
        )
    return written


def _commit(row: Commit) -> types.Commit:
    return types.Commit(
        sha=row.sha,
        parent_sha=row.parent_sha,
        author=row.author,
        committed_at=row.committed_at.timestamp(),
        message=row.message,
        url=row.url,
        files=tuple(
            types.ChangedFile(
                path=file["path"],
                status=file["status"],
                additions=int(file["additions"]),
                deletions=int(file["deletions"]),
                patch=file["patch"],
            )
            for file in row.files
        ),
        service=row.service,
        repository=row.repository,
    )
