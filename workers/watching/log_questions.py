"""Looking at log lines on demand: what they say, which named patterns they match, and what is unusual about them."""

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
class SaidTemplate:
    """A template of lines that were handed in. is_known: its service said so lately; None where no service is named."""

    template_id: str
    text: str
    line_count: int
    example: str
    is_known: bool | None


@dataclass(frozen=True, slots=True)
class MatchedPattern:
    """A named pattern and the lines that it matches."""

    pattern: Pattern
    line_count: int
    example: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted between two moments, which are those of whole buckets; the most lines first."""

    since: float
    until: float
    bucket_seconds: int
    by_severity: Sequence[LogSeries]
    templates: Sequence[LogSeries]
    patterns: Sequence[LogSeries]


def mined(store: TelemetryStore, lines: Sequence[str], service: str | None, *, now: float) -> list[SaidTemplate]:
    """The templates of lines, as the service's own are cut where one is named; the most frequent first."""
    miner = _learnt(store, service)
    template_ids = miner.learn(lines)
    texts = {record.template_id: record.text for record in miner.records()}
    examples = dict(zip(reversed(template_ids), reversed(lines), strict=True))
    known = _known(store, service, miner, now)
    return [
        SaidTemplate(one, texts.get(one, examples[one]), count, examples[one], None if known is None else one in known)
        for one, count in Counter(template_ids).most_common()
    ]


def matched(patterns: Sequence[Pattern], lines: Sequence[str]) -> list[MatchedPattern]:
    """The enabled patterns that any of the lines matches."""
    enabled = {pattern.name: pattern for pattern in patterns if pattern.enabled}
    matcher = PatternMatcher([pattern.named for pattern in enabled.values()])
    found: dict[str, list[str]] = {}
    for line in lines:
        for pattern in matcher.matches(line):
            found.setdefault(pattern.name, []).append(line)
    return [MatchedPattern(enabled[name], len(said), said[0]) for name, said in found.items()]


def counts_between(store: TelemetryStore, since: float, until: float, service: str | None, *, now: float) -> Counts:
    """How many lines there were, in the finest buckets that are kept for that time."""
    bucket_seconds = buckets_for(since, until, now)
    since, until = _whole(since, until, bucket_seconds)
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
    """What was unusual in a time of at most a day, against windows as long of the days before it.

    A tick asks the same of ten minutes.
    """
    bucket_seconds = buckets_for(since, until, now)
    since, until = _whole(since, until, bucket_seconds)
    options = replace(OPTIONS, window_seconds=until - since, bucket_seconds=float(bucket_seconds))
    watched = [one for one in _with_baseline(store, since, until, service, now=now) if one.name != LOG_OTHER]
    return log_findings(
        watched, now=until + options.ingestion_lag_seconds, options=options, heard_since=store.heard_since()
    )


def new_between(
    store: TelemetryStore, since: float, until: float, service: str | None, *, now: float
) -> set[tuple[str, str]]:
    """The (service, template id) of what was said in a time and not in the days before it."""
    since, until = _whole(since, until, buckets_for(since, until, now))
    series = _with_baseline(store, since, until, service, now=now)
    return {(one.service, one.name) for one in series if one.bucket_starts[0] >= since}


def _with_baseline(
    store: TelemetryStore, since: float, until: float, service: str | None, *, now: float
) -> list[LogSeries]:
    """Templates and patterns of a time of whole buckets and of the days before it, no line counted twice."""
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
    """How templates differ between two windows, which are those of whole buckets, and these windows."""
    bucket_seconds = max(buckets_for(one.since, one.until, now) for one in (before, after))
    whole = [Window(*_whole(one.since, one.until, bucket_seconds)) for one in (before, after)]
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
    """The width of the finest buckets that are kept since then, and are not too many to read."""
    if since >= now - LONGEST_FINE_SECONDS:
        return FINE_LOG_SECONDS
    return LOG_WINDOW_SECONDS if until - since <= LONGEST_BY_WINDOW_SECONDS else COARSE_SECONDS


def _whole(since: float, until: float, bucket_seconds: int) -> tuple[float, float]:
    """The whole buckets that a time touches: one at least."""
    first = since // bucket_seconds * bucket_seconds
    return first, max(-(-until // bucket_seconds) * bucket_seconds, first + bucket_seconds)


def _learnt(store: TelemetryStore, service: str | None) -> TemplateMiner:
    state = store.template_state(service) if service is not None else None
    try:
        return from_bytes(state) if state is not None else TemplateMiner()
    except UnknownTemplateStateError:
        return TemplateMiner()


def _known(store: TelemetryStore, service: str | None, miner: TemplateMiner, now: float) -> set[str] | None:
    """The ids, as the miner knows them now, of what the service said lately."""
    if service is None:
        return None
    series = store.log_series(
        since=now - BASELINE_SECONDS, until=now, bucket_seconds=COARSE_SECONDS, service=service, kind=LOG_TEMPLATE
    )
    return {miner.resolve(one.name) for one in series}
