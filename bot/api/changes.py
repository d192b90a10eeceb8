"""The API of what changed, in one time line: deploys, commits and flags."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.storable_text import Text
from detection.types import Commit, FlagChange
from storage.database.texts import moment
from storage.deploys import deploys_between
from storage.models import Deploy
from storage.surroundings.commits import commits_between
from storage.surroundings.flags import flag_changes_between

router = APIRouter(prefix="/changes", tags=["Changes"])

_LONGEST_WORDS = 200


class ChangeOut(BaseModel):
    """One change: of which kind, when, of which service (null where it names none), what, and by whom."""

    kind: Literal["deploy", "commit", "flag"]
    at: datetime
    service: str | None
    what: str = Field(description='Such as "v42", "Refresh prices sooner" or "new-checkout: off → on".')
    by: str | None
    reference: str = Field(description="A deploy's or commit's SHA; a flag change's id.")
    files: list[str] = Field(default=[], description="The paths that a commit changed.")


@router.get("", summary="List what changed")
def list_changes(
    services: InjectedServices,
    operator: Operator,
    service: Annotated[
        Text | None, Query(description="Only this service's, and those that name none.", max_length=200)
    ] = None,
    hours: Annotated[int, Query(ge=1, le=840, description="How far back.")] = 24,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[ChangeOut]:
    """Deploys, commits and changes of flags of the last hours in one time line, newest first."""
    now = services.clock()
    since, until = now - timedelta(hours=hours), now + timedelta(minutes=5)
    with services.readers() as session:
        found = [
            *map(_deploy, deploys_between(session, None, since, until)),
            *map(_commit, commits_between(session, since, until)),
            *map(_flag, flag_changes_between(session, since, until)),
        ]
    if service is not None:
        found = [one for one in found if one.service in (service, None)]
    return sorted(found, key=lambda one: (one.at, one.kind, one.reference), reverse=True)[:limit]


def _deploy(deploy: Deploy) -> ChangeOut:
    return ChangeOut(
        kind="deploy",
        at=deploy.deployed_at,
        service=deploy.service,
        what=deploy.version,
        by=deploy.deployed_by,
        reference=deploy.commit_sha,
    )


def _commit(commit: Commit) -> ChangeOut:
    return ChangeOut(
        kind="commit",
        at=moment(commit.committed_at),
        service=commit.service,
        what=commit.message.partition("\n")[0][:_LONGEST_WORDS],
        by=commit.author or None,
        reference=commit.sha,
        files=[file.path for file in commit.files],
    )


def _flag(change: FlagChange) -> ChangeOut:
    values = change.after if change.before is None else f"{change.before} → {change.after}"
    return ChangeOut(
        kind="flag",
        at=moment(change.changed_at),
        service=change.service,
        what=f"{change.flag}: {values}"[:_LONGEST_WORDS],
        by=change.changed_by,
        reference=change.change_id,
    )
