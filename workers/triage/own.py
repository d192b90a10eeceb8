"""What is decided about Argux's own findings: they wake, unless an incident holds them already.

They have withstood a statistical test, so nothing is weighed anew, and grouping has put them into incidents. This keeps
what became of each, and why, so that it is shown beside the alerts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.triage import Decision
from detection.types import Finding, Metric
from storage import maintenance
from storage import triage as stored
from storage.models import FindingRecord, Incident, MaintenanceWindow, TriageDecision
from storage.triage import NewDecision
from workers.services import Services
from workers.triage.keeping import keep_decisions
from workers.words.findings import subject_text


@dataclass(frozen=True, slots=True)
class _Holder:
    """The incident that holds a finding. root: the fingerprint and the name of the finding that opened it."""

    incident_id: int
    is_closed: bool
    service: str | None
    root: tuple[str, str]


def keep_own(services: Services, findings: Sequence[Finding], watched: Collection[Metric], now: datetime) -> None:
    """Keep the decisions about a tick's own findings, after they were recorded in incidents.

    watched: the metrics that could be watched. A finding of these that is found no more, and whose incident is closed,
    is over.
    """
    own = [finding for finding in findings if finding.metric is not Metric.ALERT]
    with services.readers() as session:
        earlier = stored.holding(session, of_alerts=False)
        if not own and not earlier:
            return
        holders = _holders(session, earlier.keys() | {finding.fingerprint for finding in own})
        windows = [one for one in maintenance.windows_not_over(session, now) if one.begins_at <= now]
    new = [
        _decision(finding, holders.get(finding.fingerprint), windows, earlier.get(finding.fingerprint))
        for finding in own
    ]
    found = {finding.fingerprint for finding in own}
    over = [
        decision
        for fingerprint, decision in earlier.items()
        if fingerprint not in found
        and fingerprint.split(":", 1)[0] in set(watched)
        and (fingerprint not in holders or holders[fingerprint].is_closed)
    ]
    keep_decisions(services, new, earlier, over, now)


def _holders(session: Session, fingerprints: Collection[str]) -> dict[str, _Holder]:
    """Return the latest incident that holds each finding, by fingerprint."""
    query = (
        select(FindingRecord.fingerprint, Incident)
        .join(Incident, Incident.id == FindingRecord.incident_id)
        .where(FindingRecord.fingerprint.in_(sorted(fingerprints)))
        .order_by(Incident.id)
    )
    latest: dict[str, Incident] = {row[0]: row[1] for row in session.execute(query)}
    return {
        fingerprint: _Holder(incident.id, incident.status.is_closed, incident.service, _root(incident))
        for fingerprint, incident in latest.items()
    }


def _root(incident: Incident) -> tuple[str, str]:
    first = min(incident.findings, key=lambda record: record.id)
    return first.fingerprint, str(first.subject.get("name", ""))


def _decision(
    finding: Finding, holder: _Holder | None, windows: Sequence[MaintenanceWindow], earlier: TriageDecision | None
) -> NewDecision:
    decision, rule, reason, joins = _judged(finding, holder, windows)
    return NewDecision(
        fingerprint=finding.fingerprint,
        name=subject_text(finding),
        service=finding.subject.service,
        decision=decision.value,
        rule=rule,
        reason=reason,
        joins=joins,
        log_odds=0.0,
        # The onset is estimated anew with every sample; it is the same firing.
        fired_at=datetime.fromtimestamp(finding.onset_at, UTC) if earlier is None else earlier.fired_at,
    )


def _judged(
    finding: Finding, holder: _Holder | None, windows: Sequence[MaintenanceWindow]
) -> tuple[Decision, str, str, str | None]:
    """Return the decision, its code, its reason and what the finding joins."""
    if holder is None:
        return Decision.WAKE, "tested", "It has withstood the test of Argux.", None
    number = holder.incident_id
    if holder.is_closed:
        return Decision.RECORD, "closed", f"Incident #{number} about it was closed a short while ago.", None
    service = holder.service or finding.subject.service
    window = next((one for one in windows if one.service is None or one.service == service), None)
    if window is not None:
        reason = f"Maintenance ({window.reason}) holds back the messages of incident #{number}."
        return Decision.RECORD, "maintenance", reason, None
    fingerprint, name = holder.root
    if fingerprint == finding.fingerprint:
        return Decision.WAKE, "tested", f"It has withstood the test of Argux and opened incident #{number}.", None
    return Decision.RECORD, "owned", f"It is part of incident #{number}, which {name} has opened.", fingerprint
