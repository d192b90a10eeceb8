"""The times of past incidents, which baselines must leave out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from detection.types import IncidentStatus, Metric, Subject, TimeSpans
from storage.models import FindingRecord, Incident
from workers.memory.funnels import Segment


@dataclass(frozen=True, slots=True)
class PastIncident:
    """An incident from its onset to its closing, in seconds UTC; `ended` is None while it is active.

    fingerprints: those of its findings.
    """

    began: float
    ended: float | None
    service: str | None
    fingerprints: frozenset[str]


def past_incidents(session: Session, *, since: datetime) -> list[PastIncident]:
    """Return the incidents not closed before `since`, oldest first. False alarms are left out: their time is normal."""
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


def excluded_times(past: Sequence[PastIncident], fingerprint: str, now: float) -> TimeSpans:
    """Return the (begin, end) times, in seconds UTC, of the incidents with this fingerprint."""
    return [(one.began, one.ended or now) for one in past if fingerprint in one.fingerprints]


def endpoint_broken_times(
    past: Sequence[PastIncident], metrics: Collection[Metric], now: float
) -> dict[str, list[tuple[float, float]]]:
    """Return the (begin, end) times, in seconds UTC, when any of the metrics was broken, by the subject's key.

    One broken metric makes the time abnormal for the subject's other metrics too: an endpoint that fails, or is hardly
    called, does not have its usual latency either.
    """
    times: dict[str, list[tuple[float, float]]] = {}
    for one in past:
        broken = (fingerprint.partition(":") for fingerprint in one.fingerprints)
        for key in {key for metric, _, key in broken if metric in metrics}:
            times.setdefault(key, []).append((one.began, one.ended or now))
    return times


def funnel_broken_times(past: Sequence[PastIncident], funnel_id: int, segment: Segment, now: float) -> TimeSpans:
    """Return when an incident was open about the conversion of this segment, or of everyone, in the funnel."""
    return [
        span
        for dimension, value in dict.fromkeys([(None, None), segment])
        for span in excluded_times(past, funnel_fingerprint("funnel", funnel_id, dimension, value), now)
    ]


def incidents_of_funnel(past: Sequence[PastIncident], funnel_id: int) -> list[PastIncident]:
    """Return the incidents in which the conversion rate of the funnel, or of a segment of it, dropped."""
    drop = funnel_fingerprint("funnel", funnel_id)
    return [one for one in past if any(name == drop or name.startswith(f"{drop}:") for name in one.fingerprints)]


def funnel_fingerprint(kind: str, funnel_id: int, dimension: str | None = None, value: str | None = None) -> str:
    """Return the fingerprint that a finding of this kind has about this segment."""
    subject = Subject(kind, "", funnel_id=funnel_id, dimension=dimension, value=value)
    return f"{Metric.CONVERSION_RATE}:{subject.key()}"
