"""Limits that people set on custom metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database.reading import readable
from storage.database.rows import get
from storage.models import MetricLimit


def add_limit(
    session: Session,
    *,
    name: str,
    service: str | None,
    threshold: float,
    above: bool,
    horizon_hours: float,
    created_by: str,
    now: datetime,
) -> MetricLimit:
    """Add a limit, or change the existing limit of the same metric, service and direction."""
    query = select(MetricLimit).where(
        MetricLimit.name == name, MetricLimit.service == service, MetricLimit.above == above
    )
    limit = session.scalars(query).first()
    if limit is None:
        limit = MetricLimit(name=name, service=service, above=above)
        session.add(limit)
    limit.threshold, limit.horizon_hours = threshold, horizon_hours
    limit.created_by, limit.created_at = created_by, now
    session.flush()
    return limit


def list_limits(session: Session) -> Sequence[MetricLimit]:
    """Return every limit that can be read, ordered by metric and service."""
    query = select(MetricLimit).order_by(MetricLimit.name, MetricLimit.service, MetricLimit.id)
    return readable(session, query, check_limit)


def check_limit(limit: MetricLimit) -> None:
    """Raise if the limit is no pair of finite numbers."""
    if not math.isfinite(limit.threshold) or not limit.horizon_hours > 0:
        raise ValueError(f"{limit.threshold} in {limit.horizon_hours} hours is no limit")


def remove_limit(session: Session, limit_id: int) -> MetricLimit:
    """Remove a limit and return it; raise NotFoundError if there is none."""
    limit = get(session, MetricLimit, limit_id, "limit")
    session.delete(limit)
    session.flush()
    return limit
