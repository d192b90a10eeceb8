"""Resolve incidents that recover by themselves: test their findings again and post the measures.

Only a measured recovery counts. With too little data to judge, the incident waits for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from detection.metrics.forecasts import FORECAST_DETECTOR
from detection.recovery import Recovery, RecoveryState
from detection.types import Finding, FunnelDetails, Metric
from storage import incidents, verifications
from storage.database.rows import hold
from storage.models import Incident
from storage.telemetry.protocol import WholeUntil
from workers.lifecycle.alert_endings import QUIET_SECONDS as ALERT_QUIET_SECONDS
from workers.lifecycle.alert_endings import is_alert_over
from workers.lifecycle.recovery_messages import resolve
from workers.services import Services
from workers.troubles import Troubles
from workers.watching.catalogue import watch_of
from workers.watching.last_abnormal import last_abnormal

QUIET_SECONDS = 600.0
"""How long a finding must not have been seen before it is tested. This is longer than any detector needs to find it
again (three intervals of an endpoint, five minutes of a metric), so a flapping signal stays one incident."""

FEWEST_BUCKETS = 3
"""How many buckets must have passed since a funnel finding was last seen. A drift, with hourly buckets, is checked once
an hour."""

FORECAST_QUIET_SECONDS = 1_800.0
"""Forecasts run every five minutes, and come and go while a limit is neither near nor far."""

TESTS_PER_TICK = 3
"""How many incidents one tick tests. A test reads a week of one signal, which takes tens of milliseconds."""

LONGEST_LOOK_SECONDS = 3_600.0
"""How far back to look for a time when the signal was abnormal again."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An incident whose findings have not been seen for long enough: its findings, and when each was last seen."""

    incident_id: int
    findings: tuple[Finding, ...]
    last_seen: tuple[datetime, ...]


def resolve_recovered(services: Services, whole: WholeUntil, unwatched: frozenset[Metric], troubles: Troubles) -> None:
    """Test the incidents whose findings were not seen for long enough, and resolve those that recovered.

    unwatched: metrics that could not be watched at this tick; that they were not seen broken means nothing.
    """
    now = services.clock()
    with services.readers() as session:
        due = _due(session, whole, now)
    for candidate in due:
        if unwatched.isdisjoint(finding.metric for finding in candidate.findings):
            with troubles.apart(f"testing incident #{candidate.incident_id} again"):
                _test_again(services, candidate, whole, now)


def quiet_seconds(finding: Finding) -> float:
    """Return how long a finding must not have been seen before it is tested.

    A funnel's entries need the horizon to convert. Only after that can the entries of the quiet time be judged.
    """
    if finding.metric is Metric.CONVERSION_RATE:
        if not isinstance(finding.details, FunnelDetails):
            return QUIET_SECONDS
        return finding.details.horizon_seconds + max(QUIET_SECONDS, FEWEST_BUCKETS * finding.details.bucket_seconds)
    return FORECAST_QUIET_SECONDS if finding.detector == FORECAST_DETECTOR else QUIET_SECONDS


def _due(session: Session, whole: WholeUntil, now: datetime) -> list[Candidate]:
    """Return the incidents to test now. The required quiet time doubles with each earlier self-recovery."""
    drawn = _sample(incidents.unseen_since(session, now - timedelta(seconds=QUIET_SECONDS)), now)
    relapses = verifications.self_recoveries(session, drawn)
    found = []
    for incident in (incidents.get_incident(session, incident_id) for incident_id in drawn):
        candidate = _candidate(incident)
        patience = 2.0 ** relapses.get(incident.id, 0)
        is_quiet = all(
            _whole(finding, whole, now) - seen.timestamp() >= patience * quiet_seconds(finding)
            for finding, seen in zip(candidate.findings, candidate.last_seen, strict=True)
        )
        if is_quiet and _may_be_over(session, incident, now):
            found.append(candidate)
    return found


def _candidate(incident: Incident) -> Candidate:
    return Candidate(
        incident.id,
        tuple(incidents.to_finding(record) for record in incident.findings),
        tuple(record.last_seen_at for record in incident.findings),
    )


def _may_be_over(session: Session, incident: Incident, now: datetime) -> bool:
    """Return whether its alerts are over. An incident of only alerts is left to workers.lifecycle.alert_endings."""
    alerts = [record for record in incident.findings if record.metric == Metric.ALERT.value]
    ended_by = now - timedelta(seconds=ALERT_QUIET_SECONDS)
    return len(alerts) < len(incident.findings) and all(is_alert_over(session, record, ended_by) for record in alerts)


def _sample(unseen: Sequence[int], now: datetime) -> list[int]:
    """Return at most TESTS_PER_TICK of them, at random, so that each gets its turn even if many cannot be judged."""
    if len(unseen) <= TESTS_PER_TICK:
        return list(unseen)
    random = np.random.default_rng(int(now.timestamp()))
    return [unseen[place] for place in random.choice(len(unseen), TESTS_PER_TICK, replace=False)]


def _test_again(services: Services, candidate: Candidate, whole: WholeUntil, now: datetime) -> None:
    """Test the findings in turn, up to the first that has not recovered; resolve the incident if all have.

    If a signal was abnormal again since its finding was last seen, that time becomes its last-seen time.
    """
    recoveries: list[Recovery] = []
    for finding, last_seen in zip(candidate.findings, candidate.last_seen, strict=True):
        seen, until = last_seen.timestamp(), _whole(finding, whole, now)
        recovery = watch_of(finding.metric).recovery(services, finding, seen, until)
        again = _abnormal_again(services, finding, recovery, seen, until)
        if again is not None:
            with services.sessions.begin() as session:
                incidents.mark_seen(session, candidate.incident_id, finding.fingerprint, at=again)
        if again is not None or recovery.state is not RecoveryState.RECOVERED:
            return
        recoveries.append(recovery)
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, candidate.incident_id)
        hold(session, incident)
        # A person may have decided meanwhile.
        if incident.status.awaits_people and _candidate(incident) == candidate:
            measured = list(zip(candidate.findings, recoveries, strict=True))
            resolve(services, session, incident, measured, since=max(candidate.last_seen), now=now)


def _abnormal_again(
    services: Services, finding: Finding, recovery: Recovery, seen: float, until: float
) -> datetime | None:
    """Return when the signal was abnormal since it was last seen; None if it was not, or if that is its new normal."""
    if recovery.is_new_normal:
        return None
    if recovery.state is RecoveryState.STILL_BROKEN:
        return datetime.fromtimestamp(until, UTC)
    since = max(seen, until - LONGEST_LOOK_SECONDS)
    at = last_abnormal(services, finding, usual=recovery.before, since=since, until=until)
    return datetime.fromtimestamp(at, UTC) if at is not None else None


def _whole(finding: Finding, whole: WholeUntil, now: datetime) -> float:
    """Return until when the finding's kind of signal can be judged, in seconds UTC."""
    return watch_of(finding.metric).whole(whole, now.timestamp())
