"""The watch of logs: new templates, and templates and named patterns that occur far more often than usual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from detection.coverage import Watched
from detection.logs.built_in_patterns import BUILT_IN
from detection.logs.coverage import log_states
from detection.logs.findings import PATTERN, LogOptions, log_findings, window_end
from detection.logs.recovery import Minutes, log_recovery, whole_buckets
from detection.recovery import Recovery
from detection.types import Finding, Integers, LogDetails, LogSeries, Metric
from integrations.charts import Point
from storage import log_patterns
from storage.telemetry.protocol import FINE_LOG_SECONDS, LOG_SEVERITY, LOG_WINDOW_SECONDS, LogName
from workers.memory.broken_times import PastIncident, excluded_times
from workers.services import Services
from workers.watching.watch import Tick, Watch

OPTIONS = LogOptions()

MOST_TEMPLATES_REPORTED = 5
"""Templates reported per service at a time: one problem often shows in many templates."""

LONGEST_LOOK_SECONDS = 3_600.0
"""How far before a fix the rate during the incident is read."""

_FINGERPRINT = f"{Metric.LOG_RATE}:"


def findings(services: Services, tick: Tick) -> list[Finding]:
    """Run the detectors; read in full only the series that may be above their usual rate.

    The recent window is read by minutes, the baseline days by ten-minute windows. The baseline of a series leaves out
    the incidents about it, and one window before each.
    """
    now = tick.now.timestamp()
    broken = _broken_lately(tick.past)
    store = services.telemetry
    suspects = services.log_memory.worth_reading(store, now=now, options=OPTIONS, always=broken.keys())
    if not suspects.names:
        return []
    until = window_end(now, OPTIONS)
    # The fine buckets begin where a coarse window ends, so that no line counts twice; they cover two windows.
    edge = (until - 2 * OPTIONS.window_seconds) // LOG_WINDOW_SECONDS * LOG_WINDOW_SECONDS
    oldest = until - (OPTIONS.baseline_days * 86_400 + OPTIONS.window_seconds)
    lately = store.log_series(since=edge, until=until, bucket_seconds=FINE_LOG_SECONDS, names=suspects.names)
    before = store.log_series(since=oldest, until=edge, bucket_seconds=LOG_WINDOW_SECONDS, names=suspects.names)
    found = log_findings(
        joined([*before, *lately]),
        now=now,
        options=OPTIONS,
        excluded={
            fingerprint: [
                (began - OPTIONS.window_seconds, ended) for began, ended in excluded_times(tick.past, fingerprint, now)
            ]
            for fingerprint in broken.values()
        },
        heard_since=store.heard_since(),
        tests=suspects.checked,
    )
    return _limited(_with_pattern_severity(services, found), set(broken.values()))


def points(services: Services, finding: Finding, since: float, until: float) -> tuple[Point, ...]:
    """Return the lines per minute; a minute without lines is 0, since only minutes with lines are stored."""
    first = np.floor(since / FINE_LOG_SECONDS) * FINE_LOG_SECONDS
    last = min(until, window_end(services.clock().timestamp(), OPTIONS))
    counts = _minutes(services, [_name(finding)], float(first), last)
    return tuple(
        Point(float(first) + (place + 0.5) * FINE_LOG_SECONDS, float(count)) for place, count in enumerate(counts)
    )


def retest(services: Services, finding: Finding, live_at: float, until: float) -> Recovery:
    """Compare the lines between `live_at` and `until` with those of the incident, up to its last minute with any."""
    since, until = whole_buckets(live_at, until, OPTIONS)
    name = _name(finding)
    everything = [
        LogName(LOG_SEVERITY, name.service, severity)
        for severity in ("trace", "debug", "info", "warn", "error", "fatal")
    ]
    lines = _minutes(services, [name], since, until)
    first = np.floor(max(finding.onset_at, live_at - LONGEST_LOOK_SECONDS) / FINE_LOG_SECONDS) * FINE_LOG_SECONDS
    broken = _minutes(services, [name], float(first), live_at)
    others_broken = _minutes(services, everything, float(first), live_at) - broken
    if broken.any():
        lasted = int(np.flatnonzero(broken)[-1]) + 1
        broken, others_broken = broken[:lasted], others_broken[:lasted]
    minutes = Minutes(
        lines=lines,
        others=_minutes(services, everything, since, until) - lines,
        broken=float(broken.mean()) if len(broken) else 0.0,
        others_broken=float(others_broken.mean()) if len(broken) else 0.0,
    )
    return log_recovery(finding, minutes, OPTIONS)


def _broken_lately(past: Sequence[PastIncident]) -> dict[LogName, str]:
    """Return the log series that past incidents are about, with their fingerprints."""
    named = {fingerprint for one in past for fingerprint in one.fingerprints if fingerprint.startswith(_FINGERPRINT)}
    return {name: fingerprint for fingerprint in named if (name := _from_fingerprint(fingerprint)) is not None}


def _from_fingerprint(fingerprint: str) -> LogName | None:
    """Parse a fingerprint; service names may contain colons, kinds and names of series do not."""
    kind, _, rest = fingerprint.removeprefix(_FINGERPRINT).partition(":")
    service, _, name = rest.rpartition(":")
    return LogName(kind, service, name) if name else None


def joined(series: Sequence[LogSeries]) -> list[LogSeries]:
    """Concatenate the series of one name; their buckets must not overlap, and the earlier ones come first."""
    whole: dict[LogName, LogSeries] = {}
    for one in series:
        name = LogName(one.kind, one.service, one.name)
        earlier = whole.get(name)
        whole[name] = (
            one
            if earlier is None
            else replace(
                one,
                bucket_starts=np.concatenate([earlier.bucket_starts, one.bucket_starts]),
                line_count=np.concatenate([earlier.line_count, one.line_count]),
            )
        )
    return list(whole.values())


def _with_pattern_severity(services: Services, found: Sequence[Finding]) -> list[Finding]:
    """Add to findings about patterns the severity that the pattern's author chose."""
    if not any(finding.subject.kind == PATTERN for finding in found):
        return list(found)
    severities = {pattern.name: pattern.severity for pattern in BUILT_IN}
    with services.readers() as session:
        severities |= {row.name: row.severity for row in log_patterns.list_patterns(session) if row.enabled}
    return [
        replace(finding, details=replace(finding.details, pattern_severity=severities[finding.subject.name]))
        if isinstance(finding.details, LogDetails)
        and finding.subject.kind == PATTERN
        and finding.subject.name in severities
        else finding
        for finding in found
    ]


