"""Which incidents that a person closed are to be told again, because what they are about is broken still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from detection.recovery import RecoveryState
from detection.types import Finding, IncidentStatus
from storage import incidents
from workers.services import Services
from workers.settings import Settings
from workers.watching.catalogue import recovery_now
from workers.words.findings import is_notice

log = structlog.get_logger()


UNBROKEN_SECONDS = 120.0
"""A finding that was seen at most so long ago has gone on without a break."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An incident whose quiet time after its closing is over, and the findings that are reported again."""

    incident_id: int
    quiet_since: datetime
    findings: tuple[Finding, ...]


def to_tell_again(services: Services, findings: Sequence[Finding], now: datetime) -> frozenset[int]:
    """Return the ids of incidents to reopen: closed by hand, no longer quiet, and measured as broken since.

    A detector's window reaches back before the closing, so its finding alone does not say that it is broken since:
    the data since the closing is tested. With too little of it, the incident waits until the whole recent window lies
    after the closing.
    """
    with services.readers() as session:
        candidates = _candidates(session, findings, services.settings, now)
    recent = timedelta(minutes=services.settings.recent_window_minutes)
    return frozenset(one.incident_id for one in candidates if _is_broken_since(services, one, now, recent))


def _candidates(session: Session, findings: Sequence[Finding], settings: Settings, now: datetime) -> list[_Candidate]:
    cooldown = timedelta(minutes=settings.alert_cooldown_minutes)
    since = now - max(cooldown, timedelta(minutes=settings.recent_window_minutes)) - cooldown
    found = []
    for incident in incidents.recently_closed(session, since):
        if not incident.closed_by_hand or incident.closed_at is None:
            continue
        quiet_until = incident.muted_until or incident.closed_at + cooldown
        is_false_alarm = incident.status is IncidentStatus.FALSE_ALARM
        last_seen = {record.fingerprint: record.last_seen_at for record in incident.findings}
        again = tuple(
            one
            for one in findings
            if one.fingerprint in last_seen
            and not is_notice(one)
            and (is_false_alarm or _goes_on(one, incident.closed_at, last_seen[one.fingerprint], now))
        )
        if again and now >= quiet_until:
            found.append(_Candidate(incident.id, incident.closed_at, again))
    return found


def _goes_on(finding: Finding, closed_at: datetime, last_seen: datetime, now: datetime) -> bool:
    """Return whether a finding is what was there at the closing, and not a new break after a time of recovery."""
    began_before = min(finding.onset_at, finding.onset_interval[0]) <= closed_at.timestamp()
    return began_before or (last_seen > closed_at and (now - last_seen).total_seconds() <= UNBROKEN_SECONDS)


def _is_broken_since(services: Services, candidate: _Candidate, now: datetime, recent: timedelta) -> bool:
    since = max(candidate.quiet_since, now - recent)
    is_whole = candidate.quiet_since <= now - recent
    for finding in candidate.findings:
        try:
            state = recovery_now(services, finding, since, now).state
        except Exception:
            # A finding that cannot be tested is told rather than hidden, once its window lies after the closing.
            log.exception("not_tested_since_closing", incident_id=candidate.incident_id)
            state = RecoveryState.INSUFFICIENT_DATA
        if state is RecoveryState.STILL_BROKEN or (state is RecoveryState.INSUFFICIENT_DATA and is_whole):
            return True
    return False
