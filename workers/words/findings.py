"""Findings in words: sentences, titles, values with units, severity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from detection.types import (
    Finding,
    FindingDetails,
    FunnelDriftDetails,
    FunnelRiseDetails,
    Metric,
    RiseReading,
    Severity,
)
from integrations.text import Markup, ours, visible
from workers.words.attribution import place_name
from workers.words.attribution_details import attribution_of, named_place
from workers.words.logs import log_rate_sentence, log_sentence, log_severity, log_subject
from workers.words.metrics import (
    alert_sentence,
    alert_severity,
    metric_sentence,
    metric_severity,
    metric_standing_sentence,
    number_text,
)

LONGEST_TITLE = 300

METRIC_NAMES = {
    Metric.CONVERSION_RATE: "conversion rate",
    Metric.LATENCY_P95: "p95 latency",
    Metric.QUERY_COUNT: "queries a request",
    Metric.ERROR_RATE: "error rate",
    Metric.REQUEST_RATE: "traffic",
    Metric.ALERT: "alert",
    Metric.LOG_RATE: "lines a minute",
    Metric.CUSTOM: "value",
}

SEVERITY_BY_RATIO: dict[Metric, tuple[tuple[float, Severity], ...]] = {
    Metric.LATENCY_P95: ((10.0, Severity.SEV2), (3.0, Severity.SEV3)),
    Metric.QUERY_COUNT: ((10.0, Severity.SEV3),),
    Metric.REQUEST_RATE: ((10.0, Severity.SEV3),),
}
"""A finding has this severity from this ratio of observed to expected on; below all of them it is sev4."""

SEVERITY_BY_DROP = ((0.5, Severity.SEV1), (0.3, Severity.SEV2))
"""A finding has this severity from this share of lost conversions on; below all of them it is sev3."""

SEVERITY_BY_ERRORS = ((0.5, Severity.SEV1), (0.2, Severity.SEV2), (0.1, Severity.SEV3))
"""A finding has this severity from this error rate on; below all of them it is sev4."""

VANISHED = 0.1
"""Traffic of at most this share of the usual counts as gone."""

METRIC_ORDER = (
    Metric.CONVERSION_RATE,
    Metric.ERROR_RATE,
    Metric.LATENCY_P95,
    Metric.REQUEST_RATE,
    Metric.QUERY_COUNT,
)
"""Which of equally severe findings names an incident: first what users notice, then the rest."""


def value_text(metric: Metric, value: float) -> str:
    """Return a value with its unit, such as 1,020 ms, 22.4 % or 124."""
    match metric:
        case Metric.CONVERSION_RATE | Metric.ERROR_RATE:
            return f"{value * 100:.1f} %"
        case Metric.LATENCY_P95:
            return f"{value:,.0f} ms"
        case Metric.QUERY_COUNT:
            return f"{value:,.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
        case Metric.REQUEST_RATE:
            return f"{value:,.0f} a minute" if value >= 10 or not value else f"{value:,.1f} a minute"
        case Metric.LOG_RATE:
            return f"{value:,.1f} a minute"
        case Metric.ALERT:
            return "firing" if value else "not firing"
        case Metric.CUSTOM:
            return number_text(value)


def finding_sentence(finding: Finding) -> str:
    """Describe a finding in one line."""
    observed = value_text(finding.metric, finding.observed)
    expected = value_text(finding.metric, finding.expected)
    name = finding.subject.name
    match finding.metric:
        case Metric.CONVERSION_RATE:
            where = f" for {finding.subject.dimension} {finding.subject.value}" if finding.subject.dimension else ""
            place = named_place(attribution_of(finding))
            if place is not None:
                where = f" for {place_name(place.where)}"
                observed, expected = (value_text(finding.metric, rate) for rate in (place.rate, place.expected_rate))
            return f"{name} conversion{where} {_conversion_verb(finding)} {observed}, normally {expected}"
        case Metric.LATENCY_P95:
            return f"{name} is slow: p95 {observed}, normally {expected}"
        case Metric.QUERY_COUNT:
            return f"{name} runs {observed} queries a request, normally {expected}"
        case Metric.ERROR_RATE:
            return f"{name} fails for {observed} of requests, normally {expected}"
        case Metric.REQUEST_RATE:
            return f"{name} is called {_traffic_words(finding)}, normally {expected}"
        case Metric.ALERT:
            return alert_sentence(finding)
        case Metric.LOG_RATE:
            return log_sentence(finding, observed, expected)
        case Metric.CUSTOM:
            return metric_sentence(finding)


def standing_sentence(finding: Finding) -> str:
    """Describe in one line how a finding stands by its latest values.

    finding_sentence tells of logs and forecasts what was found first: how many lines, and how long until the limit.
    """
    observed = value_text(finding.metric, finding.observed)
    expected = value_text(finding.metric, finding.expected)
    if finding.metric is Metric.LOG_RATE:
        return log_rate_sentence(finding, observed, expected)
    if finding.metric is Metric.CUSTOM:
        return metric_standing_sentence(finding)
    return finding_sentence(finding)


def _traffic_words(finding: Finding) -> str:
    observed = value_text(finding.metric, finding.observed)
    if finding.observed > finding.expected:
        return f"far more than usual: {observed}"
    return f"too seldom: {observed}" if finding.observed else "no more"


def _conversion_verb(finding: Finding) -> str:
    """Return the verb for a sudden change, a rise or a drift, or for a rate distorted by missing entries."""
    details = finding.details
    if _is_missing_entries(details):
        return "seems to be"
    over = f" over {details.hours} h" if isinstance(details, FunnelDriftDetails) else ""
    match finding.subject.kind:
        case "funnel_rise":
            return "is up at"
        case "funnel_drift":
            return f"has slipped{over} to"
        case "funnel_drift_up":
            return f"has crept up{over} to"
        case _:
            return "is"


def _is_missing_entries(details: FindingDetails | None) -> TypeGuard[FunnelRiseDetails | FunnelDriftDetails]:
    """Whether the rate only seems to have risen, because entries are not counted."""
    if not isinstance(details, FunnelRiseDetails | FunnelDriftDetails):
        return False
    return details.reading is RiseReading.ENTRIES_MISSING


def notice_text(finding: Finding) -> Markup | None:
    """Explain what a rise or a slow drift means and what to check; None for an outage, which is diagnosed."""
    entries = f"{finding.sample_size:,}"
    details = finding.details
    if _is_missing_entries(details):
        usual = details.usual_entries
        counted = "entry was" if finding.sample_size == 1 else "entries were"
        return ours(
            "Only {entries} {counted} counted, normally {usual}: "
            "the first step may no longer be tracked for everyone. "
            "Check what sends its event before trusting the rate.",
            entries=entries,
            counted=counted,
            usual=f"{usual:,.0f}",
        )
    match finding.subject.kind:
        case "funnel_rise":
            return ours(
                "**Good news, or a step that counts too easily.** As many enter as usual, and more of them finish. "
                "Nothing needs a fix; check that the last step's event is only sent when it has really happened."
            )
        case "funnel_drift":
            return ours(
                "**No single moment broke this.** The rate has been slipping hour by hour, so no deploy can be named "
                "by its time. Look at what changed gradually: who comes, prices, a roll-out by degrees."
            )
        case "funnel_drift_up":
            return ours("**Slowly getting better**, hour by hour, with as many entries as usual. Nothing needs a fix.")
        case _:
            return None


def is_notice(finding: Finding) -> bool:
    """Whether the finding is a notice: worth reporting, but no outage that needs a fix."""
    return notice_text(finding) is not None


def severity_of(finding: Finding) -> Severity:
    """Return the severity of a finding, from its size or from what its pattern or monitor states."""
    if finding.metric is Metric.CONVERSION_RATE and finding.ratio >= 1.0:
        return Severity.SEV4
    if finding.metric is Metric.CONVERSION_RATE:
        lost = 1.0 - finding.ratio
        return next((severity for least, severity in SEVERITY_BY_DROP if lost >= least), Severity.SEV3)
    if finding.metric is Metric.LOG_RATE:
        return log_severity(finding)
    if finding.metric is Metric.ERROR_RATE:
        return next((severity for least, severity in SEVERITY_BY_ERRORS if finding.observed >= least), Severity.SEV4)
    if finding.metric is Metric.REQUEST_RATE and finding.ratio < 1:
        return Severity.SEV2 if finding.ratio <= VANISHED else Severity.SEV3
    if finding.metric is Metric.ALERT:
        return alert_severity(finding)
    if finding.metric is Metric.CUSTOM:
        return metric_severity(finding)
    steps = SEVERITY_BY_RATIO.get(finding.metric, ())
    return next((severity for least, severity in steps if finding.ratio >= least), Severity.SEV4)


def subject_text(finding: Finding) -> str:
    """Return what the finding is about, as people call it."""
    return log_subject(finding) if finding.metric is Metric.LOG_RATE else finding.subject.name


def leading(findings: Sequence[Finding]) -> Finding:
    """Return the finding that names the incident: the most severe, then by METRIC_ORDER, then by score."""
    order = [*METRIC_ORDER, *(metric for metric in METRIC_NAMES if metric not in METRIC_ORDER)]
    return min(findings, key=lambda finding: (severity_of(finding), order.index(finding.metric), -finding.score))


def incident_title(findings: Sequence[Finding]) -> str:
    """Return the leading finding's sentence, cut to LONGEST_TITLE."""
    return visible(finding_sentence(leading(findings)))[:LONGEST_TITLE]


def duration_text(seconds: float) -> str:
    """Format a duration, without its sign: 45 s, 12 min, 3 h 5 min, 2 days."""
    whole = round(abs(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(hours / 24)} days"
