"""Incidents: open them, record findings, change their status, and keep their timeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Select, delete, select, union, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from detection.types import Finding, IncidentStatus, Metric, Severity, Subject
from storage.database.reading import readable
from storage.database.rows import get, hold
from storage.errors import InvalidTransitionError
from storage.finding_details import details_of, details_to_json
from storage.models import FindingRecord, Incident, TimelineEntry, Verification

ARGUX = "Argux"
_ACTIVE = tuple(status for status in IncidentStatus if not status.is_closed)
_CLOSED = tuple(status for status in IncidentStatus if status.is_closed)
_AWAITING_PEOPLE = tuple(status for status in IncidentStatus if status.awaits_people)
_NEXT: Mapping[IncidentStatus, frozenset[IncidentStatus]] = {
    IncidentStatus.OPEN: frozenset({IncidentStatus.ACKNOWLEDGED, IncidentStatus.MITIGATING, *_CLOSED}),
    IncidentStatus.ACKNOWLEDGED: frozenset({IncidentStatus.OPEN, IncidentStatus.MITIGATING, *_CLOSED}),
    IncidentStatus.MITIGATING: frozenset({IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED, *_CLOSED}),
    IncidentStatus.RESOLVED: frozenset({IncidentStatus.OPEN}),
    IncidentStatus.FALSE_ALARM: frozenset({IncidentStatus.OPEN}),
}


def open_incident(
    session: Session,
    *,
    title: str,
    severity: Severity,
    service: str | None,
    onset_at: datetime,
    now: datetime,
) -> Incident:
    """Open an incident, and begin its timeline with that."""
    incident = Incident(
        title=title,
        status=IncidentStatus.OPEN,
        severity=severity,
        service=service,
        onset_at=onset_at,
        opened_at=now,
        updated_at=now,
    )
    session.add(incident)
    session.flush()
    add_timeline(session, incident.id, kind="opened", actor=ARGUX, text=title, now=now)
    return incident


def active_incidents(session: Session) -> Sequence[Incident]:
    """Return open, acknowledged and mitigating incidents with their findings, oldest first."""
    return _with_findings(session, select(Incident).where(Incident.status.in_(_ACTIVE)).order_by(Incident.id))


def list_incidents(session: Session, *, status: IncidentStatus | None = None, limit: int = 50) -> Sequence[Incident]:
    """Return incidents of one status, or all, with their findings, newest first."""
    query = select(Incident).order_by(Incident.opened_at.desc(), Incident.id.desc()).limit(limit)
    if status is not None:
        query = query.where(Incident.status == status)
    return _with_findings(session, query)


def _with_findings(session: Session, query: Select[Incident]) -> list[Incident]:
    """Return the incidents that can be read, with their findings that can be read."""
    rows = readable(session, query)
    ids = [row.id for row in rows]
    named = select(FindingRecord).where(FindingRecord.incident_id.in_(ids)).order_by(FindingRecord.id)
    found: dict[int, list[FindingRecord]] = {incident_id: [] for incident_id in ids}
    for record in readable(session, named, to_finding) if ids else ():
        found[record.incident_id].append(record)
    for row in rows:
        set_committed_value(row, "findings", found[row.id])
    return rows


def findings_of(session: Session, incident_id: int) -> list[Finding]:
    """Return the incident's findings that can be read, in the order of their recording."""
    query = select(FindingRecord).where(FindingRecord.incident_id == incident_id).order_by(FindingRecord.id)
    return [to_finding(record) for record in readable(session, query, to_finding)]


def fingerprints_of(session: Session, incident_id: int) -> set[str]:
    """Return the fingerprints of all of the incident's findings."""
    return set(session.scalars(select(FindingRecord.fingerprint).where(FindingRecord.incident_id == incident_id)))


def get_incident(session: Session, incident_id: int) -> Incident:
    """Return one incident; raise NotFoundError if there is none."""
    return get(session, Incident, incident_id, "incident")


def shown_incident(session: Session, incident_id: int) -> Incident:
    """Return one incident with those of its findings that can be read, for showing it; raise NotFoundError if none."""
    found = _with_findings(session, select(Incident).where(Incident.id == incident_id))
    return found[0] if found else get_incident(session, incident_id)


