"""The times of past incidents, which baselines must leave out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from detection.metrics.usual_course import MOST_DAYS
from detection.statistics.baselines import Mask
from detection.types import Floats, IncidentStatus, Metric, Subject, TimeSpans
from storage.database.reading import readable
from storage.models import FindingRecord, Incident
from storage.telemetry.protocol import COARSE_SECONDS
from workers.memory.funnels import Segment


@dataclass(frozen=True, slots=True)
class PastIncident:
    """An incident from its onset to its end, in seconds UTC; `ended` is None while it is active.

    fingerprints: those of its findings. What a person closed ends when its findings were last seen, if that is later.
    """

    began: float
    ended: float | None
    service: str | None
    fingerprints: frozenset[str]


def remembered_since(now: datetime, baseline_window_hours: float) -> datetime:
    """Return when the past begins whose incidents are left out of what is usual.

    The baselines of funnels and endpoints begin at the same hour of the week as the data that is judged, so up to a day
    before their window; metrics look back MOST_DAYS.
    """
    return now - timedelta(hours=max(baseline_window_hours, MOST_DAYS * 24.0) + 24)


def past_incidents(session: Session, *, since: datetime, now: datetime) -> list[PastIncident]:
    """Return the incidents not closed before `since`, oldest first.

    False alarms are left out, because their time is normal; but not while they are muted and go on being found, so that
    an outage which somebody took for one does not become usual before it is told again.
    """
    rows = readable(
        session,
        select(Incident)
        .where(
            or_(Incident.status != IncidentStatus.FALSE_ALARM, Incident.muted_until > now),
            or_(Incident.closed_at.is_(None), Incident.closed_at >= since),
        )
        .order_by(Incident.onset_at),
    )
    broken: dict[int, set[str]] = {row.id: set() for row in rows}
    named = select(FindingRecord.incident_id, FindingRecord.fingerprint).where(FindingRecord.incident_id.in_(broken))
    for incident_id, fingerprint in session.execute(named):
        broken[incident_id].add(fingerprint)
    seen = _last_seen(session, [row.id for row in rows if row.closed_by_hand])
    return [
        PastIncident(row.onset_at.timestamp(), _ended(row, seen), row.service, frozenset(broken[row.id]))
        for row in rows
        if row.status is not IncidentStatus.FALSE_ALARM or _goes_on(row, seen)
    ]


def _last_seen(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    """Return when a finding of each of these incidents was last seen."""
    seen: dict[int, datetime] = {}
    query = select(FindingRecord).where(FindingRecord.incident_id.in_(ids))
    for record in readable(session, query) if ids else ():
        seen[record.incident_id] = max(record.last_seen_at, seen.get(record.incident_id, record.last_seen_at))
    return seen


def _goes_on(row: Incident, seen: Mapping[int, datetime]) -> bool:
    """Whether its findings were seen after it was closed."""
    return row.closed_at is not None and row.id in seen and seen[row.id] > row.closed_at


def _ended(row: Incident, seen: Mapping[int, datetime]) -> float | None:
    if row.closed_at is None:
        return None
    return max(row.closed_at, seen.get(row.id, row.closed_at)).timestamp()


def excluded_times(past: Sequence[PastIncident], fingerprint: str, now: float) -> TimeSpans:
    """Return the (begin, end) times, in seconds UTC, of the incidents with this fingerprint."""
    return [(one.began, one.ended or now) for one in past if fingerprint in one.fingerprints]


def overlapping_hours(hours: Floats, began: float, ended: float) -> Mask:
    """Return which hours lie at least partly between `began` and `ended`, (n,). hours: (n,) when each begins."""
    return np.asarray((hours + COARSE_SECONDS > began) & (hours < ended))


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
    if not past:
        return []
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
