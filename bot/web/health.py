"""Health routes for this process, its database and the outside systems, and the Prometheus metrics.

They need no key: they reveal no secret, and the checks of outside systems are cached for half a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.doctor import Health, Outcome, checks, examine
from bot.reception.prometheus import Metrics
from storage.database.session import check
from storage.errors import DatabaseUnavailableError
from workers.services import Services

CACHE_SECONDS = 30.0

router = APIRouter(tags=["Health"])


class IntegrationHealth:
    """The cached checks of the outside systems, which run at most once per CACHE_SECONDS."""

    def __init__(self, services: Services, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic
        self._lock = Lock()
        self._outcomes: list[Outcome] = []
        self._until = float("-inf")

    def outcomes(self) -> list[Outcome]:
        """Return the outcomes of the checks, at most CACHE_SECONDS old."""
        with self._lock:
            if self._monotonic() >= self._until:
                self._outcomes = examine(checks(self._services))
                self._until = self._monotonic() + CACHE_SECONDS
            return self._outcomes


@router.get("/health", summary="Is the web process up?")
async def health() -> dict[str, str]:
    """Answer at once, asking nothing else."""
    return {"status": "ok"}


@router.get("/health/db", summary="Does the database answer?")
def database_health(request: Request) -> JSONResponse:
    """200 with one line about the database, or 503."""
    services: Services = request.app.state.services
    try:
        return JSONResponse({"status": "ok", "message": check(services.engine)})
    except DatabaseUnavailableError as error:
        return JSONResponse({"status": "failed", "message": str(error)}, 503)


@router.get("/health/integrations", summary="Do the outside systems answer?")
def integration_health(request: Request) -> JSONResponse:
    """Every system as `argux doctor` sees it; 503 when one that is set fails."""
    remembered: IntegrationHealth = request.app.state.integration_health
    outcomes = remembered.outcomes()
    failing = any(outcome.health is Health.FAILED for outcome in outcomes)
    systems = {
        outcome.name.lower(): {"status": outcome.health.lower(), "message": outcome.text} for outcome in outcomes
    }
    return JSONResponse({"status": "failed" if failing else "ok", "integrations": systems}, 503 if failing else 200)


def _read_delays(services: Services, session: Session, numbers: Metrics) -> None:
    # Imported at the first request, so that the detectors' libraries are not loaded into every web process.
    from workers.watching.delays import delays

    found = delays(services, session)
    age = (found.now - found.tick.ended_at).total_seconds() if found.tick else 0.0
    numbers.set_delays(found.lag_seconds, age, len(found.tick.troubles) if found.tick else 0)


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Return the metrics in Prometheus's text format. While the database is away, its gauges keep their last values."""
    numbers: Metrics = request.app.state.metrics
    services: Services = request.app.state.services
    try:
        with services.readers() as session:
            numbers.read_database(session)
            _read_delays(services, session, numbers)
    except SQLAlchemyError:
        numbers.database_up.set(0)
    else:
        numbers.database_up.set(1)
    return Response(numbers.exposition(), media_type=CONTENT_TYPE_LATEST)
