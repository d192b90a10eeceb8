"""Firing alerts as triage judges them: their own record, the samples of what they watch, and what surrounds them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from detection.symptoms import metric_meaning
from detection.triage import Context, Firing, KnownLimit, LogPattern, PastWords, RecentChange, numbers_named
from detection.types import AlertDetails, Finding, FlagChange, MetricSeries
from storage.alert_firings import PastFiring, firings_since
from storage.alerts import fingerprints_named
from storage.deploys import deploys_between
from storage.metric_limits import list_limits
from storage.surroundings.flags import flag_changes_between
from storage.surroundings.service_map import edges_below
from storage.telemetry.protocol import MetricName
from storage.telemetry.protocol.resolutions import FINE_METRIC_SECONDS
from storage.triage import words_about
from workers.services import Services
from workers.triage.log_patterns import patterns_of

RECORD_HOURS = 1.0
CHANGES_HOURS = 2.0
SAMPLES_HOURS = 3.0
BEFORE_HOURS, AT_MOST_HOURS = 1.0, 12.0
"""What was there before an alert began explains it for as long as it lasts; so far back it is read, at most."""
WORDS_DAYS = 35.0
WITH_SAMPLES = 20
"""Samples are read for so many alerts of one tick: in a larger storm their record and their causes decide."""
WITH_LOGS = 50
"""Logs are read for the services of so many alerts, the latest."""

EDGES_DAYS = 7.0
CALLS_FOLLOWED = 4
_SERIES_OF_A_SERVICE = 200


@dataclass(frozen=True, slots=True)
class Scene:
    """The firings, in the order of the findings, and their context."""

    firings: tuple[Firing, ...]
    context: Context


def read_scene(services: Services, findings: Sequence[Finding], told: Collection[str], now: datetime) -> Scene:
    """Read what triage needs about the findings of firing alerts.

    told: the fingerprints of those that an incident holds; nothing is left to decide about them: no samples are read.
    """
    open_ones = [finding for finding in findings if finding.fingerprint not in told]
    with services.readers() as session:
        records = _records(session, findings, now)
        context = _context(session, findings, open_ones, now)
    watched = _watched(services, open_ones, now) if len(open_ones) <= WITH_SAMPLES else {}
    logged: Mapping[str, LogPattern] = {}
    if open_ones:
        latest = sorted(findings, key=lambda one: -one.onset_at)[:WITH_LOGS]
        logged = patterns_of(services, latest, {edge.callee for edge in context.edges}, now)
    firings = [
        firing_of(
            finding, records[finding.fingerprint], watched.get(finding.fingerprint), logged.get(finding.fingerprint)
        )
        for finding in findings
    ]
    return Scene(tuple(firings), context)


def _records(session: Session, findings: Sequence[Finding], now: datetime) -> Mapping[str, Sequence[PastFiring]]:
    """Return the firings of each alert in the last hour."""
    named = fingerprints_named(session, {finding.subject.name for finding in findings})
    own = {
        finding.fingerprint: named.get((finding.subject.name, finding.subject.service), frozenset())
        for finding in findings
    }
    wanted = {one for some in own.values() for one in some}
    past: dict[str, list[PastFiring]] = defaultdict(list)
    for one in firings_since(session, wanted, now - timedelta(hours=RECORD_HOURS)):
        past[one.fingerprint].append(one)
    return {
        fingerprint: sorted((one for alert in some for one in past[alert]), key=lambda one: one.started_at)
        for fingerprint, some in own.items()
    }


def _context(session: Session, findings: Sequence[Finding], open_ones: Sequence[Finding], now: datetime) -> Context:
    """Return what surrounds the findings. Who calls whom is read where it decides between several services."""
    since = min((_seen_since(one, now, CHANGES_HOURS) for one in open_ones), default=now)
    deploys = deploys_between(session, None, since, now)
    flags = flag_changes_between(session, since, now)
    said = words_about(session, {finding.fingerprint for finding in findings}, now - timedelta(days=WORDS_DAYS))
    firing = {finding.subject.service for finding in findings if finding.subject.service is not None}
    callers = firing if open_ones and len(firing) > 1 else set()
    return Context(
        changes=(
            *(RecentChange(one.service, one.version, one.deployed_at.timestamp()) for one in deploys),
            *(flag_change(one) for one in flags),
        ),
        edges=tuple(edges_below(session, callers, now - timedelta(days=EDGES_DAYS), steps=CALLS_FOLLOWED)),
        limits=tuple(
            KnownLimit(limit.service, limit.name, limit.threshold) for limit in list_limits(session) if limit.above
        ),
        past={fingerprint: PastWords(*counts) for fingerprint, counts in said.items()},
    )


def _seen_since(finding: Finding, now: datetime, hours: float) -> datetime:
    """Return from when on an alert's surroundings are read: so many hours, and from before it began."""
    began = datetime.fromtimestamp(finding.onset_at, UTC) - timedelta(hours=BEFORE_HOURS)
    return max(min(now - timedelta(hours=hours), began), now - timedelta(hours=AT_MOST_HOURS))


