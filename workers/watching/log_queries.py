"""Query logs on demand: templates of lines, matching patterns, counts, anomalies and differences between windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from detection.logs.diff import TemplateChange, Window, template_changes
from detection.logs.findings import log_findings
from detection.logs.miner import TemplateMiner
from detection.logs.miner_state import UnknownTemplateStateError, from_bytes
from detection.logs.patterns import PatternMatcher
from detection.types import Finding, LogSeries
from storage.telemetry.logs.buckets import LOG_RETENTION_SECONDS
from storage.telemetry.protocol import (
    COARSE_SECONDS,
    FINE_LOG_SECONDS,
    LOG_OTHER,
    LOG_PATTERN,
    LOG_SEVERITY,
    LOG_TEMPLATE,
    LOG_WINDOW_SECONDS,
    TelemetryStore,
)
from workers.rules.log_patterns import Pattern
from workers.watching.logs import OPTIONS, joined

LONGEST_FINE_SECONDS = LOG_RETENTION_SECONDS[FINE_LOG_SECONDS]
LONGEST_BY_WINDOW_SECONDS = 7 * 86_400.0
LONGEST_ANALYSED_SECONDS = 86_400.0
BASELINE_SECONDS = OPTIONS.baseline_days * 86_400.0


@dataclass(frozen=True, slots=True)
class LineTemplate:
    """A template of given lines. is_known: the service logged it in the baseline days; None if no service is given."""

    template_id: str
    text: str
    line_count: int
    example: str
    is_known: bool | None


@dataclass(frozen=True, slots=True)
class MatchedPattern:
    """A named pattern, how many lines it matches, and the first of them."""

    pattern: Pattern
    line_count: int
    example: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Line counts in [since, until), which are bucket edges; the series with the most lines come first."""

    since: float
    until: float
    bucket_seconds: int
    by_severity: Sequence[LogSeries]
    templates: Sequence[LogSeries]
    patterns: Sequence[LogSeries]


def templates_of_lines(
    store: TelemetryStore, lines: Sequence[str], service: str | None, *, now: float
) -> list[LineTemplate]:
    """Return the templates of lines, most frequent first; with a service, matched to that service's own templates."""
    miner = _stored_miner(store, service)
    template_ids = miner.learn(lines)
    texts = {record.template_id: record.text for record in miner.records()}
    examples = dict(zip(reversed(template_ids), reversed(lines), strict=True))
    known = _known_templates(store, service, miner, now)
    return [
        LineTemplate(one, texts.get(one, examples[one]), count, examples[one], None if known is None else one in known)
        for one, count in Counter(template_ids).most_common()
    ]


def patterns_of_lines(patterns: Sequence[Pattern], lines: Sequence[str]) -> list[MatchedPattern]:
    """Return the enabled patterns that match any of the lines."""
    enabled = {pattern.name: pattern for pattern in patterns if pattern.enabled}
    matcher = PatternMatcher([pattern.named for pattern in enabled.values()])
    found: dict[str, list[str]] = {}
    for line in lines:
        for pattern in matcher.matches(line):
            found.setdefault(pattern.name, []).append(line)
    return [MatchedPattern(enabled[name], len(matching), matching[0]) for name, matching in found.items()]


def counts_between(store: TelemetryStore, since: float, until: float, service: str | None, *, now: float) -> Counts:
    """Count lines in the finest buckets that are kept for that time."""
    bucket_seconds = buckets_for(since, until, now)
    since, until = _whole_buckets(since, until, bucket_seconds)
    series = store.log_series(since=since, until=until, bucket_seconds=bucket_seconds, service=service)
    by_lines = sorted(series, key=lambda one: -int(one.line_count.sum()))
    return Counts(
        since,
        until,
        bucket_seconds,
        *([one for one in by_lines if one.kind == kind] for kind in (LOG_SEVERITY, LOG_TEMPLATE, LOG_PATTERN)),
    )


