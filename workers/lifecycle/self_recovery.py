"""Incidents that go back to usual by themselves: tested again, told with the figures, and resolved.

Only what is measured to be usual again counts: where too little comes to say, the incident waits for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import structlog
from sqlalchemy.orm import Session

from detection.metrics.findings import FORECAST_DETECTOR
from detection.recovery import Recovery, RecoveryState
from detection.types import Finding, FunnelDetails, IncidentStatus, Metric
from storage import incidents, verifications
from storage.database.rows import hold
from storage.models import Incident
from workers.lifecycle.alert_endings import QUIET_SECONDS as ALERT_QUIET_SECONDS
from workers.lifecycle.alert_endings import is_alert_over
from workers.lifecycle.recovery_messages import resolve
from workers.services import Services
from workers.watching.catalogue import watch_of
from workers.watching.last_away import last_away

log = structlog.get_logger()

QUIET_SECONDS = 600.0
"""For so long a signal must not have been seen broken: longer than any detector takes to see it break again (three
intervals of an endpoint, five minutes of a metric), so that what comes and goes within minutes stays one incident."""

FEWEST_BUCKETS = 3
"""A drift is looked at once an hour, and needs whole hours since."""

FORECAST_QUIET_SECONDS = 1_800.0
"""Forecasts are made every five minutes, and waver while a limit is neither near nor far."""

TESTS_A_TICK = 3
"""A test reads a week of one signal: tens of milliseconds."""

LONGEST_LOOK_SECONDS = 3_600.0
"""How far back it is looked whether a signal kept calm."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An incident of which nothing was seen broken for long enough: its findings, and when each was last seen."""

    incident_id: int
    findings: tuple[Finding, ...]
    last_seen: tuple[datetime, ...]


def settle_recovered(services: Services) -> None:
    """Test again what was not seen for long enough, and resolve what is back to usual.

    Raises an ExceptionGroup, once the others are settled, when some incidents could not be tested.
    """
    now = services.clock()
    with services.readers() as session:
        due = _due(session, now)
    failures: list[Exception] = []
    for candidate in due:
        try:
            _settle(services, candidate, now)
        except Exception as error:
            log.exception("self_recovery_failed", incident_id=candidate.incident_id)
            failures.append(error)
    if failures:
        raise ExceptionGroup("Not every incident could be tested again at this tick", failures)


def quiet_seconds(finding: Finding) -> float:
    """For how long a finding must not have been seen before it is tested.

    A funnel's entries need their horizon to convert; only then do those of the quiet time itself say something.
    """
    if finding.metric is Metric.CONVERSION_RATE:
        if not isinstance(finding.details, FunnelDetails):
            return QUIET_SECONDS
        return finding.details.horizon_seconds + max(QUIET_SECONDS, FEWEST_BUCKETS * finding.details.bucket_seconds)
    return FORECAST_QUIET_SECONDS if finding.detector == FORECAST_DETECTOR else QUIET_SECONDS


def _due(session: Session, now: datetime) -> list[Candidate]:
    """Each time an incident has come back, it must keep quiet for twice as long."""
    drawn = _drawn(incidents.unseen_since(session, now - timedelta(seconds=QUIET_SECONDS)), now)
    relapses = verifications.self_recoveries(session, drawn)
    found = []
    for incident in (incidents.get_incident(session, incident_id) for incident_id in drawn):
        candidate = _candidate(incident)
        patience = 2.0 ** relapses.get(incident.id, 0)
        is_quiet = all(
            (now - seen).total_seconds() >= patience * quiet_seconds(finding)
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
    """Whether its alerts are over; one of nothing but alerts is settled with them (workers.lifecycle.alert_endings)."""
    alerts = [record for record in incident.findings if record.metric == Metric.ALERT.value]
    ended_by = now - timedelta(seconds=ALERT_QUIET_SECONDS)
    return len(alerts) < len(incident.findings) and all(is_alert_over(session, record, ended_by) for record in alerts)


def _drawn(unseen: Sequence[int], now: datetime) -> list[int]:
    """As many as one tick looks at, by lot: none is left out for ever, however many cannot be judged."""
    if len(unseen) <= TESTS_A_TICK:
        return list(unseen)
    random = np.random.default_rng(int(now.timestamp()))
    return [unseen[place] for place in random.choice(len(unseen), TESTS_A_TICK, replace=False)]


def _settle(services: Services, candidate: Candidate, now: datetime) -> None:
    """Up to the first finding that is not known to be back to usual; what was away again counts as seen then."""
    recoveries: list[Recovery] = []
    for finding, last_seen in zip(candidate.findings, candidate.last_seen, strict=True):
        seen = last_seen.timestamp()
        recovery = watch_of(finding.metric).recovery(services, finding, seen)
        again = _away_again(services, finding, recovery, seen, now)
        if again is not None:
            with services.sessions.begin() as session:
                incidents.seen_again(session, candidate.incident_id, finding.fingerprint, at=again)
        if again is not None or recovery.state is not RecoveryState.RECOVERED:
            return
        recoveries.append(recovery)
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, candidate.incident_id)
        hold(session, incident)
        # A person may have decided meanwhile.
        if incident.status in (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED) and _candidate(incident) == candidate:
            measured = list(zip(candidate.findings, recoveries, strict=True))
            resolve(services, session, incident, measured, since=max(candidate.last_seen), now=now)


def _away_again(
    services: Services, finding: Finding, recovery: Recovery, seen: float, now: datetime
) -> datetime | None:
    """When it was away since it was last seen; None where it kept calm."""
    if recovery.state is RecoveryState.STILL_BROKEN:
        return now
    since, until = max(seen, now.timestamp() - LONGEST_LOOK_SECONDS), now.timestamp()
    at = last_away(services, finding, usual=recovery.before, since=since, until=until)
    return datetime.fromtimestamp(at, now.tzinfo) if at is not None else None
