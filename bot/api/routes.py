"""The router of the whole API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from bot.api import (
    calibration,
    changes,
    deploys,
    doors,
    events,
    incidents,
    jobs,
    maintenance,
    service_map,
    snoozes,
    status,
    triage,
    users,
)
from bot.api.signals import experiments, funnel_where, funnels, log_patterns, logs, metrics


class Problem(BaseModel):
    """What went wrong; `field` is the path to the value at fault."""

    message: str
    field: str | None = None


class Failure(BaseModel):
    """The one shape of an error."""

    error: Problem


def _failure(description: str) -> dict[str, Any]:
    return {"model": Failure, "description": description}


FAILURES: dict[int | str, dict[str, Any]] = {
    401: _failure("No key, or one that is not known."),
    403: _failure("The key may only send data."),
    422: _failure("A field is wrong; `field` is its path."),
    503: _failure("The database cannot take it now; see Retry-After."),
}

router = APIRouter(prefix="/api", responses=FAILURES)
router.include_router(funnels.router)
router.include_router(funnel_where.router)
router.include_router(experiments.router)
router.include_router(incidents.router)
router.include_router(snoozes.router)
router.include_router(maintenance.router)
router.include_router(status.router)
router.include_router(jobs.router)
router.include_router(deploys.router)
router.include_router(changes.router)
router.include_router(service_map.router)
router.include_router(doors.router)
router.include_router(calibration.router)
router.include_router(metrics.router)
router.include_router(events.router)
router.include_router(users.router)
router.include_router(log_patterns.router)
router.include_router(logs.router)
router.include_router(triage.router)
