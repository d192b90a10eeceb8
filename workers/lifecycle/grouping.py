"""Group findings: into new incidents, active incidents, and incidents that closed recently."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from detection.correlation import Signature, groups, signature
from detection.types import Finding, IncidentStatus
from storage import incidents
from storage.models import Incident
from workers.settings import Settings

RELAPSE_MINUTES = 60.0
"""How long after an incident recovered by itself the same finding reopens it."""

MUTE_HOURS = 24.0
"""How long the findings of a false alarm are told to nobody."""


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """A group of findings and the incident they belong to; None means a new incident.

    muted: recorded, but no messages are sent. relapse: the incident is to be reopened, because it had recovered by
    itself and is broken again, or because a person closed it and it is broken still.
    """

    findings: tuple[Finding, ...]
    incident: Incident | None
    muted: bool = False
    relapse: bool = False


def group_findings(
    session: Session,
    findings: Sequence[Finding],
    settings: Settings,
    now: datetime,
    told_again: Collection[int] = (),
) -> list[FindingGroup]:
    """Group a tick's findings. Each finding is in exactly one group.

    told_again: the ids of closed incidents that are broken still and are to be reopened.
    """
    active = {incident.id: incident for incident in incidents.active_incidents(session)}
    lately = now - timedelta(minutes=max(settings.alert_cooldown_minutes, settings.recent_window_minutes))
    closed = {incident.id: incident for incident in incidents.recently_closed(session, lately)}
    relapsed = {incident.id: incident for incident in _relapsed(session, findings, active.values(), now)}
    closed |= relapsed
    relapsed |= {incident_id: closed[incident_id] for incident_id in told_again if incident_id in closed}
    cooldown_since = now - timedelta(minutes=settings.alert_cooldown_minutes)
    assigned: list[FindingGroup] = []
    fresh: list[Finding] = []
    for group in groups(findings, [_signature(incident) for incident in (*active.values(), *closed.values())]):
        if group.incident_id is None or group.incident_id in active:
            incident = active.get(group.incident_id) if group.incident_id is not None else None
            assigned.append(FindingGroup(group.findings, incident))
            continue
        if group.incident_id in relapsed:
            assigned.append(FindingGroup(group.findings, relapsed[group.incident_id], relapse=True))
            continue
        incident = closed[group.incident_id]
        old = [finding for finding in group.findings if _belongs_to_closed(incident, finding, cooldown_since, now)]
        fresh += [finding for finding in group.findings if finding not in old]
        if old:
            assigned.append(FindingGroup(tuple(old), incident, muted=True))
    return assigned + [FindingGroup(group.findings, None) for group in groups(fresh, [])]


def _relapsed(
    session: Session, findings: Sequence[Finding], active: Iterable[Incident], now: datetime
) -> list[Incident]:
    """Return the incidents that recovered by themselves and whose fingerprints reappear, in no active incident."""
    held = {record.fingerprint for incident in active for record in incident.findings}
    fresh = {finding.fingerprint for finding in findings} - held
    if not fresh:
        return []
    recovered = incidents.self_recovered(session, now - timedelta(minutes=RELAPSE_MINUTES))
    return [one for one in recovered if any(record.fingerprint in fresh for record in one.findings)]


def _belongs_to_closed(incident: Incident, finding: Finding, cooldown_since: datetime, now: datetime) -> bool:
    """Return whether a finding belongs to the closed incident and needs no new one.

    A false alarm keeps its own findings while it is muted and during the cooldown, and nothing else. Any other incident
    keeps what comes within the cooldown, or began before the closing; `told_again` says when that is told after all.
    """
    assert incident.closed_at is not None
    if incident.status == IncidentStatus.FALSE_ALARM:
        is_muted = incident.muted_until is not None and incident.muted_until > now
        known = {record.fingerprint for record in incident.findings}
        return finding.fingerprint in known and (is_muted or incident.closed_at >= cooldown_since)
    return incident.closed_at >= cooldown_since or finding.onset_at <= incident.closed_at.timestamp()


def _signature(incident: Incident) -> Signature:
    return signature(
        incident.id,
        incident.onset_at.timestamp(),
        [incidents.to_finding(record) for record in incident.findings],
    )
