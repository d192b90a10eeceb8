"""Revert commits on top of a tree that has changed since, as `git revert` does, but without a working copy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Protocol

from merge3 import Merge3

from integrations.errors import ConflictError
from integrations.github.errors import SYSTEM
from integrations.github.markdown import uncalled
from integrations.github.objects import Change, Entry
from integrations.text import visible

MERGEABLE_BYTES = 1_000_000
"""Larger files are not merged line by line, because matching takes quadratic time in the worst case."""


class Objects(Protocol):
    """The git objects that a revert reads and writes."""

    def at(self, tree_sha: str, path: str) -> Entry | None:
        """Return the entry at a path of a tree, or None."""
        ...

    def changes(self, before_sha: str | None, after_sha: str | None) -> Iterable[Change]:
        """Return every file that differs between two trees."""
        ...

    def read(self, blob_sha: str) -> bytes:
        """Return a file's bytes."""
        ...

    def write(self, content: bytes) -> str:
        """Store a file's bytes and return the sha of the blob."""
        ...


class _JunkFreeMatcher:
    """A sequence matcher without difflib's junk heuristic.

    The heuristic ignores frequent lines in a long file, which causes conflicts that do not exist.
    """

    def __init__(
        self, isjunk: object = None, a: Sequence[bytes] = (), b: Sequence[bytes] = (), autojunk: bool = False
    ) -> None:
        self._matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)

    def get_matching_blocks(self) -> list[tuple[int, int, int]]:
        """Return the runs of equal lines as (start in a, start in b, length)."""
        return [(match.a, match.b, match.size) for match in self._matcher.get_matching_blocks()]


def undo_commits(
    objects: Objects, head_tree: str, commits: Iterable[tuple[str | None, str]]
) -> dict[str, Entry | None]:
    """Return what must change in `head_tree` to revert commits, given newest first as (parent's tree, own tree).

    The result maps a path to its new entry, or to None if the file is deleted. A file that has not changed since gets
    the parent's version. A file that has changed gets a three-way merge (base: the commit's version; ours: the current
    one; theirs: the parent's), as in https://git-scm.com/docs/git-revert. Raises ConflictError with every path that
    cannot be merged.
    """
    now: dict[str, Entry | None] = {}
    conflicts: list[str] = []
    for parent_tree, commit_tree in commits:
        for change in objects.changes(parent_tree, commit_tree):
            path = change.path
            current = now[path] if path in now else objects.at(head_tree, path)
            try:
                now[path] = _reverted_entry(objects, change, current)
            except _Conflict:
                conflicts.append(path)
    if conflicts:
        paths = tuple(sorted(set(conflicts)))
        raise ConflictError(SYSTEM, f"later changes touch the same lines of {', '.join(paths)}", paths)
    return {path: entry for path, entry in now.items() if entry != objects.at(head_tree, path)}


class _Conflict(Exception):
    pass


def _reverted_entry(objects: Objects, change: Change, current: Entry | None) -> Entry | None:
    """Return the entry of the path after the change is reverted."""
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
    merged = three_way_merge(objects.read(change.after.sha), objects.read(current.sha), objects.read(change.before.sha))
    if merged is None:
        raise _Conflict
    return Entry(mode, "blob", objects.write(merged))


def three_way_merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merge two descendants of `base` line by line.

    Return None if they change the same lines, or if a file is binary or larger than MERGEABLE_BYTES.
    """
    if any(b"\0" in text or len(text) > MERGEABLE_BYTES for text in (base, ours, theirs)):
        return None
    merge = Merge3(
        base.splitlines(keepends=True),
        ours.splitlines(keepends=True),
        theirs.splitlines(keepends=True),
        sequence_matcher=_JunkFreeMatcher,
    )
    merged: list[bytes] = []
    for group in merge.merge_groups():
        if group[0] == "conflict":
            return None
        merged.extend(group[1])
    return b"".join(merged)


def commit_message(commits: Iterable[tuple[str, str]], body: str) -> str:
    """Return git's commit message for a revert, followed by `body`. Commits are (sha, message), newest first.

    Their subjects are the words of others: they call nobody and close nothing.
    """
    listed = [(sha, uncalled(visible(text.partition("\n")[0]))) for sha, text in commits]
    if len(listed) == 1:
        sha, subject = listed[0]
        heading = f'Revert "{subject}"\n\nThis reverts commit {sha}.'
    else:
        lines = "\n".join(f'This reverts commit {sha} ("{subject}").' for sha, subject in listed)
        heading = f"Revert {len(listed)} commits\n\n{lines}"
    return f"{heading}\n\n{body}".strip() + "\n"
