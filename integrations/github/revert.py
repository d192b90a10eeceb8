"""Undo commits on top of a tree that has moved on: what `git revert` does, without a working copy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Protocol

from merge3 import Merge3

from integrations.errors import ConflictError
from integrations.github.errors import SYSTEM
from integrations.github.objects import Change, Entry

MERGEABLE_BYTES = 1_000_000
"""Larger files are not merged line by line: the match is quadratic in the worst case."""


class Objects(Protocol):
    """The git objects that a revert reads and writes."""

    def at(self, tree_sha: str, path: str) -> Entry | None:
        """What stands at a path of a tree."""
        ...

    def changes(self, before_sha: str | None, after_sha: str | None) -> Iterable[Change]:
        """Every file that differs between two trees."""
        ...

    def read(self, blob_sha: str) -> bytes:
        """A file's bytes."""
        ...

    def write(self, content: bytes) -> str:
        """Store a file's bytes; its sha."""
        ...


class _NothingIsJunk:
    """difflib takes lines that are frequent in a long file for noise, and then sees conflicts where there are none."""

    def __init__(
        self, isjunk: object = None, a: Sequence[bytes] = (), b: Sequence[bytes] = (), autojunk: bool = False
    ) -> None:
        self._matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)

    def get_matching_blocks(self) -> list[tuple[int, int, int]]:
        """The runs of equal lines as (start in a, start in b, length)."""
        return [(match.a, match.b, match.size) for match in self._matcher.get_matching_blocks()]


def undo(objects: Objects, head_tree: str, commits: Iterable[tuple[str | None, str]]) -> dict[str, Entry | None]:
    """What must change in `head_tree` to undo commits, given newest first as (parent's tree, own tree).

    A path maps to its new entry, or to None where it goes. A file untouched since takes the parent's version; one
    changed since is merged three ways (base: the commit's version; ours: now; theirs: the parent's), as by
    https://git-scm.com/docs/git-revert. Raises ConflictError with every path where that fails.
    """
    now: dict[str, Entry | None] = {}
    conflicts: list[str] = []
    for parent_tree, commit_tree in commits:
        for change in objects.changes(parent_tree, commit_tree):
            path = change.path
            current = now[path] if path in now else objects.at(head_tree, path)
            try:
                now[path] = _undone(objects, change, current)
            except _Conflict:
                conflicts.append(path)
    if conflicts:
        paths = tuple(sorted(set(conflicts)))
        raise ConflictError(SYSTEM, f"later changes touch the same lines of {', '.join(paths)}", paths)
    return {path: entry for path, entry in now.items() if entry != objects.at(head_tree, path)}


class _Conflict(Exception):
    pass


def _undone(objects: Objects, change: Change, current: Entry | None) -> Entry | None:
    """The entry that the path should have once the change is undone."""
    if current == change.after:
        return change.before
    if current == change.before:
        return current
    if change.before is None or change.after is None or current is None:
        raise _Conflict
    if {change.before.kind, change.after.kind, current.kind} != {"blob"}:
        raise _Conflict
    mode = change.before.mode if current.mode == change.after.mode else current.mode
    if change.before.sha == change.after.sha:
        return Entry(mode, "blob", current.sha)
    merged = three_way(objects.read(change.after.sha), objects.read(current.sha), objects.read(change.before.sha))
    if merged is None:
        raise _Conflict
    return Entry(mode, "blob", objects.write(merged))


def three_way(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merge two descendants of `base` line by line; None where they change the same lines, or are not text."""
    if any(b"\0" in text or len(text) > MERGEABLE_BYTES for text in (base, ours, theirs)):
        return None
    merge = Merge3(
        base.splitlines(keepends=True),
        ours.splitlines(keepends=True),
        theirs.splitlines(keepends=True),
        sequence_matcher=_NothingIsJunk,
    )
    merged: list[bytes] = []
    for group in merge.merge_groups():
        if group[0] == "conflict":
            return None
        merged.extend(group[1])
    return b"".join(merged)


def message(commits: Iterable[tuple[str, str]], body: str) -> str:
    """Git's own words for a revert of commits, given as (sha, message) newest first, and then the reason."""
    listed = [(sha, text.partition("\n")[0]) for sha, text in commits]
    if len(listed) == 1:
        sha, subject = listed[0]
        heading = f'Revert "{subject}"\n\nThis reverts commit {sha}.'
    else:
        lines = "\n".join(f'This reverts commit {sha} ("{subject}").' for sha, subject in listed)
        heading = f"Revert {len(listed)} commits\n\n{lines}"
    return f"{heading}\n\n{body}".strip() + "\n"