def record_finding(session: Session, incident: Incident, finding: Finding, *, now: datetime) -> FindingRecord:
    """Record a finding, one row per fingerprint of the incident, kept at its worst.

    A finding that is milder than the recorded one only updates last_seen_at. A row that cannot be read is written anew.
    """
    hold(session, incident)
    is_same = (FindingRecord.incident_id == incident.id, FindingRecord.fingerprint == finding.fingerprint)
    record = next(iter(readable(session, select(FindingRecord).where(*is_same), to_finding)), None)
    if record is None:
        session.execute(delete(FindingRecord).where(*is_same))
        record = FindingRecord(incident=incident, fingerprint=finding.fingerprint, first_seen_at=now)
        session.add(record)
        _describe(record, finding)
    elif _is_worse(finding, to_finding(record)):
        _describe(record, finding)
    record.last_seen_at = now
    record.latest_observed, record.latest_expected = finding.observed, finding.expected
    incident.updated_at = now
    session.flush()
    return record


def mark_seen(session: Session, incident_id: int, fingerprint: str, *, at: datetime) -> None:
    """Record that a finding was still broken at this time, although no detector has reported it again."""
    session.execute(
        update(FindingRecord)
        .where(FindingRecord.incident_id == incident_id, FindingRecord.fingerprint == fingerprint)
        .values(last_seen_at=at)
    )


def latest_finding(record: FindingRecord) -> Finding:
    """Convert a row to the finding as it was when last seen: with its latest values in place of its worst."""
    worst = to_finding(record)
    if record.latest_observed is None or record.latest_expected is None:
        return worst
    return dataclasses.replace(worst, observed=record.latest_observed, expected=record.latest_expected)


def _is_worse(finding: Finding, known: Finding) -> bool:
    """Tell whether a finding is further from the expected value than the known one, in the known one's direction."""
    return finding.ratio > known.ratio if known.ratio > 1.0 else finding.ratio < known.ratio


def to_finding(record: FindingRecord) -> Finding:
    """Convert a row to detection's Finding."""
    return Finding(
        detector=record.detector,
        metric=Metric(record.metric),
        subject=Subject(**record.subject),
        observed=record.observed,
        expected=record.expected,
        expected_low=record.expected_low,
        expected_high=record.expected_high,
        sample_size=record.sample_size,
        score=record.score,
        p_value=record.p_value,
        window_start=record.window_start.timestamp(),
        window_end=record.window_end.timestamp(),
        onset_at=record.onset_at.timestamp(),
        details=details_of(record),
    )


def add_timeline(
    session: Session, incident_id: int, *, kind: str, actor: str, text: str, now: datetime
) -> TimelineEntry:
    """Add a timeline entry: what happened, in words. actor: a person's name or "Argux"."""
    entry = TimelineEntry(incident_id=incident_id, kind=kind, actor=actor, text=text, happened_at=now)
    session.add(entry)
    session.flush()
    return entry


def change_status(
    session: Session,
    incident: Incident,
    status: IncidentStatus,
    *,
    actor: str,
    now: datetime,
    by_hand: bool = False,
    reason: str | None = None,
) -> None:
    """Change the incident's status and record who did it and when. Raises InvalidTransitionError if not allowed.

    The transition is checked on the locked row, so that of two people who press at once only the first succeeds.
    by_hand, reason: for a closing, whether a person did it, and why. An open incident has nobody on it: opening one
    again ends its acknowledgement and its mute, which the timeline keeps.
    """
    hold(session, incident)
    before = IncidentStatus(incident.status)
    if status not in _NEXT[before]:
        raise InvalidTransitionError(before, status)
    text = _transition_text(before, status)
    if status == IncidentStatus.OPEN and incident.acknowledged_by:
        text += f"; {incident.acknowledged_by} was on it"
    if reason:
        text += f": {reason}"
    incident.status = status
    incident.updated_at = now
    if status == IncidentStatus.ACKNOWLEDGED:
        incident.acknowledged_at, incident.acknowledged_by = now, actor
    elif status == IncidentStatus.OPEN:
        incident.acknowledged_at = incident.acknowledged_by = None
    incident.closed_at, incident.closed_by = (now, actor) if status.is_closed else (None, None)
    incident.closed_by_hand = status.is_closed and by_hand
    incident.closing_reason = reason if status.is_closed else None
    incident.muted_until = None
    add_timeline(session, incident.id, kind=str(status), actor=actor, text=text, now=now)


