"""Findings in words: titles, values with their units, how bad."""

from __future__ import annotations

from collections.abc import Sequence

from detection.types import Finding, Metric, Severity

METRIC_NAMES = {
    Metric.CONVERSION_RATE: "conversion rate",
    Metric.LATENCY_P95: "p95 latency",
    Metric.QUERY_COUNT: "queries a request",
    Metric.LOG_RATE: "lines a minute",
    Metric.CUSTOM: "value",
}

SEVERITY_BY_RATIO: dict[Metric, tuple[tuple[float, Severity], ...]] = {
    Metric.LATENCY_P95: ((10.0, Severity.SEV2), (3.0, Severity.SEV3)),
    Metric.QUERY_COUNT: ((10.0, Severity.SEV3),),
}
"""From this ratio of observed to expected on, a finding is this bad; below them all it is sev4."""

SEVERITY_BY_DROP = ((0.5, Severity.SEV1), (0.3, Severity.SEV2))
"""From this share of conversions lost on, a finding is this bad; below them all it is sev3."""


def value_text(metric: Metric, value: float) -> str:
    """A value with its unit, as short as it stays true: 1,020 ms; 22.4 %; 124."""
    match metric:
        case Metric.CONVERSION_RATE:
            return f"{value * 100:.1f} %"
        case Metric.LATENCY_P95:
            return f"{value:,.0f} ms"
        case Metric.QUERY_COUNT:
            return f"{value:,.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
        case Metric.LOG_RATE:
            return f"{value:,.1f} a minute"
        case Metric.CUSTOM:
            return f"{value:,.4g}"


def finding_sentence(finding: Finding) -> str:
    """One line a tired person understands."""
    observed = value_text(finding.metric, finding.observed)
    expected = value_text(finding.metric, finding.expected)
    name = finding.subject.name
    match finding.metric:
        case Metric.CONVERSION_RATE:
            where = f" for {finding.subject.dimension} {finding.subject.value}" if finding.subject.dimension else ""
            return f"{name} conversion{where} is {observed}, normally {expected}"
        case Metric.LATENCY_P95:
            return f"{name} is slow: p95 {observed}, normally {expected}"
        case Metric.QUERY_COUNT:
            return f"{name} runs {observed} queries a request, normally {expected}"
        case Metric.LOG_RATE:
            return f"{name} is logged {observed}, normally {expected}"
        case Metric.CUSTOM:
            return f"{name} is {observed}, normally {expected}"


def severity_of(finding: Finding) -> Severity:
    """How much a finding hurts, by its size alone."""
    if finding.metric is Metric.CONVERSION_RATE:
        lost = 1.0 - finding.ratio
        return next((severity for least, severity in SEVERITY_BY_DROP if lost >= least), Severity.SEV3)
    steps = SEVERITY_BY_RATIO.get(finding.metric, ())
    return next((severity for least, severity in steps if finding.ratio >= least), Severity.SEV4)


def leading(findings: Sequence[Finding]) -> Finding:
    """The finding that names the incident: the worst; among equals what users feel, then what machines count."""
    order = list(METRIC_NAMES)
    return min(findings, key=lambda finding: (severity_of(finding), order.index(finding.metric), -finding.score))


def incident_title(findings: Sequence[Finding]) -> str:
    """The worst finding's sentence."""
    return finding_sentence(leading(findings))


def duration_text(seconds: float) -> str:
    """45 s, 12 min, 3 h 5 min, 2 days."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(hours / 24)} days"
