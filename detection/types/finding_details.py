"""The details of a finding: what its detector measured besides the observed and the expected value.

There is one class for each kind of finding. Fields with a default are added later by other code, or are missing in some
findings of the kind.
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
    """One step of a funnel: the users who reached it, and their share of those who reached the step before."""

    name: str
    recent_reached: int
    baseline_reached: int
    recent_rate: float
    baseline_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLoss:
    """A segment that lost more than the rest of the users. share_of_drop: 1 is the whole drop of the funnel."""

    dimension: str
    value: str
    share_of_drop: float
    recent_rate: float
    baseline_rate: float
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LossStakes:
    """The cost of lost conversions, counted on `entries` in [since, until), seconds UTC.

    affected_users: users who would have converted but did not. revenue_a_day is in `currency`, an ISO 4217 code; None
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
    """The meaning of a rise. UNCLEAR: fewer users enter than usual, which may or may not be the reason."""

    BETTER = "better"
    ENTRIES_MISSING = "entries_missing"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelWindowDetails:
    """The conversion of a recent window: the common part of drops and rises.

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
    """A conversion rate that fell, with its cost and its attribution once these are known."""

    stakes: LossStakes | None = None
    attribution: Attribution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelRiseDetails(FunnelWindowDetails):
    """A conversion rate that rose; drop_percent is negative. usual_entries: the usual number in its window."""

    reading: RiseReading | None = None
    usual_entries: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelDriftDetails:
    """A conversion rate that drifted over the last `hours`.

    stakes and attribution can only be set for a downward drift, reading and usual_entries only for an upward one.
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
    """The requests of the run of strikes, and of the baseline: latency, queries and errors.

    slow_share: the share of requests above the baseline's p95. Latencies are in milliseconds.
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
    """A changed request rate of an endpoint. minutes_before_per_minute: the rate just before, if known."""

    onset_low: float
    onset_high: float
    bucket_seconds: float
    strikes: int
    request_count: int
    minutes_before_per_minute: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelDetails:
    """A custom metric that left its usual course. metric, attributes and is_rate are those of its MetricSeries.

    points: how many points the watch knew. step_seconds: between two of them. mean_reach: how far from its course the
    mean of two dozen points usually is. stands_still: whether it no longer moves.
    """

    metric: str
    attributes: str
    is_rate: bool
    onset_low: float
    onset_high: float
    points: int = 0
    step_seconds: float = 60.0
    mean_reach: float = 0.0
    stands_still: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastDetails:
    """A custom metric that will probably reach a limit: a ceiling if `above`, else a floor.

    horizon_seconds: how far ahead this limit is forecast; None means the default horizon. crossing_at: the median;
    crossing_earliest and crossing_latest: an 80 % interval; in seconds UTC, None beyond the horizon.
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

    text: the template, or the pattern's meaning. sample: one of the lines, "" if none may be shown. severity: the worst
    of its lines. past_incident_lines: lines of past incidents, which are not part of the baseline. pattern_severity:
    the severity that its author gave the pattern; None for a template.
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
    """The worst of the firing alerts of one name and service; the fields are those of its AlertChange.

    severity: None if it needs nobody's attention.
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
"""The kinds of findings that may have lost conversions."""

FunnelDetails: TypeAlias = FunnelDropDetails | FunnelRiseDetails | FunnelDriftDetails
"""The kinds of findings about a conversion rate."""

MetricDetails: TypeAlias = LevelDetails | ForecastDetails
"""The kinds of findings about a custom metric."""

FindingDetails: TypeAlias = FunnelDetails | EndpointDetails | TrafficDetails | MetricDetails | LogDetails | AlertDetails
