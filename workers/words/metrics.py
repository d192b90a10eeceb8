"""Findings about custom metrics, their limits and other monitors' alerts in words."""

from __future__ import annotations

from detection.recovery import Recovery, RecoveryState
from detection.types import AlertDetails, Finding, ForecastDetails, Metric, MetricDetails, Severity
from workers.rules.metric_limits import BUILT_IN

_UTILIZATION = ".utilization"
_MANY = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_SOON_SECONDS = 3600.0
_SUMMARY_LENGTH = 160
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


def number_text(value: float) -> str:
    """Format a number with as many digits as people need: 0.0312, 42.5, 1,204, 3.1 million."""
    for size, word in _MANY:
        if abs(value) >= size:
            return f"{value / size:,.3g} {word}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def metric_value_text(finding: Finding, value: float) -> str:
    """Format a value of the finding's metric: a utilization as a percentage, a counter as its rate per second."""
    details = finding.details if isinstance(finding.details, MetricDetails) else None
    if details is not None and details.metric.endswith(_UTILIZATION):
        return f"{value * 100:.0f} %" if abs(value) >= 0.1 else f"{value * 100:.2g} %"
    rate = " a second" if details is not None and details.is_rate else ""
    return f"{number_text(value)}{rate}"


def metric_sentence(finding: Finding) -> str:
    """Return such as "queue is 300, normally 140", or "disk (device=sda1) full in 3 h (2 h to 5 h, 92 % sure)"."""
    observed, expected = (metric_value_text(finding, value) for value in (finding.observed, finding.expected))
    details = finding.details
    if not isinstance(details, ForecastDetails):
        return f"{finding.subject.name} is {observed}, normally {expected}"
    if _is_beyond(finding, details):
        side = "over" if details.above else "under"
        return f"{finding.subject.name} is {observed}, {side} its limit of {expected}"
    thing = _thing(finding, details)
    ahead = forecast_text(
        earliest=details.crossing_earliest,
        likeliest=details.crossing_at,
        latest=details.crossing_latest,
        probability=details.probability,
        since=finding.window_end,
    )
    if thing is not None:
        return f"{thing} full {ahead}; it is at {observed}"
    verb = "reaches" if details.above else "falls to"
    return f"{finding.subject.name} {verb} {expected} {ahead}; it is at {observed}"


def metric_standing_sentence(finding: Finding) -> str:
    """Say where a metric is by its latest value: beyond its limit, on its way there, or off its usual level."""
    details = finding.details
    if not isinstance(details, ForecastDetails) or _is_beyond(finding, details):
        return metric_sentence(finding)
    observed, limit = (metric_value_text(finding, value) for value in (finding.observed, finding.expected))
    return f"{_thing(finding, details) or finding.subject.name} is at {observed}, on its way to its limit of {limit}"


def forecast_text(
    *, earliest: float | None, likeliest: float | None, latest: float | None, probability: float, since: float
) -> str:
    """When a limit is met, seen from `since`: "in 3 h (2 h to 5 h, 92 % sure)"."""
    sure = f"{min(probability, 0.99) * 100:.0f} % sure"
    soonest, middle, last = (_ahead(at, since) for at in (earliest, likeliest, latest))
    if soonest == middle == last:
        return f"in {middle} ({sure})"
    between = f"{soonest} to {last}" if latest is not None else f"{soonest} or more"
    return f"in {middle} ({between}, {sure})"


def _ahead(at: float | None, since: float) -> str:
    """Return the time until `at`, in whole minutes, hours or days: 40 min, 3 h, 2 days."""
    if at is None:
        return "later"
    seconds = max(at - since, 0.0)
    if seconds < 1.5 * _HOUR:
        return f"{max(round(seconds / _MINUTE), 1)} min"
    if seconds < 2 * _DAY:
        return f"{round(seconds / _HOUR)} h"
    return f"{round(seconds / _DAY)} days"


def _is_beyond(finding: Finding, details: ForecastDetails) -> bool:
    apart = finding.observed - finding.expected
    return apart >= 0 if details.above else apart <= 0


def _thing(finding: Finding, details: ForecastDetails) -> str | None:
    """Return what is full when a built-in limit is reached, such as "disk (device=sda1)"; None for other limits."""
    limit = next((one for one in BUILT_IN if one.name == details.metric and one.threshold == finding.expected), None)
    if limit is None:
        return None
    return f"{limit.what} ({details.attributes})" if details.attributes else limit.what


def metric_severity(finding: Finding) -> Severity:
    """Return sev2 for a limit reached within an hour, sev3 for one reached later, sev4 for an unusual value."""
    if not isinstance(finding.details, ForecastDetails):
        return Severity.SEV4
    crossing = finding.details.crossing_at
    soon = crossing is not None and crossing - finding.window_end <= _SOON_SECONDS
    return Severity.SEV2 if soon else Severity.SEV3


def alert_sentence(finding: Finding) -> str:
    """Return such as "HighErrorRate is firing: 5 % of requests fail"."""
    times = f" in {finding.sample_size} places" if finding.sample_size > 1 else ""
    said = finding.details.summary if isinstance(finding.details, AlertDetails) else ""
    summary = " ".join(said.split())[:_SUMMARY_LENGTH]
    return f"{finding.subject.name} is firing{times}" + (f": {summary}" if summary else "")


def alert_severity(finding: Finding) -> Severity:
    """Return the severity that the alert's monitor states; sev4 without one."""
    stated = finding.details.severity if isinstance(finding.details, AlertDetails) else None
    return stated or Severity.SEV4


def recovery_text(finding: Finding, item: Recovery) -> str | None:
    """Describe a recovery test of a custom metric or an alert; None for other metrics."""
    if finding.metric is Metric.ALERT:
        over = item.state is RecoveryState.RECOVERED
        return f"{finding.subject.name} {'no longer fires' if over else 'still fires'}."
    if finding.metric is not Metric.CUSTOM:
        return None
    before, during = metric_value_text(finding, item.before), metric_value_text(finding, item.during)
    after = metric_value_text(finding, item.after) if item.after is not None else "not measured"
    if isinstance(finding.details, ForecastDetails):
        state = {
            RecoveryState.RECOVERED: "is no longer on its way there",
            RecoveryState.STILL_BROKEN: "is still on its way there",
            RecoveryState.INSUFFICIENT_DATA: "was not seen long enough to tell",
        }[item.state]
        return f"{finding.subject.name} {state}: {during} then, {after} now, its limit is {before}."
    state = {
        RecoveryState.RECOVERED: "usual again",
        RecoveryState.STILL_BROKEN: "still unusual",
        RecoveryState.INSUFFICIENT_DATA: "not seen long enough to tell",
    }[item.state]
    return f"{finding.subject.name}: {before} before, {during} during, {after} now ({state})."
