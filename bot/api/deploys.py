"""The API of deploys: list them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.storable_text import Text
from storage.deploys import deploys_between

router = APIRouter(prefix="/deploys", tags=["Deploys"])


class DeployOut(BaseModel):
    """A version of a service going live at a time, with its commit."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    service: str
    version: str
    commit_sha: str
    previous_commit_sha: str | None
    repository: str
    deployed_at: datetime
    deployed_by: str | None


@router.get("", summary="List deploys")
def list_deploys(
    services: InjectedServices,
    operator: Operator,
    service: Annotated[Text | None, Query(description="Only this service's.", max_length=200)] = None,
    days: Annotated[int, Query(ge=1, le=90, description="How far back.")] = 7,
) -> list[DeployOut]:
    """Deploys of the last days, newest first."""
    now = services.clock()
    with services.readers() as session:
        found = deploys_between(session, service, now - timedelta(days=days), now + timedelta(minutes=5))
        newest_first = sorted(found, key=lambda deploy: deploy.deployed_at, reverse=True)
        return [DeployOut.model_validate(deploy) for deploy in newest_first]
