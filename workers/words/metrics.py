"""Findings about custom metrics, their limits and other monitors' alerts in words."""

from __future__ import annotations

from collections.abc import Mapping

from detection.types import Finding, JsonValue, Metric, Severity
from detection.verification import Recovery, RecoveryState
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
    if str(finding.details.get("metric", "")).endswith(_UTILIZATION):
        return f"{value * 100:.0f} %" if abs(value) >= 0.1 else f"{value * 100:.2g} %"
    rate = " a second" if finding.details.get("is_rate") else ""
    return f"{number_text(value)}{rate}"


def metric_sentence(finding: Finding) -> str:
    """Return such as "queue is 300, normally 140", or "disk (device=sda1) full in 3 h (2 h to 5 h, 92 % sure)"."""
    observed, expected = (metric_value_text(finding, value) for value in (finding.observed, finding.expected))
    if "probability" not in finding.details:
        return f"{finding.subject.name} is {observed}, normally {expected}"
    if _is_beyond(finding):
        side = "over" if finding.details.get("above") else "under"
        return f"{finding.subject.name} is {observed}, {side} its limit of {expected}"
    thing = _thing(finding)
    ahead = forecast_text(finding.details, since=finding.window_end)
    if thing is not None:
        return f"{thing} full {ahead}; it is at {observed}"
    verb = "reaches" if finding.details.get("above") else "falls to"
    return f"{finding.subject.name} {verb} {expected} {ahead}; it is at {observed}"


def forecast_text(details: Mapping[str, JsonValue], *, since: float) -> str:
    """Return when a limit is reached, relative to `since`: "in 3 h (2 h to 5 h, 92 % sure)"."""
    earliest, middle, latest = (details.get(name) for name in ("crossing_earliest", "crossing_at", "crossing_latest"))
    probability = details.get("probability")
    sure = f"{min(float(probability), 0.99) * 100:.0f} % sure" if isinstance(probability, int | float) else "not sure"
    soonest, likeliest, last = (_ahead(at, since) for at in (earliest, middle, latest))
    if soonest == likeliest == last:
        return f"in {likeliest} ({sure})"
    between = f"{soonest} to {last}" if latest is not None else f"{soonest} or more"
    return f"in {likeliest} ({between}, {sure})"


def _ahead(at: JsonValue, since: float) -> str:
    """Return the time until `at`, in whole minutes, hours or days: 40 min, 3 h, 2 days."""
    if not isinstance(at, int | float):
        return "later"
    seconds = max(float(at) - since, 0.0)
    if seconds < 1.5 * _HOUR:
        return f"{max(round(seconds / _MINUTE), 1)} min"
    if seconds < 2 * _DAY:
        return f"{round(seconds / _HOUR)} h"
    return f"{round(seconds / _DAY)} days"


def _is_beyond(finding: Finding) -> bool:
    apart = finding.observed - finding.expected
    return apart >= 0 if finding.details.get("above") else apart <= 0


def _thing(finding: Finding) -> str | None:
    """Return what is full when a built-in limit is reached, such as "disk (device=sda1)"; None for other limits."""
    name, attributes = finding.details.get("metric"), finding.details.get("attributes")
    limit = next((one for one in BUILT_IN if one.name == name and one.threshold == finding.expected), None)
    if limit is None:
        return None
    return f"{limit.what} ({attributes})" if attributes else limit.what


def metric_severity(finding: Finding) -> Severity:
    """Return sev2 for a limit reached within an hour, sev3 for one reached later, sev4 for an unusual value."""
    if "probability" not in finding.details:
        return Severity.SEV4
    crossing = finding.details.get("crossing_at")
    soon = isinstance(crossing, int | float) and crossing - finding.window_end <= _SOON_SECONDS
    return Severity.SEV2 if soon else Severity.SEV3


def alert_sentence(finding: Finding) -> str:
    """Return such as "HighErrorRate is firing: 5 % of requests fail"."""
    times = f" in {finding.sample_size} places" if finding.sample_size > 1 else ""
    summary = " ".join(str(finding.details.get("summary") or "").split())[:_SUMMARY_LENGTH]
    return f"{finding.subject.name} is firing{times}" + (f": {summary}" if summary else "")


def alert_severity(finding: Finding) -> Severity:
    """Return the severity that the alert's monitor states; sev4 without one."""
    said = finding.details.get("severity")
    return Severity(said) if isinstance(said, str) and said in list(Severity) else Severity.SEV4


def recovery_text(finding: Finding, item: Recovery) -> str | None:
    """Describe a recovery test of a custom metric or an alert; None for other metrics."""
    if finding.metric is Metric.ALERT:
        over = item.state is RecoveryState.RECOVERED
        return f"{finding.subject.name} {'no longer fires' if over else 'still fires'}."
    if finding.metric is not Metric.CUSTOM:
        return None
    before, during = metric_value_text(finding, item.before), metric_value_text(finding, item.during)
    after = metric_value_text(finding, item.after) if item.after is not None else "not measured"
    if "probability" in finding.details:
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
