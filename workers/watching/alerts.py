"""Alerts of other monitors: each firing alert is a finding."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from detection.recovery import Recovery, RecoveryState
from detection.types import AlertDetails, Finding, Metric, Severity, Subject
from integrations.charts import Point
from storage.alerts import FIRING, alerts_named, firing_alerts, values_of
from storage.models import Alert, FindingRecord, Incident
from workers.services import Services
from workers.watching.watch import Tick, Watch

DETECTOR = "alert"
RULES_WAIT_SECONDS = 300.0
"""An alert rule usually holds for some minutes before it fires; the onset is at most this much earlier."""

_SUMMARY_LENGTH = 200


def findings(services: Services, tick: Tick) -> list[Finding]:
    """Return one finding per alert name and service, whatever the number of firing instances.

    Leave out an alert that fired before Argux closed the incident about it, until it fires again.
    """
    with services.readers() as session:
        alerts = firing_alerts(session, now=tick.now)
        closed = _closed(session, min((alert.started_at for alert in alerts), default=tick.now))
    by_subject: dict[str, list[Alert]] = {}
    for alert in alerts:
        fingerprint = f"{Metric.ALERT}:{alert_subject(alert.service, alert.name).key()}"
        if alert.started_at.timestamp() > closed.get(fingerprint, float("-inf")):
            by_subject.setdefault(fingerprint, []).append(alert)
    return [_finding(same, tick.now) for same in by_subject.values()]


def _closed(session: Session, since: datetime) -> dict[str, float]:
    """Return when Argux last closed an incident of each alert, in seconds UTC, by fingerprint.

    What a person closed goes on being found: an alert that fires on is broken still.
    """
    query = (
        select(FindingRecord.fingerprint, func.max(Incident.closed_at))
        .join(Incident, Incident.id == FindingRecord.incident_id)
        .where(
            FindingRecord.metric == Metric.ALERT.value,
            Incident.closed_at >= since,
            Incident.closed_by_hand.is_(False),
        )
        .group_by(FindingRecord.fingerprint)
    )
    return {fingerprint: closed_at.timestamp() for fingerprint, closed_at in session.execute(query) if closed_at}


def alert_subject(service: str | None, name: str) -> Subject:
    """Return the subject of a finding about an alert."""
    return Subject("alert", name, service=service)


def _finding(alerts: Sequence[Alert], now: datetime) -> Finding:
    """Make one finding of the alerts of one name and service; the most severe alert fills in the details."""
    worst = min(alerts, key=lambda alert: (alert.severity or Severity.SEV4, alert.started_at))
    onset = min(alert.started_at for alert in alerts).timestamp()
    return Finding(
        detector=DETECTOR,
        metric=Metric.ALERT,
        subject=alert_subject(worst.service, worst.name),
        observed=float(len(alerts)),
        expected=0.0,
        expected_low=0.0,
        expected_high=0.0,
        sample_size=len(alerts),
        score=0.0,
        p_value=0.0,
        window_start=onset,
        window_end=max(now.timestamp(), onset),
        onset_at=onset,
        details=AlertDetails(
            source=worst.source,
            severity=worst.severity,
            summary=worst.summary[:_SUMMARY_LENGTH],
            url=worst.url,
            values=values_of(worst),
            together=worst.together,
            onset_low=onset - RULES_WAIT_SECONDS,
            onset_high=onset,
        ),
    )


def points(services: Services, finding: Finding, since: float, until: float) -> tuple[Point, ...]:
    """Return no points: an alert has no curve to draw."""
    return ()


def retest(services: Services, finding: Finding, live_at: float, until: float) -> Recovery:
    """Report recovered if no instance of the alert fires, else still broken.

    An instance that fires since before the fix may still resolve.
    """
    with services.readers() as session:
        alerts = alerts_named(session, finding.subject.name, finding.subject.service)
    firing = [alert for alert in alerts if alert.state == FIRING]
    state = RecoveryState.STILL_BROKEN if firing else RecoveryState.RECOVERED
    return Recovery(
        state=state,
        metric=Metric.ALERT,
        before=0.0,
        during=finding.observed,
        after=float(len(firing)),
        recovered_share=0.0 if firing else 1.0,
        sample_size=len(alerts),
        normal_low=0.0,
        normal_high=0.0,
    )


WATCH = Watch(frozenset({Metric.ALERT}), findings, points, retest)
