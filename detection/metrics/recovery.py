"""Whether a metric that left its usual course has recovered since a fix went live, or since it was last seen broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from detection.metrics.course import NEW_NORMAL_AFTER_SECONDS, Reach, course_state, still_state
from detection.metrics.series import key_of
from detection.recovery import Recovery, RecoveryState, insufficient_data, regained_share
from detection.types import Finding, Floats, LevelDetails, MetricDetails, MetricSeries

_NEWEST = 12
"""The mean of at most this many points says where the metric is."""


def level_recovery(
    finding: Finding, series: Sequence[MetricSeries], courses: Floats | None, *, since: float, now: float
) -> Recovery:
    """Test a metric on its points since `since`, when the fix went live.

    series: its points in its own grain, from before the onset to now. courses: (n,) the usual value at each of these
    points; None when it is not known, and then the finding's expected value counts. A change that has lasted for
    NEW_NORMAL_AFTER_SECONDS has recovered: it is the new normal.
    """
    points, details = own_series(finding, series), finding.details
    if points is None or not isinstance(details, LevelDetails):
        return insufficient_data(finding)
    reach, later = finding.expected_high - finding.expected, points.bucket_starts >= since
    usual = np.full(len(later), finding.expected) if courses is None else courses
    values, residuals = points.means[later], (points.means - usual)[later]
    after = float(values[-_NEWEST:].mean()) if len(values) else None
    if details.stands_still:
        state = still_state(values)
    else:
        state = course_state(
            residuals,
            Reach(reach, details.mean_reach or reach, abs(finding.observed - finding.expected)),
            details.step_seconds,
        )
    expected = float(usual[-1]) if len(usual) else finding.expected
    recovery = recovery_of(finding, state, after, len(values), expected, reach)
    if now - finding.onset_at < NEW_NORMAL_AFTER_SECONDS or state is RecoveryState.RECOVERED or after is None:
        return recovery
    return replace(recovery, state=RecoveryState.RECOVERED, is_new_normal=True)


def own_series(finding: Finding, series: Sequence[MetricSeries]) -> MetricSeries | None:
    """Return the series that a finding is about, if it has points."""
    details = finding.details
    if not isinstance(details, MetricDetails):
        return None
    wanted = (finding.subject.service, details.metric, details.attributes)
    return next((one for one in series if key_of(one) == wanted and len(one.means)), None)


def recovery_of(
    finding: Finding,
    state: RecoveryState,
    after: float | None,
    points: int,
    expected: float | None = None,
    reach: float | None = None,
) -> Recovery:
    """Return the answer of a test, with the finding's own expectation unless another is given."""
    before = finding.expected if expected is None else expected
    regained = regained_share(before, finding.observed, after)
    return Recovery(
        state=state,
        metric=finding.metric,
        before=before,
        during=finding.observed,
        after=after,
        recovered_share=1.0 if state is RecoveryState.RECOVERED else regained,
        sample_size=points,
        normal_low=finding.expected_low if reach is None else before - reach,
        normal_high=finding.expected_high if reach is None else before + reach,
    )
