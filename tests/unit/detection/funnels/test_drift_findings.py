"""A slow drift as a finding: what kind, how far, since when, and in which segment."""

from __future__ import annotations

import numpy as np
import pytest

from detection.funnels.drift_findings import drift_findings
from detection.funnels.drifts import DriftOptions
from detection.types import FunnelDriftDetails, FunnelSeries
from tests.finding_details import details_as


def creeping(shop, change: float, **about: object) -> FunnelSeries:
    starts = shop.hours(14)
    rates = 0.3 * np.interp(starts, [shop.now - 2 * 86_400, shop.now], [1.0, 1 + change])
    return shop.funnel(starts, 1000.0, rates, **about)


def found(shop, signup, *series: FunnelSeries):
    return drift_findings(series, signup, now=shop.now, options=DriftOptions())


def test_a_downward_drift_is_told_with_its_size_and_its_hours(shop, signup) -> None:
    (drift,) = found(shop, signup, creeping(shop, -0.25))
    assert (drift.detector, drift.fingerprint) == ("funnel_conversion_drift", "conversion_rate:funnel_drift:1")
    assert drift.expected == pytest.approx(0.3, abs=0.01)
    assert 0.2 < drift.observed < 0.29
    assert drift.expected_low < drift.expected < drift.expected_high
    details = details_as(FunnelDriftDetails, drift)
    assert drift.onset_at == drift.window_start == drift.window_end - 3600 * details.hours
    assert details.drop_percent == pytest.approx(100 * (1 - drift.ratio))
    assert drift.score < -4
    assert drift.p_value < 1 / 8760


def test_an_upward_drift_is_another_kind_and_says_how_it_reads(shop, signup) -> None:
    (drift,) = found(shop, signup, creeping(shop, 0.25))
    assert drift.subject.kind == "funnel_drift_up"
    details = details_as(FunnelDriftDetails, drift)
    assert details.reading == "better"
    assert details.where == ()


def test_the_segment_that_a_drift_lies_in_is_named(shop, signup) -> None:
    well = shop.funnel(shop.hours(14), 1000.0, 0.3, dimension="country", value="DE")
    ill = creeping(shop, -0.5, dimension="country", value="FR")
    everyone = FunnelSeries(
        1, None, None, well.bucket_starts, well.entries + ill.entries, well.reached + ill.reached,
        well.converted_by_delay + ill.converted_by_delay,
    )  # fmt: skip
    (drift,) = found(shop, signup, everyone, well, ill)
    assert [(one.dimension, one.value) for one in details_as(FunnelDriftDetails, drift).where] == [("country", "FR")]


def test_a_steady_funnel_and_one_without_entries_do_not_drift(shop, signup) -> None:
    assert found(shop, signup, creeping(shop, 0.0)) == []
    assert found(shop, signup) == []
    assert found(shop, signup, shop.funnel(np.array([]), 1.0, 0.3)) == []
