"""The log pattern that belongs to a firing alert: of the lines of its service, those that became far more frequent.

Read from the counts in windows of ten minutes, which are a few rows for each series, and only around the firing. What
another tool has counted (storage.surroundings.log_signatures) counts as well.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from detection.symptoms import named_in, symptoms_of_text
from detection.triage import LogPattern
from detection.types import Finding, LogSignature
from storage.surroundings.log_signatures import signatures_between
from storage.telemetry.protocol import (
    COARSE_SECONDS,
    LOG_OTHER,
    LOG_SEVERITY,
    LOG_TEMPLATE,
    LOG_WINDOW_SECONDS,
    LogName,
)
from workers.services import Services

BAD_SEVERITIES = frozenset(("warn", "error", "fatal"))
_BEFORE_SECONDS = 300.0
"""An alert rule usually holds for some minutes before it fires."""

_AFTER_SECONDS = 1800.0
_COUNTED_SECONDS = 3600.0
_MOST_HOURS = 6
_CANDIDATES = 10
_FEWEST_LINES = 5
_TWICE = 1.0
_LITTLE = 0.25
_DEVIATIONS = 3.0
_UNSEEN = 0.5
"""How many lines are expected of a pattern that was never seen."""

Counts = Mapping[LogName, Mapping[float, int]]


@dataclass(frozen=True, slots=True)
class _Risen:
    """A series of lines that became more frequent: by `change`, to `more` lines above what was expected."""

    name: LogName
    change: float
    more: float
    first_seen: float | None


def patterns_of(
    services: Services, findings: Sequence[Finding], callees: Collection[str], now: datetime
) -> Mapping[str, LogPattern]:
    """Return the log pattern of each firing alert whose service logs what stands out, by the alert's fingerprint.

    callees: the services that are called by others. The id of a pattern is the one of these that it complains of: two
    services that complain of the same one have one trouble. A pattern without a text says only that the errors of the
    service come as often as always.
    """
    placed = [(finding, finding.subject.service) for finding in findings if finding.subject.service is not None]
    if not placed:
        return {}
    counts = _counts(services, findings, now)
    risen = {
        finding.fingerprint: _risen(counts.get(service, {}), finding.onset_at, now.timestamp())
        for finding, service in placed
    }
    wanted = {one.name for some in risen.values() for one in some}
    texts = _texts(services, wanted, findings, now) if wanted else {}
    counted = _counted_elsewhere(services, findings, now)
    found = {}
    for finding, service in placed:
        own = [_pattern(one, *texts[one.name]) for one in risen[finding.fingerprint] if one.name in texts]
        others = [_of_signature(one) for one in counted if one.service == service and _is_near(one, finding.onset_at)]
        pattern = _worst([one for one in (*own, *others) if one is not None])
        pattern = pattern or _usual(counts.get(service, {}), finding.onset_at, now.timestamp())
        if pattern is not None:
            complained_of = named_in(pattern.text, set(callees) - {service})
            found[finding.fingerprint] = replace(
                pattern, pattern_id=next(iter(complained_of)) if len(complained_of) == 1 else None
            )
    return found


def _counts(services: Services, findings: Sequence[Finding], now: datetime) -> Mapping[str, Counts]:
    """Return the lines of the findings' services in each window of the hours around the firings, by service."""
    wanted = {finding.subject.service for finding in findings}
    this_hour = now.timestamp() // COARSE_SECONDS * COARSE_SECONDS
    hours = {
        finding.onset_at // COARSE_SECONDS * COARSE_SECONDS + step * COARSE_SECONDS
        for finding in findings
        for step in (-1, 0, 1)
    }
    starts = sorted(hour for hour in hours if hour <= this_hour)[-_MOST_HOURS:]
    found: dict[str, dict[LogName, dict[float, int]]] = defaultdict(lambda: defaultdict(dict))
    for start, levels in zip(starts, services.telemetry.log_hours(starts), strict=True):
        rows = [
            row
            for row, name in enumerate(levels.names)
            if name.service in wanted and (name.kind == LOG_SEVERITY or name.kind == LOG_TEMPLATE)
        ]
        for row in rows:
            by_window = found[levels.names[row].service][levels.names[row]]
            for place, count in enumerate(levels.line_count[row].tolist()):
                by_window[start + place * LOG_WINDOW_SECONDS] = count
    return found