def anomalies_between(
    store: TelemetryStore, since: float, until: float, service: str | None, *, now: float
) -> list[Finding]:
    """Return what was unusual in a time of at most a day, compared with windows of the same length on the days before.

    A tick does the same for ten minutes.
    """
    bucket_seconds = buckets_for(since, until, now)
    since, until = _whole_buckets(since, until, bucket_seconds)
    options = replace(OPTIONS, window_seconds=until - since, bucket_seconds=float(bucket_seconds))
    watched = [one for one in _with_baseline(store, since, until, service, now=now) if one.name != LOG_OTHER]
    return log_findings(
        watched, now=until + options.ingestion_lag_seconds, options=options, heard_since=store.heard_since()
    )


def new_between(
    store: TelemetryStore, since: float, until: float, service: str | None, *, now: float
) -> set[tuple[str, str]]:
    """Return (service, series name) of the templates and patterns that occur in a time and not in the days before."""
    since, until = _whole_buckets(since, until, buckets_for(since, until, now))
    series = _with_baseline(store, since, until, service, now=now)
    return {(one.service, one.name) for one in series if one.bucket_starts[0] >= since}


def _with_baseline(
    store: TelemetryStore, since: float, until: float, service: str | None, *, now: float
) -> list[LogSeries]:
    """Read the templates and patterns of a time and of the days before it; no line counts twice."""
    edge = since // LOG_WINDOW_SECONDS * LOG_WINDOW_SECONDS
    before = store.log_series(
        since=edge - BASELINE_SECONDS, until=edge, bucket_seconds=LOG_WINDOW_SECONDS, service=service
    )
    bucket_seconds = buckets_for(since, until, now)
    lately = store.log_series(since=edge, until=until, bucket_seconds=bucket_seconds, service=service)
    return [one for one in joined([*before, *lately]) if one.kind != LOG_SEVERITY]


def differences(
    store: TelemetryStore, before: Window, after: Window, service: str | None, *, now: float
) -> tuple[Window, Window, list[TemplateChange]]:
    """Compare the templates of two windows; return the windows, widened to whole buckets, and the changes."""
    bucket_seconds = max(buckets_for(one.since, one.until, now) for one in (before, after))
    whole = [Window(*_whole_buckets(one.since, one.until, bucket_seconds)) for one in (before, after)]
    series = [
        one
        for window in whole
        for one in store.log_series(
            since=window.since,
            until=window.until,
            bucket_seconds=bucket_seconds,
            service=service,
            kind=LOG_TEMPLATE,
        )
    ]
    first, second = whole
    return first, second, template_changes(joined(series), first, second, bucket_seconds=float(bucket_seconds))


def buckets_for(since: float, until: float, now: float) -> int:
    """Return the width of the finest buckets that are kept since then and are not too many to read."""
    if since >= now - LONGEST_FINE_SECONDS:
        return FINE_LOG_SECONDS
    return LOG_WINDOW_SECONDS if until - since <= LONGEST_BY_WINDOW_SECONDS else COARSE_SECONDS


def _whole_buckets(since: float, until: float, bucket_seconds: int) -> tuple[float, float]:
    """Widen a time to whole buckets, at least one."""
    first = since // bucket_seconds * bucket_seconds
    return first, max(-(-until // bucket_seconds) * bucket_seconds, first + bucket_seconds)


def _stored_miner(store: TelemetryStore, service: str | None) -> TemplateMiner:
    state = store.template_state(service) if service is not None else None
    try:
        return from_bytes(state) if state is not None else TemplateMiner()
    except UnknownTemplateStateError:
        return TemplateMiner()


def _known_templates(store: TelemetryStore, service: str | None, miner: TemplateMiner, now: float) -> set[str] | None:
    """Return the current ids of the templates that the service logged in the baseline days; None without a service."""
    if service is None:
        return None
    series = store.log_series(
        since=now - BASELINE_SECONDS, until=now, bucket_seconds=COARSE_SECONDS, service=service, kind=LOG_TEMPLATE
    )
    return {miner.resolve(one.name) for one in series}
