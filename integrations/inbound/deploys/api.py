"""Read the body of POST /api/deploys: a version of a service went live."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from integrations.inbound.reading.batches import decode_strictly
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.records import FieldError, PayloadError
from integrations.inbound.reading.times import parse_time

_Name = Annotated[str, Meta(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class DeployNotice:
    """A deploy as reported. `deployed_at` is seconds since the epoch; without `is_timed` it is the time of arrival."""

    service: str
    version: str
    commit_sha: str
    repository: str
    deployed_at: float
    deployed_by: str | None
    is_timed: bool = True


class _RawDeploy(msgspec.Struct):
    service: _Name
    version: _Name
    commit_sha: str
    repository: _Name
    deployed_at: str | int | float | None = None
    deployed_by: Annotated[str, Meta(max_length=200)] | None = None


_DEPLOY = msgspec.json.Decoder(_RawDeploy)
_SHA = re.compile(r"[0-9a-fA-F]{7,64}")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def parse_deploy(body: bytes, *, now: float) -> DeployNotice:
    """Read one deploy. Without `deployed_at` the time is `now`. Raises PayloadError with the invalid `field`."""
    raw = decode_strictly(_DEPLOY, without_nul(body))
    _check_forms(raw)
    try:
        deployed_at = now if raw.deployed_at is None else parse_time(raw.deployed_at, now=now, field="deployed_at")
    except FieldError as error:
        raise PayloadError(error.message, error.field) from error
    return DeployNotice(
        service=raw.service,
        version=raw.version,
        commit_sha=raw.commit_sha.lower(),
        repository=raw.repository,
        deployed_at=deployed_at,
        deployed_by=raw.deployed_by,
        is_timed=raw.deployed_at is not None,
    )


def _check_forms(raw: _RawDeploy) -> None:
    """Raise PayloadError, with an example of the right form, for a commit or a repository that cannot be looked up."""
    if not _SHA.fullmatch(raw.commit_sha):
        raise PayloadError(
            f"{_quoted(raw.commit_sha)} is no commit: give its SHA, 7 to 64 of 0-9 and a-f, such as 3f2a9c1 "
            "(`git rev-parse HEAD` prints it)",
            "commit_sha",
        )
    if not _REPOSITORY.fullmatch(raw.repository):
        raise PayloadError(f"{_quoted(raw.repository)} is not owner/name, such as acme/shop", "repository")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")
