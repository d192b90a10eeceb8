"""The API of the status: what is watched, and whether it is ok, broken, or lacks data."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from bot.api.models.diagnosis_models import Prose
from bot.auth import Operator
from bot.dependencies import InjectedServices
from detection.coverage import Watched, WatchState, label
from integrations.wording import plain

router = APIRouter(prefix="/status", tags=["Status"])


class WatchedOut(BaseModel):
    """One watched thing. reason: what it lacks, in words and numbers, or that it is broken still although somebody
    closed its incident by hand; else empty.
    """

    kind: str
    name: str
    service: str | None
    endpoint: str | None
    funnel_id: int | None
    dimension: str | None
    value: str | None
    state: WatchState
    reason: str


class ClosedByHandOut(BaseModel):
    """An incident that a person closed and that is broken still, by the latest measurement."""

    incident: int
    closed_by: str
    text: Prose


class StatusOut(BaseModel):
    """How many things are in each state, and the things: insufficient data first, then broken, then ok.

    held_messages: why messages about incidents cannot be posted, and how many wait; empty when all are posted.
    """

    counts: dict[WatchState, int]
    late: list[str] = Field(
        description="What Argux itself is late with or cannot do at present; empty when all is well."
    )
    lag_seconds: dict[str, float] = Field(description="How long the oldest record of each kind waits to be counted.")
    held_messages: list[str]
    closed_by_hand_still_broken: list[ClosedByHandOut]
    watched: list[WatchedOut] = Field(description="Those asked for, from `offset` on.")


@router.get("", summary="How everything that is watched stands")
def status(
    services: InjectedServices,
    operator: Operator,
    state: Annotated[WatchState | None, Query(description="Only those that stand so.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> StatusOut:
    """Every funnel and segment, endpoint, metric and service that logs: ok, broken, or with insufficient data."""
    # Imported at the first request, so that the detectors' libraries are not loaded into every web process.
    from workers.telling.channels.outages import held_texts
    from workers.watching.delays import delays
    from workers.watching.states import counts, watched_states
    from workers.watching.still_broken import closed_by_hand

    with services.readers() as session:
        found = delays(services, session)
    states = watched_states(services)
    with services.readers() as session:
        hidden = closed_by_hand(services, session, services.clock())
    wanted = [one for one in states if state is None or one.state is state]
    with services.readers() as session:
        held = held_texts(session, services.settings.timezone)
    return StatusOut(
        counts=counts(states),
        late=[plain(sentence) for sentence in found.sentences()],
        lag_seconds={kind: round(lag, 1) for kind, lag in found.lag_seconds.items()},
        held_messages=held,
        closed_by_hand_still_broken=[
            ClosedByHandOut(incident=one.incident_id, closed_by=one.closed_by, text=one.text) for one in hidden
        ],
        watched=[_watched_out(one) for one in wanted[offset : offset + limit]],
    )


def _watched_out(one: Watched) -> WatchedOut:
    subject = one.subject
    return WatchedOut(
        kind=subject.kind,
        name=label(subject),
        service=subject.service,
        endpoint=subject.endpoint,
        funnel_id=subject.funnel_id,
        dimension=subject.dimension,
        value=subject.value,
        state=one.state,
        reason=one.reason,
    )
