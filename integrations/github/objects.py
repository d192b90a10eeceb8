"""Read and write git objects (trees and blobs) through GitHub's git database API.

Comparing trees directory by directory costs one call per changed directory, however large the repository is. It also
finds what the commit API's file list lacks: modes, links and more than 3,000 files.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from github.Repository import Repository


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a tree. `mode` is git's ("100644"); `kind` is blob, tree or commit (a submodule)."""

    mode: str
    kind: str
    sha: str


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs between two trees. `before` or `after` is None if the path is absent there."""

    path: str
    before: Entry | None
    after: Entry | None


class GitObjects:
    """The objects of one repository. Each tree is read once and cached, because the content of a sha never changes."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._trees: dict[str, dict[str, Entry]] = {}

    def entries(self, tree_sha: str | None) -> dict[str, Entry]:
        """Return the entries of one directory, without its subdirectories' entries. None has no entries."""
        if tree_sha is None:
            return {}
        if tree_sha not in self._trees:
            tree = self._repository.get_git_tree(tree_sha).tree
            self._trees[tree_sha] = {item.path: Entry(item.mode, item.type, item.sha) for item in tree}
        return self._trees[tree_sha]

    def at(self, tree_sha: str, path: str) -> Entry | None:
        """Return the entry at a path of a tree, or None."""
        *directories, name = path.split("/")
        current = tree_sha
        for directory in directories:
            entry = self.entries(current).get(directory)
            if entry is None or entry.kind != "tree":
                return None
            current = entry.sha
        return self.entries(current).get(name)

    def changes(self, before_sha: str | None, after_sha: str | None, prefix: str = "") -> Iterator[Change]:
        """Yield every file that differs between two trees, in the order of the paths."""
        before, after = self.entries(before_sha), self.entries(after_sha)
        for name in sorted(before.keys() | after.keys()):
            old, new = before.get(name), after.get(name)
            if old == new:
                continue
            old_tree, new_tree = _directory(old), _directory(new)
            if old_tree or new_tree:
                yield from self.changes(old_tree, new_tree, f"{prefix}{name}/")
            old_file, new_file = _file(old), _file(new)
            if old_file or new_file:
                yield Change(prefix + name, old_file, new_file)

    def read(self, blob_sha: str) -> bytes:
        """Return a file's bytes."""
        blob = self._repository.get_git_blob(blob_sha)
        if blob.encoding == "base64":
            return base64.b64decode(blob.content)
        return blob.content.encode()

    def write(self, content: bytes) -> str:
        """Store a file's bytes and return the sha of the blob."""
        return self._repository.create_git_blob(base64.b64encode(content).decode("ascii"), "base64").sha


def _directory(entry: Entry | None) -> str | None:
    return entry.sha if entry and entry.kind == "tree" else None


def _file(entry: Entry | None) -> Entry | None:
    return entry if entry and entry.kind != "tree" else None
