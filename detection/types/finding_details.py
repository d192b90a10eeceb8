"""The details of a finding: what the detector of its kind measured besides observed against expected.

Every class is what the detectors of one kind of finding write. Fields with a default are added later by others, or
are missing for a part of the findings of the kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from detection.types.attributions import Attribution
from detection.types.incidents import Severity
from detection.types.values import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRates:
    """One step of a funnel: the users that reached it, and their share of those that reached the step before."""

    name: str
    recent_reached: int
    baseline_reached: int
    recent_rate: float
    baseline_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLoss:
    """A segment that fared worse than the rest of the users. share_of_drop: 1 is all of everyone's drop."""

    dimension: str
    value: str
    share_of_drop: float
    recent_rate: float
    baseline_rate: float
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LossStakes:
    """What a loss of conversions costs, counted on `entries` in [since, until), seconds UTC.

    affected_users: those who would have converted and did not. revenue_a_day is in `currency`, an ISO 4217 code; None
    for a funnel without a value per conversion.
    """

    since: float
    until: float
    entries: int
    affected_users: Estimate
    entries_an_hour: Estimate
    affected_an_hour: Estimate
    conversions_a_day: Estimate
    revenue_a_day: Estimate | None
    currency: str | None


class RiseReading(StrEnum):
    """How a rise is to be told. UNCLEAR is neither: rather fewer enter than usual, which may or may not be why."""

    BETTER = "better"
    ENTRIES_MISSING = "entries_missing"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelWindowDetails:
    """The conversion of a recent window: what a drop and a rise have in common.

    onset_low and onset_high bound the onset, seconds UTC. horizon_seconds: how long entries were given to convert.
    step: the step that broke, if one stands out. where: the segments that stand out.
    """

    onset_low: float
    onset_high: float
    bucket_seconds: float
    horizon_seconds: float
    entries: int
    converted: int
    drop_percent: float
    window_minutes: float
    step: str | None
    steps: tuple[StepRates, ...]
    baseline_entries: int
    baseline_converted: int
    baseline_hours: int
    median_seconds_to_convert: float
    where: tuple[SegmentLoss, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelDropDetails(FunnelWindowDetails):
    """A conversion rate that fell, with what that costs and where the loss is, once these are known."""

    stakes: LossStakes | None = None
    attribution: Attribution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelRiseDetails(FunnelWindowDetails):
    """A conversion rate that rose; drop_percent is negative. usual_entries: how many its window usually has."""

    reading: RiseReading | None = None
    usual_entries: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelDriftDetails:
    """A conversion rate that drifted for so many `hours`.

    stakes and attribution are known of a downward drift at most, reading and usual_entries of an upward one.
    """

    horizon_seconds: float
    bucket_seconds: float
    entries: int
    converted: int
    drop_percent: float
    hours: int
    where: tuple[SegmentLoss, ...]
    stakes: LossStakes | None = None
    attribution: Attribution | None = None
    reading: RiseReading | None = None
    usual_entries: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDetails:
    """The requests of the intervals that struck, and those of the baseline: latency, queries and errors.

    slow_share: the share of requests slower than nearly all of the baseline. Latencies are in milliseconds.
    """

    onset_low: float
    onset_high: float
    bucket_seconds: float
    strikes: int
    request_count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    slow_share: float
    queries_per_request: float
    error_rate: float
    baseline_requests: int
    baseline_p50_ms: float
    baseline_p95_ms: float
    baseline_p99_ms: float
    baseline_queries_per_request: float
    baseline_error_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficDetails:
    """The request rate of an endpoint that changed. minutes_before_per_minute: the rate just before, if known."""

    onset_low: float
    onset_high: float
    bucket_seconds: float
    strikes: int
    request_count: int
    minutes_before_per_minute: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelDetails:
    """A custom metric that left its usual level. metric, attributes and is_rate are those of its MetricSeries."""

    metric: str
    attributes: str
    is_rate: bool
    onset_low: float
    onset_high: float
    baseline_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastDetails:
    """A custom metric that will probably reach a limit: a ceiling if `above`, else a floor.

    horizon_seconds: how far ahead this limit is foretold, None for as far as all are. crossing_at is the median, the
    earliest and the latest bound 80 %; seconds UTC, None for beyond the horizon.
    """

    metric: str
    attributes: str
    is_rate: bool
    limit: float
    above: bool
    horizon_seconds: float | None
    crossing_at: float | None
    crossing_earliest: float | None
    crossing_latest: float | None
    probability: float
    slope_per_hour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDetails:
    """Log lines of one template, or of one named pattern, in a recent window.

    text: the template, or what the pattern stands for. sample: one of the lines, "" if none may be shown. severity: the
    worst that a line of it had. past_incident_lines: lines of past incidents, which are no baseline.
    pattern_severity: how bad its author says a pattern is; None for a template.
    """

    onset_low: float
    onset_high: float
    bucket_seconds: float
    text: str
    sample: str
    severity: str
    window_minutes: float
    line_count: int
    baseline_lines: int
    baseline_hours: float
    past_incident_lines: int
    pattern_severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDetails:
    """The worst of the alerts of one name and service that fire; its fields are those of its AlertChange.

    severity: None if it asks for nobody.
    """

    source: str
    severity: Severity | None
    summary: str
    url: str
    values: Mapping[str, float]
    together: str | None
    onset_low: float
    onset_high: float


LossDetails: TypeAlias = FunnelDropDetails | FunnelDriftDetails
"""Kinds that may have lost conversions."""

FunnelDetails: TypeAlias = FunnelDropDetails | FunnelRiseDetails | FunnelDriftDetails
"""Kinds about a conversion rate."""

MetricDetails: TypeAlias = LevelDetails | ForecastDetails
"""Kinds about a custom metric."""

FindingDetails: TypeAlias = FunnelDetails | EndpointDetails | TrafficDetails | MetricDetails | LogDetails | AlertDetails
