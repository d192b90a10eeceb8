"""Other monitors' alerts in their current state: firing or resolved.

Deliveries may be repeated and arrive in any order; the newest state counts. A firing that began before the last known
end is an old delivery and ignored, and so is an end before the last known beginning.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from detection.types import AlertChange, Severity
from storage.alert_firings import record_begin, record_end
from storage.database.reading import readable
from storage.database.upserts import insert_if_new
from storage.models import Alert

FIRING, RESOLVED = "firing", "resolved"
KEPT_AFTER_THE_END = timedelta(days=35)
DROPPED_AT_ONCE = 2_000
"""How many alerts one transaction deletes, so that no writer waits long for it."""

_SEVERITIES: Mapping[str, Severity | None] = {
    **dict.fromkeys(("critical", "crit", "fatal", "emergency", "emerg", "page", "alert", "panic"), Severity.SEV2),
    **dict.fromkeys(("sev1", "p1", "sev2", "p2"), Severity.SEV2),
    **dict.fromkeys(("warning", "warn", "minor", "low", "sev4", "p4"), Severity.SEV4),
    **dict.fromkeys(("none", "info", "informational", "information", "notice", "debug", "ok", "success"), None),
}
_LONGEST_TEXT = 2000


def severity_of_word(word: str | None) -> Severity | None:
    """Map a sender's severity word to a severity; None for words such as "info", which need no attention."""
    return _SEVERITIES.get(word.strip().lower(), Severity.SEV3) if word else Severity.SEV3


def record_alerts(session: Session, changes: Sequence[AlertChange], *, now: datetime) -> None:
    """Store changes of alerts, always in the same order, so that two concurrent deliveries cannot deadlock."""
    for change in sorted(changes, key=lambda change: (fingerprint_of(change), change.happened_at, change.is_firing)):
        _record(session, change, now)


def fingerprint_of(change: AlertChange) -> str:
    """Return the fingerprint of an alert, which is the same for each of its firings.

    An alert counts within the API key that it came with: two Alertmanagers, say of two regions, may watch by the same
    rules, and the end of the one's alert is not the end of the other's. Those of one cluster share a key.
    """
    return f"{change.source[:50]}:{_digest(_within(change, change.identity))}"


def _within(change: AlertChange, text: str) -> str:
    return f"{change.application}\x1f{text}" if change.application else text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


def _record(session: Session, change: AlertChange, now: datetime) -> None:
    """Store one change: the alert's state, and in its record of firings that one began or ended."""
    began = _record_state(session, change, now)
    fingerprint = fingerprint_of(change)
    at = datetime.fromtimestamp(change.happened_at, UTC)
    if began:
        values = list(change.values.values())
        record_begin(session, fingerprint, at, float(values[0]) if len(values) == 1 else None)
    elif not change.is_firing:
        record_end(session, fingerprint, at)


def _record_state(session: Session, change: AlertChange, now: datetime) -> bool:
    """Store the alert's state; return whether a firing began, not merely went on."""
    at = datetime.fromtimestamp(change.happened_at, UTC)
    begun: dict[str, Any] = {
        "source": change.source[:50],
        "name": change.name[:200],
        "service": change.service[:200] if change.service else None,
        "severity": severity_of_word(change.severity),
        "state": FIRING if change.is_firing else RESOLVED,
        "started_at": at,
        "ended_at": None if change.is_firing else at,
        "heard_at": now,
        "quiet_at": now + timedelta(seconds=change.quiet_after_seconds),
        "told_at": None,
        "summary": change.summary[:_LONGEST_TEXT],
        "url": change.url[:_LONGEST_TEXT],
        "values": dict(change.values),
        "together": _digest(_within(change, change.together)) if change.together else None,
    }
    fingerprint = fingerprint_of(change)
    is_new = insert_if_new(session, Alert, {"fingerprint": fingerprint, **begun}, unique=["fingerprint"])
    if is_new and not _taken_over(session, change):
        return change.is_firing
    same = select(Alert).where(Alert.fingerprint == fingerprint).with_for_update()
    alert = next(iter(readable(session, same, values_of)), None)
    if alert is None:
        # What is stored cannot be read: what is said now takes its place.
        session.execute(update(Alert).where(Alert.fingerprint == fingerprint).values(**begun))
        return change.is_firing
    session.refresh(alert)
    if not change.is_firing:
        if alert.state == FIRING and at >= alert.started_at:
            alert.state, alert.ended_at, alert.heard_at = RESOLVED, at, now
        return False
    began = alert.state == RESOLVED
    if began:
        assert alert.ended_at is not None
        if at <= alert.ended_at:
            return False
    else:
        begun["started_at"] = min(at, alert.started_at)
    for name, value in begun.items():
        setattr(alert, name, value)
    return began


