"""The result of a recovery test (before, during, after), as a row of a verification and as a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from detection.recovery import Recovery, RecoveryState
from detection.types import Finding, Metric
from workers.words.findings import METRIC_NAMES, subject_text, value_text
from workers.words.metrics import recovery_text


def measure(finding: Finding, item: Recovery) -> dict[str, Any]:
    """Return the row of a test after a fix: values in the metric's unit, and a sentence."""
    is_loss = finding.metric is Metric.CONVERSION_RATE
    regained = f"{item.recovered_share * 100:.0f} % of the loss regained"
    state = {
        RecoveryState.RECOVERED: regained if is_loss else "back to usual",
        RecoveryState.STILL_BROKEN: f"only {regained}" if is_loss else "still unusual",
        RecoveryState.INSUFFICIENT_DATA: f"insufficient data: only {item.sample_size:,} seen since",
    }[item.state]
    return _row(finding, item, f"{_value(finding, item.during)} during, {_after(finding, item)} now ({state})")


def measure_without_fix(finding: Finding, item: Recovery) -> dict[str, Any]:
    """Return the row of a test without a fix: the exact end is unknown, so the worst value stands for "during"."""
    regained = 1.0
    if (
        finding.metric not in (Metric.ALERT, Metric.CUSTOM)
        and item.after is not None
        and finding.observed != item.before
    ):
        regained = min(max((item.after - finding.observed) / (item.before - finding.observed), 0.0), 1.0)
    worst = replace(item, during=finding.observed, recovered_share=regained)
    return _row(finding, worst, f"{_value(finding, worst.during)} at its worst, {_after(finding, worst)} now")


def in_words(measures: Iterable[Mapping[str, Any]]) -> str:
    """Join the sentences of a verification's rows."""
    return " ".join(str(measure["text"]) for measure in measures)


def _row(finding: Finding, item: Recovery, course: str) -> dict[str, Any]:
    return {
        "metric": finding.metric,
        "subject": finding.subject.key(),
        "state": item.state,
        "before": item.before,
        "during": item.during,
        "after": item.after,
        "recovered_share": item.recovered_share,
        "sample_size": item.sample_size,
        "text": recovery_text(finding, item)
        or f"{subject_text(finding)} {METRIC_NAMES[finding.metric]}: {_value(finding, item.before)} before, {course}.",
    }


def _value(finding: Finding, value: float) -> str:
    return value_text(finding.metric, value)


def _after(finding: Finding, item: Recovery) -> str:
    return _value(finding, item.after) if item.after is not None else "not measured"
