"""What is being prepared: steps that whoever fills the workspace tells the page of."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from integrations.local.changes import Changes


class Step(BaseModel):
    """A step; `seconds` it took, None while it goes on. `started_at`: seconds since the epoch."""

    model_config = ConfigDict(extra="forbid")

    doing: str = Field(max_length=200)
    started_at: float
    detail: str = Field("", max_length=200)
    seconds: float | None = None


class Progress(BaseModel):
    """The steps so far, under a title and a note; without steps nothing is shown."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field("", max_length=200)
    note: str = Field("", max_length=400)
    steps: list[Step] = Field(default_factory=list, max_length=50)


class ProgressBoard:
    """Holds the latest progress. Every change is announced to open pages."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self.current = Progress()

    def routes(self) -> APIRouter:
        """Return the route by which progress is told."""
        router = APIRouter()

        @router.put("/page/progress", status_code=204, response_class=Response)
        async def tell(progress: Progress) -> None:
            self.current = progress
            self._changes.announce()

        return router