def flag_change(change: FlagChange) -> RecentChange:
    """Return a changed flag or configuration value as triage knows it, with the limits that its new value names."""
    try:
        value = json.loads(change.after)
    except ValueError:
        value = None
    return RecentChange(change.service, change.flag, change.changed_at, dict(numbers_named(value, change.flag)))


def firing_of(
    finding: Finding, record: Sequence[PastFiring], series: MetricSeries | None, logged: LogPattern | None = None
) -> Firing:
    """Return the finding of a firing alert as triage judges it.

    record: the firings of its alerts in the last hour. series: the metric that the alert watches, if it is known; its
    name and its samples then stand for the alert's, whose name tells less. logged: what its service logs; that this is
    as always counts only beside a metric, which would show a trouble that is not logged.
    """
    details = finding.details if isinstance(finding.details, AlertDetails) else None
    firing = Firing(
        firing_id=finding.fingerprint,
        service=finding.subject.service,
        metric=finding.subject.name if series is None else series.name,
        severity=details.severity if details else None,
        fired_at=finding.onset_at,
        value=None if series is None else float(series.means[-1]),
        times=np.zeros(0) if series is None else series.bucket_starts,
        values=np.zeros(0) if series is None else series.means,
        fingerprint=finding.fingerprint,
    ).with_record([(one.ended_at - one.started_at).total_seconds() for one in record if one.ended_at is not None])
    counts = logged is not None and (bool(logged.text) or series is not None)
    return firing.with_logs(logged) if logged is not None and counts else firing


def _watched(services: Services, findings: Sequence[Finding], now: datetime) -> Mapping[str, MetricSeries]:
    """Return the one metric of the alert's service that measures what the alert's name says; none where several do."""
    wanted: dict[str, tuple[str, str, str]] = {}
    known: dict[str, Sequence[MetricName]] = {}
    for finding in findings:
        kind, service = metric_meaning(finding.subject.name).kind, finding.subject.service
        if service is None or kind is None:
            continue
        if service not in known:
            known[service] = services.telemetry.metric_names(service=service, limit=_SERIES_OF_A_SERVICE)
        fitting = [
            one
            for one in known[service]
            if metric_meaning(one.name).kind is kind and not metric_meaning(one.name).is_limit
        ]
        if len(fitting) == 1:
            wanted[finding.fingerprint] = (fitting[0].service, fitting[0].name, fitting[0].attributes)
    if not wanted:
        return {}
    since = {one.fingerprint: _seen_since(one, now, SAMPLES_HOURS).timestamp() for one in findings}
    found = services.telemetry.metric_series(
        since=min(since.values()),
        until=now.timestamp(),
        bucket_seconds=FINE_METRIC_SECONDS,
        series=sorted(set(wanted.values())),
    )
    by_name = {(one.service, one.name, one.attributes): one for one in found if one.means.size}
    seen = {
        fingerprint: _from(by_name[name], since[fingerprint]) for fingerprint, name in wanted.items() if name in by_name
    }
    return {fingerprint: series for fingerprint, series in seen.items() if series.means.size}


def _from(series: MetricSeries, since: float) -> MetricSeries:
    kept = series.bucket_starts >= since
    return MetricSeries(
        series.name, series.service, series.bucket_starts[kept], series.means[kept], series.counts[kept]
    )