def expired_snoozes(session: Session, now: datetime) -> Sequence[int]:
    """Return the ids of incidents whose snooze has run out and was not ended yet."""
    # Sorted here: asked to sort by id, SQLite would rather read every incident than use the index.
    return sorted(session.scalars(select(Incident.id).where(Incident.snoozed_until <= now)))


def recently_closed(session: Session, since: datetime) -> Sequence[Incident]:
    """Return incidents closed since then, with their findings.

    Also false alarms that are muted, or whose findings were seen since then.
    """
    still_seen = (
        select(FindingRecord.incident_id)
        .join(Incident, Incident.id == FindingRecord.incident_id)
        .where(Incident.status == IncidentStatus.FALSE_ALARM, FindingRecord.last_seen_at >= since)
    )
    # Three questions, each with an index of its own: with OR the database would read every incident.
    recent = select(Incident.id).where(Incident.closed_at >= since)
    muted = select(Incident.id).where(Incident.muted_until >= since)
    query = select(Incident).where(Incident.status.in_(_CLOSED), Incident.id.in_(union(recent, muted, still_seen)))
    return _with_findings(session, query.order_by(Incident.id))


def closed_by_hand_and_seen(session: Session, since: datetime) -> Sequence[Incident]:
    """Return the incidents that a person closed and whose findings were seen since then, with their findings."""
    seen = select(FindingRecord.incident_id).where(FindingRecord.last_seen_at >= since)
    query = select(Incident).where(
        Incident.status.in_(_CLOSED), Incident.closed_by_hand.is_(True), Incident.id.in_(seen)
    )
    return _with_findings(session, query.order_by(Incident.id))


def muted(session: Session, now: datetime) -> Sequence[Incident]:
    """Return the false alarms whose findings are told to nobody yet."""
    found = readable(session, select(Incident).where(Incident.muted_until > now))
    # An ORDER BY would make SQLite walk the primary key instead of the index of mutes.
    return sorted(found, key=lambda incident: incident.id)


def unseen_since(session: Session, moment: datetime) -> Sequence[int]:
    """Return ids of open and acknowledged incidents with findings, none of them seen after `moment`.

    Incidents with a running verification are left out.
    """
    seen = select(FindingRecord.incident_id).where(FindingRecord.last_seen_at > moment)
    verified = select(Verification.incident_id).where(Verification.status == "running")
    query = select(Incident.id).where(
        Incident.status.in_(_AWAITING_PEOPLE),
        Incident.findings.any(),
        Incident.id.not_in(seen),
        Incident.id.not_in(verified),
    )
    return session.scalars(query.order_by(Incident.id)).all()


def self_recovered(session: Session, since: datetime) -> Sequence[Incident]:
    """Return incidents resolved since then because they recovered by themselves, with their findings."""
    query = (
        select(Incident)
        .join(Verification, Verification.incident_id == Incident.id)
        .where(
            Incident.status == IncidentStatus.RESOLVED,
            Incident.closed_at >= since,
            Verification.action_id.is_(None),
            Verification.finished_at == Incident.closed_at,
        )
    )
    return _with_findings(session, query.order_by(Incident.id))


def _transition_text(before: IncidentStatus, after: IncidentStatus) -> str:
    """Describe a status change for the timeline: "acknowledged", "reopened"."""
    if after == IncidentStatus.OPEN and before != IncidentStatus.OPEN:
        return "reopened"
    return "marked as a false alarm" if after == IncidentStatus.FALSE_ALARM else after.value


def _describe(record: FindingRecord, finding: Finding) -> None:
    record.detector = finding.detector
    record.metric = str(finding.metric)
    record.subject = dataclasses.asdict(finding.subject)
    record.observed = finding.observed
    record.expected = finding.expected
    record.expected_low = finding.expected_low
    record.expected_high = finding.expected_high
    record.sample_size = finding.sample_size
    record.score = finding.score
    record.p_value = finding.p_value
    record.window_start = datetime.fromtimestamp(finding.window_start, UTC)
    record.window_end = datetime.fromtimestamp(finding.window_end, UTC)
    record.onset_at = datetime.fromtimestamp(finding.onset_at, UTC)
    record.details = details_to_json(finding.details)
