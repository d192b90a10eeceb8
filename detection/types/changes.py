"""What can change a running system: commits with their diffs, and flags."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One changed file of a commit. `patch` is the unified diff, empty for a binary or very large file."""

    path: str
    status: str
    additions: int
    deletions: int
    patch: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit with its diff against its first parent. `committed_at` is seconds, UTC.

    service: the service whose code it changes, where the sender says so. repository: "owner/name", empty if not known.
    """

    sha: str
    parent_sha: str | None
    author: str
    committed_at: float
    message: str
    url: str
    files: tuple[ChangedFile, ...]
    service: str | None = None
    repository: str = ""


@dataclass(frozen=True, slots=True)
class FlagChange:
    """A feature flag or configuration value that was set to another value at `changed_at`.

    service: the service that it concerns, None if not known. before: None if the sender does not say.
    """

    change_id: str
    flag: str
    service: str | None
    environment: str
    before: str | None
    after: str
    changed_at: float
    changed_by: str | None = None
    source: str = ""