def values_of(alert: Alert) -> dict[str, float]:
    """Return the numbers that came with an alert, by name."""
    return {name: float(value) for name, value in alert.values.items()}


def _taken_over(session: Session, change: AlertChange) -> bool:
    """Let a row that an earlier version stored, without the application, go on as this alert's; False without one."""
    if not change.application:
        return False
    earlier = fingerprint_of(replace(change, application=""))
    found = session.scalars(select(Alert).where(Alert.fingerprint == earlier).with_for_update()).one_or_none()
    if found is None:
        return False
    session.execute(delete(Alert).where(Alert.fingerprint == fingerprint_of(change)))
    found.fingerprint = fingerprint_of(change)
    session.flush()
    return True


def firing_alerts(session: Session, *, now: datetime) -> Sequence[Alert]:
    """Return firing alerts that need attention and can be read, oldest first."""
    query = select(Alert).where(Alert.state == FIRING, Alert.severity.is_not(None), Alert.quiet_at > now)
    return readable(session, query.order_by(Alert.started_at, Alert.id), values_of)


def resolve_stale_alerts(session: Session, *, now: datetime) -> None:
    """Resolve firing alerts that were not heard of again within the time their sender allows."""
    stale = select(Alert.id).where(Alert.state == FIRING, Alert.quiet_at <= now)
    # An alert that somebody holds is being heard of at this moment.
    ids = session.scalars(stale.order_by(Alert.id).with_for_update(skip_locked=True)).all()
    if not ids:
        return
    for alert in session.execute(select(Alert.fingerprint, Alert.quiet_at).where(Alert.id.in_(ids))):
        record_end(session, alert.fingerprint, alert.quiet_at)
    session.execute(
        update(Alert).where(Alert.id.in_(ids)).values(state=RESOLVED, ended_at=Alert.quiet_at),
        execution_options={"synchronize_session": False},
    )


def unannounced_ends(session: Session, *, ended_by: datetime) -> Sequence[int]:
    """Return the ids of alerts that ended by `ended_by` and whose end was not announced yet, oldest first."""
    query = select(Alert.id).where(Alert.told_at.is_(None), Alert.ended_at.is_not(None), Alert.ended_at <= ended_by)
    return session.scalars(query.order_by(Alert.ended_at, Alert.id)).all()


def alerts_named(session: Session, name: str, service: str | None) -> Sequence[Alert]:
    """Return every alert of this name and service."""
    return session.scalars(select(Alert).where(Alert.name == name, Alert.service == service).order_by(Alert.id)).all()


def fingerprints_named(session: Session, names: Collection[str]) -> Mapping[tuple[str, str | None], frozenset[str]]:
    """Return the fingerprints of every alert with one of these names, by its name and service; read in one query."""
    found: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    query = select(Alert.name, Alert.service, Alert.fingerprint).where(Alert.name.in_(sorted(set(names))))
    for name, service, fingerprint in session.execute(query):
        found[name, service].add(fingerprint)
    return {key: frozenset(some) for key, some in found.items()}


def drop_old_alerts(session: Session, *, now: datetime) -> int:
    """Delete up to DROPPED_AT_ONCE alerts resolved more than KEPT_AFTER_THE_END ago; return how many."""
    old = select(Alert.id).where(Alert.state == RESOLVED, Alert.ended_at < now - KEPT_AFTER_THE_END)
    ids = session.scalars(old.limit(DROPPED_AT_ONCE)).all()
    if ids:
        session.execute(delete(Alert).where(Alert.id.in_(ids)))
    return len(ids)
