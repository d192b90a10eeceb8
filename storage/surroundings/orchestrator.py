"""Events of Kubernetes or another orchestrator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection import types
from storage.database.dropping import drop_old
from storage.database.reading import readable
from storage.database.texts import clipped, clipped_or_none, moment
from storage.database.upserts import insert_new
from storage.models import OrchestratorEvent


def record_events(session: Session, events: Sequence[types.OrchestratorEvent], *, now: datetime) -> int:
    """Record events, each once by its id; return how many are new."""
    rows = [
        {
            "event_id": clipped(event.event_id, 200),
            "happened_at": moment(event.happened_at),
            "reason": clipped(event.reason, 200),
            "message": clipped(event.message, 5_000),
            "object_name": clipped(event.object_name, 300),
            "namespace": clipped(event.namespace, 200),
            "node": clipped_or_none(event.node, 200),
            "service": clipped_or_none(event.service, 200),
            "is_warning": event.is_warning,
            "recorded_at": now,
        }
        for event in events
    ]
    return insert_new(session, OrchestratorEvent, rows, unique=["event_id"])


def events_between(session: Session, since: datetime, until: datetime) -> list[types.OrchestratorEvent]:
    """Return the events from `since` (inclusive) to `until` (exclusive), oldest first."""
    query = select(OrchestratorEvent).where(
        OrchestratorEvent.happened_at >= since, OrchestratorEvent.happened_at < until
    )
    rows = readable(session, query.order_by(OrchestratorEvent.happened_at, OrchestratorEvent.event_id))
    return [
        types.OrchestratorEvent(
            event_id=row.event_id,
            happened_at=row.happened_at.timestamp(),
            reason=row.reason,
            message=row.message,
            object_name=row.object_name,
            namespace=row.namespace,
            node=row.node,
            service=row.service,
            is_warning=row.is_warning,
        )
        for row in rows
    ]


def drop_old_events(session: Session, *, now: datetime) -> int:
    """Delete some events received long ago; return how many."""
    return drop_old(session, OrchestratorEvent, OrchestratorEvent.recorded_at, now=now)
