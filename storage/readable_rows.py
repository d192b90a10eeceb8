"""Look whether the rows of all tables can be read, also of those that nothing reads at present."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.alerts import values_of
from storage.database.base import Base
from storage.database.reading import readable
from storage.funnels import definition
from storage.incidents import to_finding
from storage.metric_limits import check_limit
from storage.models import Alert, FindingRecord, Funnel, LogPattern, MetricLimit

LOOKED_AT = 2_000
"""How many rows of a table are looked at, the newest first."""

_CHECKS: Mapping[type[Base], Callable[[Any], object]] = {
    Alert: values_of,
    FindingRecord: to_finding,
    Funnel: definition,
    MetricLimit: check_limit,
}


def look_at_all(session: Session, check_pattern: Callable[[LogPattern], object]) -> None:
    """Read the newest rows of each table; those that cannot be read are told by `storage.database.reading`.

    check_pattern: raises for a log pattern that cannot be watched.
    """
    checks: dict[type[Base], Callable[[Any], object]] = {**_CHECKS, LogPattern: check_pattern}
    for mapper in sorted(Base.registry.mappers, key=lambda one: one.class_.__name__):
        newest = [column.desc() for column in mapper.primary_key]
        readable(session, select(mapper.class_).order_by(*newest).limit(LOOKED_AT), checks.get(mapper.class_))
        session.expunge_all()
