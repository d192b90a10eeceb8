"""Git's own objects, trees and blobs, read and written through GitHub's git database API.

Comparing trees directory by directory costs one call for each directory that changed, however large the repository
is, and knows what the commit API's file list does not: modes, links and files beyond its 3,000.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from github.Repository import Repository


@dataclass(frozen=True, slots=True)
class Entry:
    """What a path is in a tree: `mode` as git writes it ("100644"), `kind` is blob, tree or commit (a submodule)."""

    mode: str
    kind: str
    sha: str


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs between two trees; None where it is absent."""

    path: str
    before: Entry | None
    after: Entry | None


class GitObjects:
    """The objects of one repository. Trees never change under their name, so each is read once."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._trees: dict[str, dict[str, Entry]] = {}

    def entries(self, tree_sha: str | None) -> dict[str, Entry]:
        """The entries of one directory, not of those under it; none for None."""
        if tree_sha is None:
            return {}
        if tree_sha not in self._trees:
            tree = self._repository.get_git_tree(tree_sha).tree
            self._trees[tree_sha] = {item.path: Entry(item.mode, item.type, item.sha) for item in tree}
        return self._trees[tree_sha]

    def at(self, tree_sha: str, path: str) -> Entry | None:
        """What stands at a path of a tree."""
        *directories, name = path.split("/")
        current = tree_sha
        for directory in directories:
            entry = self.entries(current).get(directory)
            if entry is None or entry.kind != "tree":
                return None
            current = entry.sha
        return self.entries(current).get(name)

    def changes(self, before_sha: str | None, after_sha: str | None, prefix: str = "") -> Iterator[Change]:
        """Every file that differs between two trees, by path."""
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
        """A file's bytes."""
        blob = self._repository.get_git_blob(blob_sha)
        if blob.encoding == "base64":
            return base64.b64decode(blob.content)
        return blob.content.encode()

    def write(self, content: bytes) -> str:
        """Store a file's bytes; the sha of the blob."""
        return self._repository.create_git_blob(base64.b64encode(content).decode("ascii"), "base64").sha


def _directory(entry: Entry | None) -> str | None:
    return entry.sha if entry and entry.kind == "tree" else None


def _file(entry: Entry | None) -> Entry | None:
    return entry if entry and entry.kind != "tree" else None
