"""Read a commit's unified diff: added and removed lines, the kind of each file, the route that it serves.

A diff is untrusted text: this module splits and searches it, and never runs it or uses it as a format string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from detection.types import ChangedFile, Commit
from workers.diagnosis.statements import likeness, names_every_table

_TEXT_SUFFIXES = frozenset({".md", ".rst", ".adoc", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".pdf"})
_TEXT_STEMS = frozenset({"license", "readme", "changelog", "authors", "codeowners", "notice", ".gitignore"})
_NO_CODE_FOLDERS = frozenset({"docs", "doc", "tests", "test", "__tests__", "spec", ".github"})
_LOOP = re.compile(r"\b(?:for|foreach|while|each|map)\b", re.IGNORECASE)
_LONGEST_PATCH = 200_000
_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Hunk:
    """One hunk of a diff; `heading` is the text after the second @@, usually the function's first line."""

    heading: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    context: tuple[str, ...]

    @property
    def has_loop(self) -> bool:
        """Whether an added line, a context line or the heading holds a loop."""
        return any(_LOOP.search(line) for line in (*self.added, *self.context, self.heading))


@dataclass(frozen=True, slots=True)
class StatementTrace:
    """How a commit adds a query in `path`.

    likeness: how much of the query the added lines hold, 0 to 1. moved: the same hunk also removes the query.
    """

    path: str
    likeness: float
    moved: bool
    beside_loop: bool


def hunks(patch: str) -> Iterator[Hunk]:
    """Yield the hunks of one file's patch; skip the header before the first @@."""
    for part in re.split(r"(?m)^@@[^@\n]*@@", patch[:_LONGEST_PATCH])[1:]:
        heading, _, body = part.partition("\n")
        lines = body.split("\n")
        yield Hunk(
            heading=heading.strip(),
            added=tuple(line[1:] for line in lines if line.startswith("+")),
            removed=tuple(line[1:] for line in lines if line.startswith("-")),
            context=tuple(line[1:] for line in lines if line.startswith(" ")),
        )


def is_not_code(path: str) -> bool:
    """Whether a file cannot change how the service runs: documentation, images and tests."""
    place = PurePosixPath(path)
    return (
        place.suffix.lower() in _TEXT_SUFFIXES
        or place.stem.lower() in _TEXT_STEMS
        or any(folder.lower() in _NO_CODE_FOLDERS for folder in place.parts[:-1])
        or place.name.startswith("test_")
    )


def changes_no_code(commit: Commit) -> bool:
    """Whether a commit changes files, and only documentation, images or tests."""
    return bool(commit.files) and all(is_not_code(file.path) for file in commit.files)


def trace_statement(commit: Commit, statement: str) -> StatementTrace | None:
    """Find the query in the lines that a commit adds; return the best match, or None."""
    traces = [
        StatementTrace(
            path=file.path,
            likeness=score,
            moved=likeness(statement, "\n".join(hunk.removed)) >= _ALIKE,
            beside_loop=hunk.has_loop,
        )
        for file, hunk in _code_hunks(commit)
        if (score := likeness(statement, "\n".join(hunk.added))) >= _ALIKE
    ]
    return max(traces, key=lambda trace: (trace.likeness, not trace.moved, trace.beside_loop), default=None)


def names_tables_of(commit: Commit, statement: str) -> bool:
    """Whether added lines name the query's tables, as code does if an ORM writes its SQL."""
    return any(names_every_table(statement, "\n".join(hunk.added)) for _, hunk in _code_hunks(commit))


def touches_route(commit: Commit, endpoint: str) -> str | None:
    """Return the first changed file that names the endpoint's route or function; None if there is none.

    endpoint: such as "POST /checkout/{id}". A file matches if a changed hunk names the literal route, or if the path of
    the file or the first line of a changed function or class contains the last fixed word of the route.
    """
    route = endpoint.partition(" ")[2] or endpoint
    words = [word for word in re.findall(r"[a-z0-9]+", re.sub(r"\{[^}]*\}|:\w+|<[^>]*>", "", route.lower())) if word]
    if not words:
        return None
    for file, hunk in _code_hunks(commit):
        lines = (hunk.heading, *hunk.context, *hunk.added, *hunk.removed)
        if any(re.search(rf"[\"'`]{re.escape(route)}[\"'`]", line) for line in lines):
            return file.path
        definitions = [line for line in lines if re.search(r"\b(?:def|func|function|fn|class)\b", line)]
        if any(words[-1] in re.findall(r"[a-z0-9]+", line.lower()) for line in (file.path, *definitions)):
            return file.path
    return None


def _code_hunks(commit: Commit) -> Iterator[tuple[ChangedFile, Hunk]]:
    for file in commit.files:
        if not is_not_code(file.path):
            for hunk in hunks(file.patch):
                yield file, hunk


def repeated_commits(commits: Sequence[Commit]) -> frozenset[str]:
    """Return the SHAs of commits that only add lines which earlier commits added, as merge commits do.

    commits: oldest first.
    """
    seen: set[str] = set()
    repeats = []
    for commit in commits:
        added = _added_lines(commit)
        if added and added <= seen:
            repeats.append(commit.sha)
        seen |= added
    return frozenset(repeats)


def _added_lines(commit: Commit) -> set[str]:
    return {line.strip() for file in commit.files for hunk in hunks(file.patch) for line in hunk.added if line.strip()}
