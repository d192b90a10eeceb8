"""Read the body of POST /api/commits: commits with their diffs, one or an array, in Argux's own form."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated

import msgspec
from msgspec import Meta

from detection.types import ChangedFile, Commit
from integrations.inbound.reading.batches import array_elements, read_each, read_one
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError
from integrations.inbound.reading.times import parse_time

MOST_COMMITS = 1_000
SHA = re.compile(r"[0-9a-fA-F]{7,64}")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")

_Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class _RawFile(msgspec.Struct):
    path: Annotated[str, Meta(min_length=1, max_length=1000)]
    status: Annotated[str, Meta(max_length=50)] = "modified"
    additions: _Count | None = None
    deletions: _Count | None = None
    patch: str | None = None


class _RawCommit(msgspec.Struct):
    sha: str
    committed_at: str | int | float
    message: str = ""
    author: Annotated[str, Meta(max_length=200)] = ""
    parent_sha: str | None = None
    url: Annotated[str, Meta(max_length=2000)] = ""
    repository: str = ""
    service: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    files: list[_RawFile] = []


_COMMIT = msgspec.json.Decoder(_RawCommit)


def parse_commits(body: bytes, *, now: float) -> Parsed[Commit]:
    """Read one commit or an array of them. Raises PayloadError if the body is not JSON.

    Without `additions` and `deletions` they are counted in the patch.
    """
    text = without_nul(body)

    def read(one: bytes | msgspec.Raw) -> Commit:
        return _commit(_COMMIT.decode(one), now)

    if text.lstrip().startswith(b"["):
        each = array_elements(text.strip())
        if len(each) > MOST_COMMITS:
            raise PayloadError(f"holds more than {MOST_COMMITS:,} commits; send fewer at once")
        return read_each(each, read)
    return read_one(text, read)


def _commit(raw: _RawCommit, now: float) -> Commit:
    for field, value in (("sha", raw.sha), ("parent_sha", raw.parent_sha)):
        if value is not None and not SHA.fullmatch(value):
            raise FieldError(field, "is no commit: give its SHA, 7 to 64 of 0-9 and a-f, such as 3f2a9c1")
    if raw.repository and not _REPOSITORY.fullmatch(raw.repository):
        raise FieldError("repository", "is not owner/name, such as acme/shop")
    return Commit(
        sha=raw.sha.lower(),
        parent_sha=raw.parent_sha.lower() if raw.parent_sha else None,
        author=raw.author,
        committed_at=parse_time(raw.committed_at, now=now, field="committed_at"),
        message=raw.message,
        url=raw.url,
        files=tuple(_file(file) for file in raw.files),
        service=raw.service,
        repository=raw.repository,
    )


def _file(raw: _RawFile) -> ChangedFile:
    patch = raw.patch or ""
    counted = Counter(line[:1] for line in patch.splitlines() if not line.startswith(("+++ ", "--- ")))
    additions = counted["+"] if raw.additions is None else raw.additions
    deletions = counted["-"] if raw.deletions is None else raw.deletions
    return ChangedFile(raw.path, raw.status, additions, deletions, patch)