def _limited(found: Sequence[Finding], known: set[str]) -> list[Finding]:
    """Return all patterns, and per service the templates reported already and the first MOST_TEMPLATES_REPORTED."""
    reported: list[Finding] = []
    templates = Counter[str | None]()
    for finding in sorted(found, key=lambda one: one.fingerprint not in known):
        if finding.subject.kind != PATTERN:
            templates[finding.subject.service] += 1
            if templates[finding.subject.service] > MOST_TEMPLATES_REPORTED and finding.fingerprint not in known:
                continue
        reported.append(finding)
    return reported


def _name(finding: Finding) -> LogName:
    return LogName(finding.subject.kind, finding.subject.service or "", finding.subject.name)


def _minutes(services: Services, names: Sequence[LogName], since: float, until: float) -> Integers:
    """Return the total lines of these series in each whole minute from `since`, which begins a minute, to `until`."""
    counts = np.zeros(max(int((until - since) // FINE_LOG_SECONDS), 0), dtype=np.int64)
    for one in services.telemetry.log_series(
        since=since, until=since + len(counts) * FINE_LOG_SECONDS, bucket_seconds=FINE_LOG_SECONDS, names=names
    ):
        np.add.at(counts, ((one.bucket_starts - since) // FINE_LOG_SECONDS).astype(np.int64), one.line_count)
    return counts


def states(services: Services, tick: Tick) -> list[Watched]:
    """Return the state of each service that logs: ok, or insufficient data if its history is too short."""
    return log_states(services.telemetry.heard_since(), now=tick.now.timestamp(), options=OPTIONS)


WATCH = Watch(frozenset({Metric.LOG_RATE}), findings, points, retest, states, "logs")
