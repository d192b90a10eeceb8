"""Levels that custom metrics must not reach, as people set them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

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
    """Watch a limit; the same metric, service and direction again moves the limit that is there."""
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
    """Every limit, by metric and service."""
    return session.scalars(select(MetricLimit).order_by(MetricLimit.name, MetricLimit.service, MetricLimit.id)).all()


def remove_limit(session: Session, limit_id: int) -> MetricLimit:
    """Watch it no more; NotFoundError where there is no such limit."""
    limit = get(session, MetricLimit, limit_id, "limit")
    session.delete(limit)
    session.flush()
    return limit
