"""Read what changed, of an export: deploys, commits with their diffs, flags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.investigate.reading.documents import items_of
from bot.investigate.reading.fields import name, required_moment, text, texts
from bot.investigate.reading.problems import Problems
from detection.types import ChangedFile, Commit, Deploy, FlagChange
from integrations.inbound.reading.records import FieldError

_SHA = re.compile(r"[0-9a-fA-F]{6,64}")
_FILE_HEAD = re.compile(
    r"(?m)^(?:@@ (?P<bare>[^@\s,]+) @@.*|diff --git a/\S+ b/(?P<git>\S+)|"
    r"--- (?:a/(?P<minus>\S+)|/dev/null).*\n\+\+\+ (?:b/(?P<plus>\S+)|/dev/null).*)$"
)
"""Where the part of a file begins. The pair of "---" and "+++" is one head: neither of its lines is a changed line."""


def read_deploys(path: Path, problems: Problems) -> list[Deploy]:
    """Return the deploys of a list, or of {"deploys": […]}."""
    found: list[Deploy] = []
    for place, item in items_of(path, problems, "deploys"):
        try:
            found.append(
                Deploy(
                    deploy_id=len(found) + 1,
                    service=name(item, "service", "app", "component"),
                    version=text(item, "version", "release", "tag") or (text(item, "commit_sha", "sha") or "")[:12],
                    commit_sha=(text(item, "commit_sha", "sha", "commit", "revision") or "").lower(),
                    previous_commit_sha=text(item, "previous_commit_sha"),
                    repository=text(item, "repository", "repo") or "",
                    deployed_at=required_moment(item, "timestamp", "deployed_at", "at", "time"),
                    deployed_by=text(item, "deployed_by", "actor", "author"),
                )
            )
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    return found


def read_commits(path: Path, problems: Problems) -> list[Commit]:
    """Return the commits of a list, or of {"repo", "commits": […]}."""
    found = []
    for place, item in items_of(path, problems, "commits"):
        try:
            found.append(_commit(item))
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    return found


def _commit(item: Mapping[str, object]) -> Commit:
    sha = name(item, "sha", "commit_sha", "id")
    if not _SHA.fullmatch(sha):
        raise FieldError("sha", f"{sha[:60]!r} is no commit: 6 to 64 of 0-9 and a-f")
    return Commit(
        sha=sha.lower(),
        parent_sha=text(item, "parent_sha", "parent"),
        author=text(item, "author", "committer") or "",
        committed_at=required_moment(item, "timestamp", "committed_at", "date", "at"),
        message=text(item, "message", "title") or "",
        url=text(item, "url") or "",
        files=tuple(_files(item)),
        service=text(item, "service"),
        repository=text(item, "repository", "repo") or "",
    )


def _files(item: Mapping[str, object]) -> Iterator[ChangedFile]:
    """Yield the changed files: those with a patch of their own, else the parts of one diff, else the names alone."""
    given = item.get("files")
    if isinstance(given, list) and any(isinstance(file, dict) for file in given):
        for file in given:
            if isinstance(file, dict) and (path := text(file, "path", "filename", "file")):
                patch = text(file, "patch", "diff") or ""
                yield _file(path, patch, text(file, "status") or "modified")
        return
    paths = texts(item, "files_changed", "files", "paths")
    patches = dict(_parts(text(item, "diff", "patch") or "", paths))
    for path in dict.fromkeys((*paths, *patches)):
        yield _file(path, patches.get(path, ""), "modified")


def _file(path: str, patch: str, status: str) -> ChangedFile:
    lines = patch.split("\n")
    added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    deleted = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    return ChangedFile(path, status, added, deleted, patch)


def _parts(diff: str, paths: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (path, patch) of each file in a diff; a diff that names none is of the first file."""
    heads = list(_FILE_HEAD.finditer(diff))
    if not heads:
        if diff.strip():
            yield (paths[0] if paths else "unknown"), diff
        return
    patches: dict[str, str] = {}
    if diff[: heads[0].start()].strip() and paths:
        # A heading of another shape came first: its hunk names its own file.
        patches[paths[0]] = diff[: heads[0].start()]
    for place, head in enumerate(heads):
        path = head["bare"] or head["git"] or head["plus"] or head["minus"]
        if path is None:
            continue
        end = heads[place + 1].start() if place + 1 < len(heads) else len(diff)
        patches[path] = patches.get(path, "") + diff[head.start() : end]
    yield from patches.items()


def read_flags(path: Path, problems: Problems) -> list[FlagChange]:
    """Return the flag changes of a list, or of {"changes": […]}: "off->on" in one field, or from and to."""
    found = []
    for place, item in items_of(path, problems, "changes", "flags"):
        try:
            before, after = _values(item)
            at = required_moment(item, "timestamp", "changed_at", "at", "time")
            flag = name(item, "flag", "key", "name")
            found.append(
                FlagChange(
                    change_id=f"export:{flag}:{at}",
                    flag=flag,
                    service=text(item, "service"),
                    environment=text(item, "environment") or "",
                    before=before,
                    after=after,
                    changed_at=at,
                    changed_by=text(item, "actor", "changed_by", "by"),
                    source="export",
                )
            )
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    return found


def _values(item: Mapping[str, object]) -> tuple[str | None, str]:
    said = text(item, "change")
    if said is not None and "->" in said:
        before, _, after = said.partition("->")
        return before.strip(), after.strip()
    return text(item, "from", "before", "old"), text(item, "to", "after", "new", "change", "value") or "changed"