def _risen(counts: Counts, fired_at: float, now: float) -> list[_Risen]:
    """Return the templates that came clearly more often around the firing than before, the most lines first."""
    found = []
    for name, by_window in counts.items():
        if name.kind != LOG_TEMPLATE or name.name == LOG_OTHER:
            continue
        count, expected = _compared(counts, by_window, fired_at, now)
        if count < _FEWEST_LINES or count <= expected + _DEVIATIONS * math.sqrt(expected):
            continue
        change = count / max(expected, _UNSEEN) - 1.0
        if change >= _TWICE:
            seen = [start for start, lines in sorted(by_window.items()) if lines]
            found.append(_Risen(name, change, count - expected, seen[0] if seen and not expected else None))
    return sorted(found, key=lambda one: -one.more)[:_CANDIDATES]


def _compared(counts: Counts, by_window: Mapping[float, int], fired_at: float, now: float) -> tuple[int, float]:
    """Return the lines around the firing, and how many there would be at the rate of before; (0, 0.0) if not known."""
    began = (fired_at - _BEFORE_SECONDS) // LOG_WINDOW_SECONDS * LOG_WINDOW_SECONDS
    heard = {start for windows in counts.values() for start in windows if start < began}
    until = min(now, began + _BEFORE_SECONDS + _AFTER_SECONDS)
    if not heard or until <= began:
        return 0, 0.0
    count = sum(lines for start, lines in by_window.items() if began <= start < until)
    before = sum(lines for start, lines in by_window.items() if start < began)
    whole = math.ceil((until - began) / LOG_WINDOW_SECONDS) * LOG_WINDOW_SECONDS
    seconds = min(now - began, whole)
    return count, before / (len(heard) * LOG_WINDOW_SECONDS) * seconds


def _usual(counts: Counts, fired_at: float, now: float) -> LogPattern | None:
    """Return that the errors of the service come as often as always; None if it logs too few to say so."""
    bad = [
        _compared(counts, by_window, fired_at, now)
        for name, by_window in counts.items()
        if name.kind == LOG_SEVERITY and name.name in BAD_SEVERITIES
    ]
    count, expected = sum(one for one, _ in bad), sum(one for _, one in bad)
    if expected < _FEWEST_LINES or count / expected - 1.0 > _LITTLE:
        return None
    return LogPattern(change=count / expected - 1.0)


def _texts(
    services: Services, names: set[LogName], findings: Sequence[Finding], now: datetime
) -> Mapping[LogName, tuple[str, str]]:
    """Return what each template says and the worst severity of its lines."""
    since = min(finding.onset_at for finding in findings) - COARSE_SECONDS
    series = services.telemetry.log_series(
        since=since, until=now.timestamp(), bucket_seconds=COARSE_SECONDS, names=sorted(names)
    )
    return {LogName(one.kind, one.service, one.name): (one.sample or one.text, one.severity) for one in series}


def _pattern(risen: _Risen, text: str, severity: str) -> LogPattern | None:
    """Return a template that has become more frequent as a pattern; None for lines that are no errors."""
    if severity not in BAD_SEVERITIES:
        return None
    return LogPattern(None, text, risen.change, True, risen.first_seen)


def _counted_elsewhere(services: Services, findings: Sequence[Finding], now: datetime) -> Sequence[LogSignature]:
    since = datetime.fromtimestamp(min(finding.onset_at for finding in findings) - _COUNTED_SECONDS, UTC)
    with services.readers() as session:
        return signatures_between(session, since, now, {finding.subject.service or "" for finding in findings})


def _is_near(signature: LogSignature, fired_at: float) -> bool:
    return signature.since <= fired_at + _AFTER_SECONDS and signature.until >= fired_at - _BEFORE_SECONDS


def _of_signature(one: LogSignature) -> LogPattern | None:
    """Return a count of another tool as a pattern; None unless it is an error that became more frequent."""
    is_bad = bool(symptoms_of_text(one.text)) if one.is_bad is None else one.is_bad
    usual = one.usual_count
    change = None if usual is None else one.count / max(usual, _UNSEEN) - 1.0
    if not is_bad or change is None or change < _TWICE or one.count < _FEWEST_LINES:
        return None
    return LogPattern(None, one.text, change, True, one.first_seen_at)


def _worst(patterns: Sequence[LogPattern]) -> LogPattern | None:
    """Return the pattern that rose most, of those that say what is wrong where any does; None of none."""

    def rank(one: LogPattern) -> tuple[bool, float]:
        return bool(symptoms_of_text(one.text)), one.change or 0.0

    return max(patterns, key=rank, default=None)
