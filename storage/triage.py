"""What was decided about what fires, and what people said of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from detection.types import IncidentStatus, Metric
from storage.database.reading import readable
from storage.database.rows import get
from storage.database.upserts import insert_if_new
from storage.models import FindingRecord, Incident, TriageDecision, TriageWord

KEPT = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision about a firing finding, as it is stored. See TriageDecision."""

    fingerprint: str
    name: str
    service: str | None
    decision: str
    rule: str
    reason: str
    joins: str | None
    log_odds: float
    fired_at: datetime


def holding(session: Session, *, of_alerts: bool) -> dict[str, TriageDecision]:
    """Return the decisions that hold now by fingerprint, the latest first: of alerts, or of own findings."""
    query = select(TriageDecision).where(TriageDecision.over_at.is_(None))
    rows = readable(session, query.order_by(TriageDecision.decided_at.desc(), TriageDecision.id.desc()))
    return {row.fingerprint: row for row in rows if is_of_alert(row) == of_alerts}


def is_of_alert(decision: TriageDecision) -> bool:
    """Return whether it is about an alert of another monitor, and not about a finding of Argux."""
    return decision.fingerprint.startswith(f"{Metric.ALERT}:")


def holds(earlier: TriageDecision, new: NewDecision) -> bool:
    """Return whether an earlier decision about the same firing still holds."""
    same = earlier.fired_at == new.fired_at and earlier.decision == new.decision
    # Which of several reasons for waking weighs most may change with every sample; that is no change of mind.
    return same and (new.decision == "wake" or (earlier.rule, earlier.joins) == (new.rule, new.joins))


def decide(session: Session, new: NewDecision, earlier: TriageDecision | None, *, now: datetime) -> TriageDecision:
    """Store a decision. earlier: the one that held until now; the same decision is only marked as read again."""
    same_firing = earlier is not None and earlier.fired_at == new.fired_at
    if earlier is not None and holds(earlier, new):
        earlier.read_at, earlier.reason, earlier.log_odds = now, new.reason, new.log_odds
        return earlier
    waiting_since = earlier.waiting_since if earlier is not None and same_firing else None
    if earlier is not None:
        earlier.over_at = now
    if waiting_since is None and new.decision != "wake":
        waiting_since = now
    row = TriageDecision(
        fingerprint=new.fingerprint[:500],
        name=new.name[:300],
        service=new.service,
        decision=new.decision,
        rule=new.rule,
        reason=new.reason,
        joins=new.joins,
        log_odds=new.log_odds,
        fired_at=new.fired_at,
        decided_at=now,
        waiting_since=waiting_since,
        read_at=now,
    )
    session.add(row)
    session.flush()
    return row


def end_decisions(session: Session, ids: Collection[int], *, now: datetime) -> None:
    """Mark decisions as over, because what they are about fires no more."""
    if ids:
        session.execute(update(TriageDecision).where(TriageDecision.id.in_(sorted(ids))).values(over_at=now))


def unlisted(session: Session, *, limit: int) -> Sequence[TriageDecision]:
    """Return what waits for a digest and no digest has listed: the latest decision of each firing, if it is to wait."""
    latest = select(func.max(TriageDecision.id)).group_by(TriageDecision.fingerprint, TriageDecision.fired_at)
    query = select(TriageDecision).where(
        TriageDecision.listed_at.is_(None),
        TriageDecision.decision == "digest",
        TriageDecision.id.in_(latest),
    )
    return readable(session, query.order_by(TriageDecision.id.desc()).limit(limit))


def mark_listed(session: Session, ids: Collection[int], *, now: datetime) -> None:
    """Mark decisions as listed by a digest."""
    session.execute(update(TriageDecision).where(TriageDecision.id.in_(sorted(ids))).values(listed_at=now))


def latest(session: Session, *, limit: int, only_holding: bool = False) -> Sequence[TriageDecision]:
    """Return decisions, the latest first."""
    query = select(TriageDecision)
    if only_holding:
        query = query.where(TriageDecision.over_at.is_(None))
    return readable(session, query.order_by(TriageDecision.decided_at.desc(), TriageDecision.id.desc()).limit(limit))


def count_holding(session: Session) -> tuple[int, int]:
    """Return how many decisions hold now: about alerts of other monitors, and about findings of Argux."""
    prints = session.scalars(select(TriageDecision.fingerprint).where(TriageDecision.over_at.is_(None))).all()
    alerts = sum(fingerprint.startswith(f"{Metric.ALERT}:") for fingerprint in prints)
    return alerts, len(prints) - alerts


def should_have_woken(
    session: Session, decision_id: int, *, said_by: str, now: datetime
) -> tuple[TriageDecision, bool]:
    """Keep the word of a person that this should have woken people; True if it is new.

    Raise NotFoundError if there is no such decision.
    """
    decision = get(session, TriageDecision, decision_id, "decision of triage")
    values = {"decision_id": decision_id, "fingerprint": decision.fingerprint, "said_by": said_by, "said_at": now}
    return decision, insert_if_new(session, TriageWord, values, unique=["decision_id"])


def words_about(session: Session, fingerprints: Collection[str], since: datetime) -> Mapping[str, tuple[int, int]]:
    """Return how often people called each a false alarm, and how often they said that it should have woken them."""
    names = sorted(fingerprints)
    false_alarms = (
        select(FindingRecord.fingerprint, func.count())
        .join(Incident, Incident.id == FindingRecord.incident_id)
        .where(
            FindingRecord.fingerprint.in_(names),
            Incident.status == IncidentStatus.FALSE_ALARM,
            Incident.closed_at >= since,
        )
        .group_by(FindingRecord.fingerprint)
    )
    missed = (
        select(TriageWord.fingerprint, func.count())
        .where(TriageWord.fingerprint.in_(names), TriageWord.said_at >= since)
        .group_by(TriageWord.fingerprint)
    )
    alarms = {row[0]: row[1] for row in session.execute(false_alarms)}
    woken = {row[0]: row[1] for row in session.execute(missed)}
    return {name: (alarms.get(name, 0), woken.get(name, 0)) for name in alarms.keys() | woken.keys()}


def drop_old_decisions(session: Session, *, now: datetime, at_once: int) -> int:
    """Delete up to `at_once` decisions older than KEPT that hold no more; return how many. What people said stays."""
    old = select(TriageDecision.id).where(TriageDecision.decided_at < now - KEPT, TriageDecision.over_at.is_not(None))
    ids = session.scalars(old.limit(at_once)).all()
    if ids:
        session.execute(delete(TriageDecision).where(TriageDecision.id.in_(ids)))
    return len(ids)
