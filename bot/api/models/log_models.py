"""The API models of log records, templates, patterns and their analysis."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bot.storable_text import Text
from detection.logs.diff import Change, TemplateChange
from detection.types import Finding, LogDetails, LogRecord, LogSeries, Severity
from workers.words.findings import finding_sentence, severity_of

MOST_LINES = 10_000
LONGEST_LINE = 8_000


class LogSeverity(StrEnum):
    """How grave a line is, in OpenTelemetry's words."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    FATAL = "fatal"


class LogRecordOut(BaseModel):
    """One line as it is stored."""

    record_id: str
    timestamp: datetime
    service: str
    version: str | None
    severity: str
    body: str
    trace_id: str | None
    attributes: dict[str, Any]


class RecentLogs(BaseModel):
    """Lines of the hot store, newest first."""

    records: list[LogRecordOut]


class ServiceCount(BaseModel):
    """Lines of a service."""

    service: str
    lines: int


class SeverityCount(BaseModel):
    """Lines of a severity."""

    severity: LogSeverity
    lines: int


class TemplateCount(BaseModel):
    """Lines of a service that have one template: `<*>` stands for what varies."""

    service: str
    template_id: str
    text: str
    severity: LogSeverity = Field(description="The worst that a line of it had.")
    lines: int
    sample: str = Field(description="One of the lines; empty where it may not be shown.")


class PatternCount(BaseModel):
    """Lines of a service that match a named pattern."""

    service: str
    name: str
    description: str
    lines: int
    sample: str


class LogStatistics(BaseModel):
    """Lines between two moments, which are those of whole buckets; the most first."""

    since: datetime
    until: datetime
    bucket_seconds: int
    lines: int
    services: list[ServiceCount]
    severities: list[SeverityCount]
    templates: list[TemplateCount]
    template_count: int = Field(description="How many templates there are; the list holds the most frequent of them.")
    patterns: list[PatternCount]


Line = Annotated[str, StringConstraints(max_length=LONGEST_LINE)]


class AnalysisRequest(BaseModel):
    """Either lines, or a time of stored lines."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"lines": ["Connection refused to 10.0.0.7:5432", "order 17 was paid"], "service": "shop"},
                {"since": "2026-02-07T11:00:00Z", "until": "2026-02-07T12:00:00Z", "service": "shop"},
            ]
        },
    )

    lines: list[Line] | None = Field(None, min_length=1, max_length=MOST_LINES)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = Field(None, description="A day after `since` at most.")
    service: Text | None = Field(
        None, min_length=1, max_length=200, description="Whose lines they are: then it is told which are new for it."
    )

    @model_validator(mode="after")
    def _require_lines_or_window(self) -> AnalysisRequest:
        if (self.lines is None) == (self.since is None and self.until is None):
            raise ValueError("give either `lines`, or `since` and `until`")
        if self.lines is None and (self.since is None or self.until is None):
            raise ValueError("give both `since` and `until`")
        return self


class AnalysedTemplate(BaseModel):
    """A template and how many lines have it. is_new: its service has not said so in seven days; null if not known."""

    template_id: str
    service: str | None
    text: str
    lines: int
    example: str
    is_new: bool | None


class AnalysedPattern(BaseModel):
    """A named pattern and how many lines match it."""

    name: str
    severity: Severity
    service: str | None
    lines: int
    example: str


class Anomaly(BaseModel):
    """Something unusual. kind: new_template, more_lines or pattern."""

    kind: str
    severity: Severity | None
    service: str | None
    text: str
    sentence: str
    lines: int
    usual_lines: float | None = Field(description="What would be usual in as long a time; null if not known.")
    score: float | None = Field(description="In standard deviations; null if not known.")
    began_at: datetime | None


class Analysis(BaseModel):
    """What lines say, the most frequent first, and what is unusual about them, the most surprising first."""

    lines: int
    templates: list[AnalysedTemplate]
    patterns: list[AnalysedPattern]
    anomalies: list[Anomaly]


class DiffedTemplate(BaseModel):
    """How the lines of a template changed; rates are lines a minute."""

    service: str
    template_id: str
    text: str
    change: Change
    lines_before: int
    lines_after: int
    rate_before: float
    rate_after: float
    ratio: float | None = Field(description="Rate after over rate before; null where there were none before.")
    ratio_low: float | None
    ratio_high: float | None
    p_value: float
    sample: str


class LogDiff(BaseModel):
    """What the logs say after that they did not before; the windows are those of whole buckets."""

    before_since: datetime
    before_until: datetime
    after_since: datetime
    after_until: datetime
    unchanged: int = Field(description="Templates without a change that is more than chance.")
    changes: list[DiffedTemplate]


def as_datetime(seconds: float) -> datetime:
    """Return seconds since the epoch as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def record_out(record: LogRecord) -> LogRecordOut:
    """Return the API model of a log record."""
    return LogRecordOut(
        record_id=record.record_id,
        timestamp=as_datetime(record.happened_at),
        service=record.service,
        version=record.version,
        severity=record.severity,
        body=record.body,
        trace_id=record.trace_id,
        attributes=dict(record.attributes),
    )


def template_out(series: LogSeries) -> TemplateCount:
    """Return the API model of a template, with its lines summed over the buckets."""
    return TemplateCount(
        service=series.service,
        template_id=series.name,
        text=series.text,
        severity=LogSeverity(series.severity),
        lines=int(series.line_count.sum()),
        sample=series.sample,
    )


def anomaly_out(finding: Finding) -> Anomaly:
    """Return the API model of a log finding."""
    kinds = {"log_new_template": "new_template", "log_template_rate": "more_lines", "log_pattern": "pattern"}
    assert isinstance(finding.details, LogDetails)
    minutes = (finding.window_end - finding.window_start) / 60
    return Anomaly(
        kind=kinds[finding.detector],
        severity=severity_of(finding),
        service=finding.subject.service,
        text=finding.details.text,
        sentence=finding_sentence(finding),
        lines=finding.sample_size,
        usual_lines=finding.expected * minutes,
        score=finding.score,
        began_at=as_datetime(finding.onset_at),
    )


def diff_out(change: TemplateChange) -> DiffedTemplate:
    """Return the API model of a template's change. An infinite ratio becomes None, because JSON has no infinity."""
    ratios = [None if one == float("inf") else one for one in (change.ratio, change.ratio_low, change.ratio_high)]
    return DiffedTemplate(
        service=change.series.service,
        template_id=change.series.name,
        text=change.series.text,
        change=change.change,
        lines_before=change.lines_before,
        lines_after=change.lines_after,
        rate_before=change.rate_before,
        rate_after=change.rate_after,
        ratio=ratios[0],
        ratio_low=ratios[1],
        ratio_high=ratios[2],
        p_value=change.p_value,
        sample=change.series.sample,
    )
