"""Findings about slow drifts: their kind, size, onset and segment."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import pytest

from detection.funnels.drift_findings import drift_findings
from detection.funnels.drifts import DriftOptions
from detection.types import Finding, FunnelDefinition, FunnelDriftDetails, FunnelSeries
from tests.finding_details import details_as
from tests.unit.detection.conftest import FunnelKeywords, Shop


def creeping(shop: Shop, change: float, **keywords: Unpack[FunnelKeywords]) -> FunnelSeries:
    starts = shop.hours(14)
    rates = 0.3 * np.interp(starts, [shop.now - 2 * 86_400, shop.now], [1.0, 1 + change])
    return shop.funnel(starts, 1000.0, rates, **keywords)


def found(shop: Shop, signup: FunnelDefinition, *series: FunnelSeries) -> list[Finding]:
    return drift_findings(series, signup, now=shop.now, options=DriftOptions())


def test_a_downward_drift_is_a_finding_with_its_size_and_duration(shop: Shop, signup: FunnelDefinition) -> None:
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


def test_an_upward_drift_has_its_own_kind_and_a_reading(shop: Shop, signup: FunnelDefinition) -> None:
    (drift,) = found(shop, signup, creeping(shop, 0.25))
    assert drift.subject.kind == "funnel_drift_up"
    details = details_as(FunnelDriftDetails, drift)
    assert details.reading == "better"
    assert details.where == ()


def test_the_segment_that_carries_a_drift_is_named(shop: Shop, signup: FunnelDefinition) -> None:
    healthy = shop.funnel(shop.hours(14), 1000.0, 0.3, dimension="country", value="DE")
    broken = creeping(shop, -0.5, dimension="country", value="FR")
    everyone = FunnelSeries(
        1, None, None, healthy.bucket_starts, healthy.entries + broken.entries, healthy.reached + broken.reached,
        healthy.converted_by_delay + broken.converted_by_delay,
    )  # fmt: skip
    (drift,) = found(shop, signup, everyone, healthy, broken)
    assert [(one.dimension, one.value) for one in details_as(FunnelDriftDetails, drift).where] == [("country", "FR")]


def test_a_steady_funnel_and_one_without_entries_do_not_drift(shop: Shop, signup: FunnelDefinition) -> None:
    assert found(shop, signup, creeping(shop, 0.0)) == []
    assert found(shop, signup) == []
    assert found(shop, signup, shop.funnel(np.array([]), 1.0, 0.3)) == []
