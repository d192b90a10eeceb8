"""Which findings are one incident, which belong to one that is open, and which to one that was just closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from detection.correlation import Signature, groups, signature
from detection.types import Finding, IncidentStatus
from storage import incidents
from storage.models import Incident
from workers.settings import Settings

RELAPSE_MINUTES = 60.0
"""So soon after an incident went back to usual by itself the same trouble is the same incident."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """Findings of one trouble and the incident they belong to; None means a new one.

    muted: recorded, not told. relapse: the incident had gone back to usual by itself, and is to be opened again.
    """

    findings: tuple[Finding, ...]
    incident: Incident | None
    muted: bool = False
    relapse: bool = False


def belongings(session: Session, findings: Sequence[Finding], settings: Settings, now: datetime) -> list[Belonging]:
    """Sort a tick's findings out; each is in exactly one of the answers."""
    active = {incident.id: incident for incident in incidents.active_incidents(session)}
    lately = now - timedelta(minutes=max(settings.alert_cooldown_minutes, settings.recent_window_minutes))
    closed = {incident.id: incident for incident in incidents.recently_closed(session, lately)}
    relapsed = {incident.id: incident for incident in _relapsed(session, findings, active.values(), now)}
    closed |= relapsed
    cooldown_since = now - timedelta(minutes=settings.alert_cooldown_minutes)
    sorted_out: list[Belonging] = []
    fresh: list[Finding] = []
    for group in groups(findings, [_signature(incident) for incident in (*active.values(), *closed.values())]):
        if group.incident_id is None or group.incident_id in active:
            incident = active.get(group.incident_id) if group.incident_id is not None else None
            sorted_out.append(Belonging(group.findings, incident))
            continue
        if group.incident_id in relapsed:
            sorted_out.append(Belonging(group.findings, relapsed[group.incident_id], relapse=True))
            continue
        incident = closed[group.incident_id]
        old = [finding for finding in group.findings if _is_old_news(incident, finding, cooldown_since)]
        fresh += [finding for finding in group.findings if finding not in old]
        if old:
            sorted_out.append(Belonging(tuple(old), incident, muted=True))
    return sorted_out + [Belonging(group.findings, None) for group in groups(fresh, [])]


def _relapsed(
    session: Session, findings: Sequence[Finding], active: Iterable[Incident], now: datetime
) -> list[Incident]:
    """Those that went back to usual by themselves, of which just the same is broken again and nowhere else yet."""
    held = {record.fingerprint for incident in active for record in incident.findings}
    fresh = {finding.fingerprint for finding in findings} - held
    if not fresh:
        return []
    recovered = incidents.self_recovered(session, now - timedelta(minutes=RELAPSE_MINUTES))
    return [one for one in recovered if any(record.fingerprint in fresh for record in one.findings)]


def _is_old_news(incident: Incident, finding: Finding, cooldown_since: datetime) -> bool:
    """Within the cooldown, begun before the closing, or a false alarm that has gone on ever since."""
    assert incident.closed_at is not None
    if incident.closed_at >= cooldown_since or finding.onset_at <= incident.closed_at.timestamp():
        return True
    known = {record.fingerprint for record in incident.findings}
    return incident.status == IncidentStatus.FALSE_ALARM and finding.fingerprint in known


def _signature(incident: Incident) -> Signature:
    return signature(
        incident.id,
        incident.onset_at.timestamp(),
        [incidents.to_finding(record) for record in incident.findings],
    )
