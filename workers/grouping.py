"""Which findings are one incident, which belong to one that is open, and which to one that was just closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from detection.correlation import Signature, groups, signature
from detection.types import Finding, IncidentStatus
from storage import incidents
from storage.models import Incident
from workers.settings import Settings


@dataclass(frozen=True, slots=True)
class Belonging:
    """Findings of one trouble and the incident they belong to; None means a new one. Muted: recorded, not told."""

    findings: tuple[Finding, ...]
    incident: Incident | None
    muted: bool = False


def belongings(session: Session, findings: Sequence[Finding], settings: Settings, now: datetime) -> list[Belonging]:
    """Sort a tick's findings out; each is in exactly one of the answers."""
    active = {incident.id: incident for incident in incidents.active_incidents(session)}
    lately = now - timedelta(minutes=max(settings.alert_cooldown_minutes, settings.recent_window_minutes))
    closed = {incident.id: incident for incident in incidents.lately_closed(session, lately)}
    cooldown_since = now - timedelta(minutes=settings.alert_cooldown_minutes)
    sorted_out: list[Belonging] = []
    fresh: list[Finding] = []
    for group in groups(findings, [_signature(incident) for incident in (*active.values(), *closed.values())]):
        if group.incident_id is None or group.incident_id in active:
            incident = active.get(group.incident_id) if group.incident_id is not None else None
            sorted_out.append(Belonging(group.findings, incident))
            continue
        incident = closed[group.incident_id]
        old = [finding for finding in group.findings if _is_old_news(incident, finding, cooldown_since)]
        fresh += [finding for finding in group.findings if finding not in old]
        if old:
            sorted_out.append(Belonging(tuple(old), incident, muted=True))
    return sorted_out + [Belonging(group.findings, None) for group in groups(fresh, [])]


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
