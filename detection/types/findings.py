"""Findings of the detectors: a metric of a subject, observed against expected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from detection.types.finding_details import FindingDetails, ForecastDetails, FunnelDriftDetails


class Metric(StrEnum):
    """The metric that a finding measured and that a verification measures again."""

    CONVERSION_RATE = "conversion_rate"
    LATENCY_P95 = "latency_p95_ms"
    QUERY_COUNT = "query_count"
    ERROR_RATE = "error_rate"
    REQUEST_RATE = "request_rate"
    ALERT = "alert"
    CUSTOM = "custom_metric"
    LOG_RATE = "log_rate"


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a finding: a funnel (`funnel_id`), an endpoint, a metric, a log series or an alert.

    `dimension` and `value` name a segment of it, if any.
    """

    kind: str
    name: str
    service: str | None = None
    endpoint: str | None = None
    funnel_id: int | None = None
    dimension: str | None = None
    value: str | None = None

    def key(self) -> str:
        """Return a stable text for fingerprints, such as "endpoint:shop:POST /checkout"."""
        parts = [
            self.kind,
            str(self.funnel_id) if self.funnel_id is not None else (self.service or ""),
        ]
        if self.kind in {"metric", "log_template", "log_pattern", "alert"}:
            parts.append(self.name)
        if self.endpoint:
            parts.append(self.endpoint)
        if self.dimension:
            parts.append(f"{self.dimension}={self.value}")
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Finding:
    """One detector's output: `observed` against `expected`, in the metric's own unit.

    expected_low and expected_high bound the baseline; score is in standard deviations; p_value is after
    the correction for the number of tests of the tick. sample_size counts entries or requests. details are of the class
    of its kind of finding, None where nothing more is known.
    """

    detector: str
    metric: Metric
    subject: Subject
    observed: float
    expected: float
    expected_low: float
    expected_high: float
    sample_size: int
    score: float
    p_value: float
    window_start: float
    window_end: float
    onset_at: float
    details: FindingDetails | None = None

    @property
    def fingerprint(self) -> str:
        """The identity of the problem: the same problem found again has the same fingerprint."""
        return f"{self.metric}:{self.subject.key()}"

    @property
    def onset_interval(self) -> tuple[float, float]:
        """The earliest and the latest time of the onset, seconds UTC; onset_at twice if no bounds are known."""
        match self.details:
            case None | FunnelDriftDetails() | ForecastDetails():
                return self.onset_at, self.onset_at
            case details:
                return details.onset_low, details.onset_high

    @property
    def ratio(self) -> float:
        """Observed over expected; infinite when nothing was expected."""
        return self.observed / self.expected if self.expected else float("inf")
