"""Write git objects and move references, for the git data API and for merges."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from integrations.local.github.git import Git, GitError
from integrations.local.github.history import Signature

NO_OBJECT = "0" * 40


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One change to a tree; `sha` None removes the path."""

    path: str
    mode: str
    sha: str | None


def write_blob(git: Git, contents: bytes) -> str:
    """Store a blob and return its SHA. Raises GitError."""
    code, output, error = git.run_bytes("hash-object", "-w", "--stdin", stdin=contents)
    if code:
        raise GitError(error.decode("utf-8", "replace"))
    return output.decode().strip()


def write_tree(git: Git, base: str | None, entries: Sequence[TreeEntry]) -> str:
    """Write a tree: `base` (or the empty tree if None) with these changes. Return its SHA. Raises GitError."""
    lines = "".join(f"{entry.mode if entry.sha else '0'} {entry.sha or NO_OBJECT}\t{entry.path}\0" for entry in entries)
    with tempfile.TemporaryDirectory(prefix="argux-tree-") as scratch:
        environment = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        if base:
            git.run("read-tree", base, environment=environment)
        git.run("update-index", "-z", "--index-info", stdin=lines, environment=environment)
        return git.run("write-tree", environment=environment).strip()


def write_commit(
    git: Git, tree: str, parents: Sequence[str], message: str, *, author: Signature, committer: Signature
) -> str:
    """Write a commit object and return its SHA. Raises GitError."""
    arguments = [word for parent in parents for word in ("-p", parent)]
    return git.run("commit-tree", tree, *arguments, stdin=message, environment=_identity(author, committer)).strip()


def _identity(author: Signature, committer: Signature) -> Mapping[str, str]:
    return {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_AUTHOR_DATE": author.date,
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
        "GIT_COMMITTER_DATE": committer.date,
    }


def merged_tree(git: Git, base: str, head: str) -> str | None:
    """Merge two commits and return the resulting tree, or None if they conflict. Raises GitError."""
    code, output, error = git.try_run("merge-tree", "--write-tree", "--no-messages", base, head)
    if code not in (0, 1):
        raise GitError(error)
    return output.split("\n", 1)[0].strip() if code == 0 else None


def move_reference(git: Git, name: str, new: str, old: str) -> bool:
    """Point a reference at `new` if it is still at `old` (NO_OBJECT: if it does not exist). Return whether it moved."""
    code, _, _ = git.try_run("update-ref", name, new, old)
    return code == 0


def delete_reference(git: Git, name: str) -> None:
    """Remove a reference. Raises GitError."""
    git.run("update-ref", "-d", name)


def is_reference_name(git: Git, name: str) -> bool:
    """Return whether this is a valid full reference name, such as refs/heads/main."""
    return name.startswith("refs/") and git.try_run("check-ref-format", name)[0] == 0


def is_ancestor(git: Git, older: str, newer: str) -> bool:
    """Return whether `older` is an ancestor of `newer`, or the same commit."""
    return git.try_run("merge-base", "--is-ancestor", older, newer)[0] == 0
