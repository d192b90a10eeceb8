"""Reading a commit's unified diff: which lines came and went, what kind of file it is, whose route it serves.

A diff is somebody else's text: it is split and searched here, never run and never formatted into anything but data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from integrations.protocols import ChangedFile, Commit
from workers.diagnosis.statements import likeness, names_every_table

_TEXT_SUFFIXES = frozenset({".md", ".rst", ".adoc", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".pdf"})
_TEXT_STEMS = frozenset({"license", "readme", "changelog", "authors", "codeowners", "notice", ".gitignore"})
_ASIDE_FOLDERS = frozenset({"docs", "doc", "tests", "test", "__tests__", "spec", ".github"})
_LOOP = re.compile(r"\b(?:for|foreach|while|each|map)\b", re.IGNORECASE)
_LONGEST_PATCH = 200_000
_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Hunk:
    """One changed place: `heading` is what stands behind the second @@, usually the function's first line."""

    heading: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    context: tuple[str, ...]

    @property
    def has_loop(self) -> bool:
        """Whether a line around or within the added ones repeats something."""
        return any(_LOOP.search(line) for line in (*self.added, *self.context, self.heading))


@dataclass(frozen=True, slots=True)
class StatementTrace:
    """How a commit brings a query in: `likeness` 0 to 1 in `path`; `moved` where it also takes the same query out."""

    path: str
    likeness: float
    moved: bool
    beside_loop: bool


def hunks(patch: str) -> Iterator[Hunk]:
    """The hunks of one file's patch; what stands before the first @@ is a header and is left out."""
    for part in re.split(r"(?m)^@@[^@\n]*@@", patch[:_LONGEST_PATCH])[1:]:
        heading, _, body = part.partition("\n")
        lines = body.split("\n")
        yield Hunk(
            heading=heading.strip(),
            added=tuple(line[1:] for line in lines if line.startswith("+")),
            removed=tuple(line[1:] for line in lines if line.startswith("-")),
            context=tuple(line[1:] for line in lines if line.startswith(" ")),
        )


def is_aside(path: str) -> bool:
    """Whether a file cannot change how the service runs: words, pictures and tests."""
    place = PurePosixPath(path)
    return (
        place.suffix.lower() in _TEXT_SUFFIXES
        or place.stem.lower() in _TEXT_STEMS
        or any(folder.lower() in _ASIDE_FOLDERS for folder in place.parts[:-1])
        or place.name.startswith("test_")
    )


def is_only_aside(commit: Commit) -> bool:
    """Whether every file of a commit is words, pictures or tests."""
    return bool(commit.files) and all(is_aside(file.path) for file in commit.files)


def trace_statement(commit: Commit, statement: str) -> StatementTrace | None:
    """The clearest place where a commit's added lines hold the query, word by word; None where they do not."""
    traces = [
        StatementTrace(
            path=file.path,
            likeness=score,
            moved=likeness(statement, "\n".join(hunk.removed)) >= _ALIKE,
            beside_loop=hunk.has_loop,
        )
        for file, hunk in _running_hunks(commit)
        if (score := likeness(statement, "\n".join(hunk.added))) >= _ALIKE
    ]
    return max(traces, key=lambda trace: (trace.likeness, not trace.moved, trace.beside_loop), default=None)


def speaks_of_tables(commit: Commit, statement: str) -> bool:
    """Whether added lines name the query's tables, as code does whose SQL an ORM writes."""
    return any(names_every_table(statement, "\n".join(hunk.added)) for _, hunk in _running_hunks(commit))


def touches_route(commit: Commit, endpoint: str) -> str | None:
    """The file of a commit that holds the endpoint's route or function; None where no file speaks of it.

    `endpoint` is "POST /checkout/{id}". A file counts when its changed hunks name the literal route, or when its own
    name or a changed function's first line has the route's last fixed word.
    """
    route = endpoint.partition(" ")[2] or endpoint
    words = [word for word in re.findall(r"[a-z0-9]+", re.sub(r"\{[^}]*\}|:\w+|<[^>]*>", "", route.lower())) if word]
    if not words:
        return None
    for file, hunk in _running_hunks(commit):
        lines = (hunk.heading, *hunk.context, *hunk.added, *hunk.removed)
        if any(re.search(rf"[\"'`]{re.escape(route)}[\"'`]", line) for line in lines):
            return file.path
        definitions = [line for line in lines if re.search(r"\b(?:def|func|function|fn|class)\b", line)]
        if any(words[-1] in re.findall(r"[a-z0-9]+", line.lower()) for line in (file.path, *definitions)):
            return file.path
    return None


def _running_hunks(commit: Commit) -> Iterator[tuple[ChangedFile, Hunk]]:
    for file in commit.files:
        if not is_aside(file.path):
            for hunk in hunks(file.patch):
                yield file, hunk


def repeating(commits: Sequence[Commit]) -> frozenset[str]:
    """The commits (oldest first) that only bring in lines which earlier ones of them added, as merge commits do."""
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
