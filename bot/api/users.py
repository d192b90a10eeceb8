"""The API of people: erase everything that names a person."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.storable_text import Text
from integrations.inbound.product.mixpanel_people import bare_id
from storage import audit
from storage.telemetry.protocol import Erased

router = APIRouter(prefix="/users", tags=["People"])

UserId = Annotated[Text, Path(min_length=1, max_length=1000, description="The id that the person's events carry.")]


class ErasedOut(BaseModel):
    """What was deleted. funnel_attempts: the single attempts behind the funnels' counts; the counts stay.
    archived: rows rewritten without the person in the archive. log_samples: templates of log lines that named them.
    """

    events: int
    funnel_attempts: int
    log_records: int
    metric_points: int
    archived: int
    log_samples: int


class Erasure(BaseModel):
    """A person forgotten; nothing was there to forget where all numbers are 0."""

    user_id: str
    erased: ErasedOut


@router.delete("/{user_id:path}", summary="Forget a person")
def erase_user(user_id: UserId, services: InjectedServices, operator: Operator) -> Erasure:
    """Delete every record that names this person, by this id or any other of theirs, and say how many that were.

    The audit chain keeps that it was done and by whom, with a keyed digest in the person's place.
    """
    erased = services.telemetry.erase_person(list(dict.fromkeys([user_id, bare_id(user_id)])))
    with services.sessions.begin() as session:
        audit.append(
            session,
            key=services.audit_key,
            actor=operator.name,
            event="person_erased",
            payload={"person": _digest(services.audit_key, user_id), "erased": _counts(erased)},
            now=services.clock(),
        )
    return Erasure(user_id=user_id, erased=ErasedOut(**_counts(erased)))


def _digest(key: bytes, user_id: str) -> str:
    return hmac.digest(key, user_id.encode("utf-8", "replace"), "sha256").hex()[:32]


def _counts(erased: Erased) -> dict[str, int]:
    return {
        "events": erased.events,
        "funnel_attempts": erased.funnel_attempts,
        "log_records": erased.log_records,
        "metric_points": erased.metric_points,
        "archived": erased.archived,
        "log_samples": erased.log_samples,
    }
