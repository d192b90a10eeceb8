"""When something was broken: time that must not count as normal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from detection.types import IncidentStatus, Metric
from storage.models import FindingRecord, Incident


@dataclass(frozen=True, slots=True)
class PastIncident:
    """From the onset to the closing, seconds UTC; `ended` is None while it goes on. fingerprints: what was broken."""

    began: float
    ended: float | None
    service: str | None
    fingerprints: frozenset[str]


def past_incidents(session: Session, *, since: datetime) -> list[PastIncident]:
    """Incidents that were not over before `since`, oldest first; false alarms are normal time."""
    rows = session.scalars(
        select(Incident)
        .where(
            Incident.status != IncidentStatus.FALSE_ALARM,
            or_(Incident.closed_at.is_(None), Incident.closed_at >= since),
        )
        .order_by(Incident.onset_at)
    ).all()
    broken: dict[int, set[str]] = {row.id: set() for row in rows}
    named = select(FindingRecord.incident_id, FindingRecord.fingerprint).where(FindingRecord.incident_id.in_(broken))
    for incident_id, fingerprint in session.execute(named):
        broken[incident_id].add(fingerprint)
    return [
        PastIncident(
            row.onset_at.timestamp(),
            row.closed_at.timestamp() if row.closed_at is not None else None,
            row.service,
            frozenset(broken[row.id]),
        )
        for row in rows
    ]


def excluded_times(past: Sequence[PastIncident], fingerprint: str, now: float) -> list[tuple[float, float]]:
    """(begin, end) in seconds UTC during which just this was broken."""
    return [(one.began, one.ended or now) for one in past if fingerprint in one.fingerprints]


def broken_times(
    past: Sequence[PastIncident], metrics: Collection[Metric], now: float
) -> dict[str, list[tuple[float, float]]]:
    """(begin, end) in seconds UTC during which any of the metrics was broken, by the subject's key.

    What fails, or is hardly called, is not slow as usual either: such an hour is normal for none of them.
    """
    times: dict[str, list[tuple[float, float]]] = {}
    for one in past:
        broken = (fingerprint.partition(":") for fingerprint in one.fingerprints)
        for key in {key for metric, _, key in broken if metric in metrics}:
            times.setdefault(key, []).append((one.began, one.ended or now))
    return times
