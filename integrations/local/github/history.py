"""Read commits and diffs from a repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.local.github.git import Git

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_DATE = "--date=format-local:%Y-%m-%dT%H:%M:%SZ"
_FORMAT = "--format=%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%ad%x1f%cn%x1f%ce%x1f%cd%x1f%B"
_STATUSES = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}


@dataclass(frozen=True, slots=True)
class Signature:
    """An author or committer; `date` is ISO 8601, UTC when read from a commit."""

    name: str
    email: str
    date: str


@dataclass(frozen=True, slots=True)
class CommitData:
    """One commit."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file; `patch` starts at the first hunk and is empty for a binary file."""

    path: str
    previous_path: str | None
    status: str
    additions: int
    deletions: int
    blob: str
    patch: str


def resolve(git: Git, reference: str) -> str | None:
    """Return the SHA of the commit that a branch, tag, full ref or SHA names, or None.

    Revision expressions such as main~1 are not resolved.
    """
    if not reference or any(ord(character) <= 32 or character in "~^:?*[\\" for character in reference):
        return None
    candidates = [f"refs/heads/{reference}", f"refs/tags/{reference}"]
    if reference.startswith("refs/"):
        candidates.append(reference)
    if reference.startswith(("heads/", "tags/")):
        candidates.append(f"refs/{reference}")
    if len(reference) >= 7 and all(character in "0123456789abcdefABCDEF" for character in reference):
        candidates.append(reference)
    # Use stdin, so that git cannot take a reference for an option.
    answer = git.run("cat-file", "--batch-check", stdin="".join(f"{name}^{{commit}}\n" for name in candidates))
    return next((line.split()[0] for line in answer.splitlines() if line.endswith(tuple("0123456789"))), None)


def object_type(git: Git, sha: str) -> str | None:
    """Return the type of the object with this full SHA, or None if there is none."""
    if len(sha) != 40 or any(character not in "0123456789abcdef" for character in sha):
        return None
    words = git.run("cat-file", "--batch-check", stdin=f"{sha}\n").split()
    return words[1] if len(words) == 3 else None


def log(git: Git, *arguments: str) -> list[CommitData]:
    """Return the commits of `git log` for these arguments (SHAs, ranges of SHAs, limits), in the same order."""
    output = git.run("log", "-z", _DATE, _FORMAT, *arguments)
    return [_commit(entry) for entry in output.split("\0") if entry]


def commit(git: Git, sha: str) -> CommitData:
    """Return one commit by its full SHA."""
    return log(git, "-1", sha)[0]


def _commit(entry: str) -> CommitData:
    sha, tree, parents, author, email, date, committer, committer_email, committed, message = entry.split("\x1f", 9)
    return CommitData(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=Signature(author, email, date),
        committer=Signature(committer, committer_email, committed),
        message=message.rstrip("\n"),
    )


def first_parent(data: CommitData) -> str:
    """Return what a commit is compared with: its first parent, or the empty tree for a root commit."""
    return data.parents[0] if data.parents else EMPTY_TREE


def merge_base(git: Git, base: str, head: str) -> str:
    """Return the merge base of two commits, or the empty tree if they have no common ancestor."""
    code, output, _ = git.try_run("merge-base", base, head)
    return output.strip() if code == 0 else EMPTY_TREE


def merge_commit_for(git: Git, older: str, tip: str) -> str:
    """Return the commit that made `older` part of the branch that is now at `tip`.

    That is `older` itself if the branch was fast-forwarded to it.
    """
    since = git.run("rev-list", "--first-parent", "--ancestry-path", "--parents", f"{older}..{tip}").splitlines()
    if not since:
        return older
    first, *parents = since[-1].split()
    return older if parents[:1] == [older] else first


def diff(git: Git, base: str, head: str) -> str:
    """Return the unified diff between two commits or trees."""
    return git.run("diff-tree", "-r", "-M", "-p", "--full-index", base, head)


def changes(git: Git, base: str, head: str) -> list[FileChange]:
    """Return the files that differ between two commits or trees."""
    sections = iter(_sections(diff(git, base, head)))
    counts = _counts(git.run("diff-tree", "-r", "-M", "--numstat", "-z", base, head))
    found = []
    for letter, blob, previous, path in _raw(
        git.run("diff-tree", "-r", "-M", "--raw", "--no-abbrev", "-z", base, head)
    ):
        patch = next(sections)
        # For a change between file and symlink, git prints a removal and an addition.
        if letter == "T":
            patch += "\n" + next(sections)
        added, removed = counts[path]
        found.append(FileChange(path, previous, _STATUSES.get(letter, "changed"), added, removed, blob, patch))
    return found


def _raw(output: str) -> Iterator[tuple[str, str, str | None, str]]:
    """Yield (status letter, blob, path before a rename, path) for every file; the blob is the one after the change.

    For a removed file it is the one before.
    """
    words = iter(output.split("\0"))
    for word in words:
        if not word.startswith(":"):
            continue
        _, _, before, after, status = word.split(" ")
        path = next(words)
        previous = None
        if status[0] in "RC":
            previous, path = path, next(words)
        yield status[0], before if status[0] == "D" else after, previous, path


def _counts(output: str) -> dict[str, tuple[int, int]]:
    words = iter(output.split("\0"))
    counts = {}
    for word in words:
        if not word:
            continue
        added, removed, path = word.split("\t")
        if not path:
            next(words)
            path = next(words)
        counts[path] = (0, 0) if added == "-" else (int(added), int(removed))
    return counts


def _sections(text: str) -> list[str]:
    """Split a diff into files, each from its first hunk on. No line inside a hunk starts with `diff`."""
    sections: list[list[str]] = []
    in_hunk = False
    for line in text.split("\n"):
        if line.startswith("diff --git "):
            sections.append([])
            in_hunk = False
            continue
        in_hunk = in_hunk or line.startswith("@@")
        if in_hunk:
            sections[-1].append(line)
    return ["\n".join(lines).rstrip("\n") for lines in sections]
