"""The API of log lines: list the newest, count them, analyse them, and compare two time windows."""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime, timedelta
from itertools import repeat
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from bot.api.models.log_models import (
    AnalysedPattern,
    AnalysedTemplate,
    Analysis,
    AnalysisRequest,
    Anomaly,
    LogDiff,
    LogSeverity,
    LogStatistics,
    PatternCount,
    RecentLogs,
    ServiceCount,
    SeverityCount,
    anomaly_out,
    as_datetime,
    diff_out,
    record_out,
    template_out,
)
from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.errors import MalformedError
from bot.intervals import EARLIEST, LATEST, IntervalError, read_interval
from bot.storable_text import Text
from detection.logs.diff import Change
from integrations.inbound.lines.traces import join_traces
from integrations.inbound.monitoring.plain_line import line_record
from workers.rules import log_patterns
from workers.services import Services
from workers.watching import log_queries
from workers.watching.log_queries import Counts
from workers.words.findings import severity_of
from workers.words.logs import readable
from workers.words.text import counted

router = APIRouter(prefix="/logs", tags=["Logs"])

LONGEST_WINDOW = timedelta(days=35)
ONE_HOUR = timedelta(hours=1)
BASELINE_DAYS = round(log_queries.BASELINE_SECONDS / 86_400)
FUTURE_ALLOWANCE = timedelta(days=1)
EXAMPLE = "2026-02-07T11:00:00Z/2026-02-07T12:00:00Z"

ServiceName = Annotated[Text | None, Query(min_length=1, max_length=200, description="Only this service.")]


@router.get("/recent", summary="List the newest log lines")
def recent(
    services: InjectedServices,
    operator: Operator,
    service: ServiceName = None,
    severity: Annotated[LogSeverity | None, Query(description="This and worse.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> RecentLogs:
    """Lines still in the hot store, newest first."""
    found = services.telemetry.log_samples(
        since=0.0,
        until=(services.clock() + FUTURE_ALLOWANCE).timestamp(),
        service=service,
        minimum_severity=severity,
        limit=limit,
    )
    return RecentLogs(records=[record_out(record) for record in found])


@router.get("/statistics", summary="Count log lines")
def statistics(
    services: InjectedServices,
    operator: Operator,
    since: Annotated[AwareDatetime | None, Query(description="An hour before `until`, if not given.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Now, if not given.")] = None,
    service: ServiceName = None,
    limit: Annotated[int, Query(ge=1, le=2000, description="How many templates to list.")] = 50,
) -> LogStatistics:
    """Lines by service, severity, template and named pattern: by the minute for 3 hours, more coarsely for 35 days."""
    ended = until or services.clock()
    began = since or max(ended, EARLIEST + ONE_HOUR) - ONE_HOUR
    _check_window(began, ended, LONGEST_WINDOW)
    counts = _counts(services, began, ended, service)
    by_service, by_severity = Counter[str](), Counter[str]()
    for one in counts.by_severity:
        by_service[one.service] += int(one.line_count.sum())
        by_severity[one.name] += int(one.line_count.sum())
    return LogStatistics(
        since=as_datetime(counts.since),
        until=as_datetime(counts.until),
        bucket_seconds=counts.bucket_seconds,
        lines=by_service.total(),
        services=[ServiceCount(service=name, lines=lines) for name, lines in by_service.most_common()],
        severities=[
            SeverityCount(severity=LogSeverity(name), lines=lines) for name, lines in by_severity.most_common()
        ],
        templates=[template_out(one) for one in counts.templates[:limit]],
        template_count=len(counts.templates),
        patterns=[
            PatternCount(
                service=one.service,
                name=one.name,
                description=one.text,
                lines=int(one.line_count.sum()),
                sample=one.sample,
            )
            for one in counts.patterns
        ],
    )


@router.post("/analyze", summary="Analyse log lines")
def analyze(services: InjectedServices, operator: Operator, wanted: AnalysisRequest) -> Analysis:
    """What lines say, which named patterns they match and what is unusual: of lines given here, or of stored ones."""
    if wanted.lines is not None:
        return _analyse_lines(services, wanted.lines, wanted.service)
    assert wanted.since is not None
    assert wanted.until is not None
    _check_window(wanted.since, wanted.until, timedelta(seconds=log_queries.LONGEST_ANALYSED_SECONDS))
    return _analyse_stored(services, wanted.since, wanted.until, wanted.service)


@router.get("/diff", summary="Compare the log lines of two windows")
def diff(
    services: InjectedServices,
    operator: Operator,
    before: Annotated[Text, Query(max_length=100, description=f"START/END, such as {EXAMPLE}.")],
    after: Annotated[Text, Query(max_length=100, description="START/END of the window to compare with it.")],
    service: ServiceName = None,
    limit: Annotated[int, Query(ge=1, le=2000, description="How many changes to list.")] = 100,
) -> LogDiff:
    """Templates that are new, gone, more or fewer: the most certain change first."""
    windows = []
    for name, text in (("before", before), ("after", after)):
        try:
            windows.append(read_interval(text))
        except IntervalError as error:
            raise MalformedError(f"{name}: {error}", field=name) from error
    first, second, changes = log_queries.differences(
        services.telemetry, windows[0], windows[1], service, now=services.clock().timestamp()
    )
    changed = [change for change in changes if change.change is not Change.SAME]
    return LogDiff(
        before_since=as_datetime(first.since),
        before_until=as_datetime(first.until),
        after_since=as_datetime(second.since),
        after_until=as_datetime(second.until),
        unchanged=len(changes) - len(changed),
        changes=[diff_out(change) for change in changed[:limit]],
    )


def _check_window(since: datetime, until: datetime, longest: timedelta) -> None:
    for name, value in (("since", since), ("until", until)):
        if not EARLIEST <= value <= LATEST:
            raise MalformedError(f"{name}: it must lie between {EARLIEST.year} and {LATEST.year}", field=name)
    if until <= since:
        raise MalformedError("until: it must be later than since", field="until")
    if until - since > longest:
        hours = longest.total_seconds() / 3600
        raise MalformedError(f"since: at most {hours:,.0f} hours can be asked for at once", field="since")


def _counts(services: Services, since: datetime, until: datetime, service: str | None) -> Counts:
    return log_queries.counts_between(
        services.telemetry, since.timestamp(), until.timestamp(), service, now=services.clock().timestamp()
    )


def _as_stored(lines: list[str], service: str | None, now: float) -> list[str]:
    """Return what would be stored of the lines: messages of JSON lines, no colours, a stack trace as one."""
    records = [line_record(line, str(number), service or "", now=now) for number, line in enumerate(lines)]
    return [
        record.body for record in join_traces(records, repeat(service, len(records)), seconds_apart=math.inf).records
    ]


def _analyse_lines(services: Services, given: list[str], service: str | None) -> Analysis:
    lines = _as_stored(given, service, services.clock().timestamp())
    templates = log_queries.templates_of_lines(services.telemetry, lines, service, now=services.clock().timestamp())
    with services.readers() as session:
        patterns = log_queries.patterns_of_lines(log_patterns.list_patterns(session), lines)
    analysed_templates = [
        AnalysedTemplate(
            template_id=one.template_id,
            service=service,
            text=one.text,
            lines=one.line_count,
            example=one.example,
            is_new=None if one.is_known is None else not one.is_known,
        )
        for one in templates
    ]
    found = [
        AnalysedPattern(
            name=one.pattern.name,
            severity=one.pattern.severity,
            service=service,
            lines=one.line_count,
            example=one.example,
        )
        for one in patterns
    ]
    return Analysis(
        lines=len(lines),
        templates=analysed_templates,
        patterns=found,
        anomalies=_anomalies_of_lines(analysed_templates, found),
    )


def _anomalies_of_lines(templates: list[AnalysedTemplate], patterns: list[AnalysedPattern]) -> list[Anomaly]:
    """Return the anomalies of lines given in a request: matched patterns, then templates new to their service."""
    matching = [
        Anomaly(
            kind="pattern",
            severity=one.severity,
            service=one.service,
            text=one.name,
            sentence=f"{counted(one.lines, 'line')} {'matches' if one.lines == 1 else 'match'} “{one.name}”, "
            f"such as “{readable(one.example, 80)}”",
            lines=one.lines,
            usual_lines=None,
            score=None,
            began_at=None,
        )
        for one in sorted(patterns, key=lambda one: one.severity)
    ]
    new = [
        Anomaly(
            kind="new_template",
            severity=None,
            service=one.service,
            text=one.text,
            sentence=f"{one.service} has not said “{readable(one.text, 80)}” in {BASELINE_DAYS} days",
            lines=one.lines,
            usual_lines=0.0,
            score=None,
            began_at=None,
        )
        for one in templates
        if one.is_new
    ]
    return matching + new


def _analyse_stored(services: Services, since: datetime, until: datetime, service: str | None) -> Analysis:
    now = services.clock().timestamp()
    counts = _counts(services, since, until, service)
    findings = log_queries.anomalies_between(services.telemetry, since.timestamp(), until.timestamp(), service, now=now)
    with services.readers() as session:
        severities = {pattern.name: pattern.severity for pattern in log_patterns.list_patterns(session)}
    new = log_queries.new_between(services.telemetry, since.timestamp(), until.timestamp(), service, now=now)
    return Analysis(
        lines=sum(int(one.line_count.sum()) for one in counts.by_severity),
        templates=[
            AnalysedTemplate(
                template_id=one.name,
                service=one.service,
                text=one.text,
                lines=int(one.line_count.sum()),
                example=one.sample,
                is_new=(one.service, one.name) in new,
            )
            for one in counts.templates
        ],
        patterns=[
            AnalysedPattern(
                name=one.name,
                severity=severities[one.name],
                service=one.service,
                lines=int(one.line_count.sum()),
                example=one.sample,
            )
            for one in counts.patterns
            if one.name in severities
        ],
        anomalies=[anomaly_out(finding) for finding in sorted(findings, key=severity_of)],
    )
