from __future__ import annotations

from dataclasses import replace
from typing import Unpack

import numpy as np
import pytest

from detection.funnels.cohorts import Cohorts, gathered, horizon
from detection.funnels.findings import funnel_findings, funnel_rises
from detection.funnels.scan import scan_for_drops, scan_for_rises, significant
from detection.options import FunnelOptions
from detection.statistics.baselines import RateBaseline
from detection.types import FunnelDefinition, FunnelDropDetails, FunnelRiseDetails, FunnelSeries, Metric
from tests.finding_details import details_as
from tests.unit.detection.conftest import FunnelKeywords, Shop

OPTIONS = FunnelOptions()
ONSET = 600.0
"""Seconds before now at which the shops of these tests break."""


def recent(
    shop: Shop, rate: float, broken_rate: float, *, entries: float = 20.0, **keywords: Unpack[FunnelKeywords]
) -> FunnelSeries:
    starts = shop.tens(shop.now - 7200, shop.now)
    conversion = np.where(starts >= shop.now - ONSET, broken_rate, rate)
    return shop.funnel(starts, entries, conversion, until=shop.now, **keywords)


def past(
    shop: Shop, rate: float, *, entries: float = 7200.0, days: float = 7.0, **keywords: Unpack[FunnelKeywords]
) -> FunnelSeries:
    return shop.funnel(shop.hours(days), entries, rate, **keywords)


def test_a_drop_of_the_whole_funnel_is_one_finding_with_its_figures(shop: Shop, signup: FunnelDefinition) -> None:
    found = funnel_findings([recent(shop, 0.3, 0.15)], [past(shop, 0.3)], signup, now=shop.now, options=OPTIONS)
    assert len(found) == 1
    finding = found[0]
    assert (finding.detector, finding.metric) == ("funnel_conversion", Metric.CONVERSION_RATE)
    assert finding.fingerprint == "conversion_rate:funnel:1"
    assert finding.observed == pytest.approx(0.15, abs=0.03)
    assert finding.expected == pytest.approx(0.3, abs=0.02)
    assert finding.expected_low <= finding.expected <= finding.expected_high
    assert finding.score < -8
    details = details_as(FunnelDropDetails, finding)
    assert finding.sample_size == details.entries
    assert finding.observed == details.converted / details.entries


def test_the_onset_is_within_a_minute_and_its_interval_includes_entries_in_progress(
    shop: Shop, signup: FunnelDefinition
) -> None:
    finding = funnel_findings([recent(shop, 0.3, 0.1)], [past(shop, 0.3)], signup, now=shop.now, options=OPTIONS)[0]
    assert finding.onset_at == pytest.approx(shop.now - ONSET, abs=60)
    details = details_as(FunnelDropDetails, finding)
    assert details.onset_low <= shop.now - ONSET <= details.onset_high


def test_the_step_that_broke_is_named(shop: Shop, signup: FunnelDefinition) -> None:
    finding = funnel_findings([recent(shop, 0.3, 0.1)], [past(shop, 0.3)], signup, now=shop.now, options=OPTIONS)[0]
    details = details_as(FunnelDropDetails, finding)
    assert details.step == "done"
    assert [step.name for step in details.steps] == ["view", "form", "done"]
    assert details.steps[2].recent_rate < details.steps[2].baseline_rate


def test_entries_without_time_to_convert_are_not_counted_as_lost(shop: Shop, signup: FunnelDefinition) -> None:
    """With conversions that take five minutes, a naive count of the last minutes would halve the rate."""
    slow = recent(shop, 0.3, 0.3, delay_seconds=300.0)
    last = slow.bucket_starts >= shop.now - 600
    assert slow.reached[last, 2].sum() / slow.entries[last].sum() < 0.24
    assert funnel_findings([slow], [past(shop, 0.3, delay_seconds=300.0)], signup, now=shop.now, options=OPTIONS) == []


def test_the_horizon_is_the_95th_percentile_of_the_delays_and_never_beyond_the_window(
    shop: Shop, signup: FunnelDefinition
) -> None:
    series = past(shop, 0.3, delay_seconds=60.0)
    assert horizon(series, 1800.0, until=shop.now) == pytest.approx(116, rel=0.3)
    assert horizon(series, 45.0, until=shop.now) == 45.0
    silent = replace(series, converted_by_delay=np.zeros_like(series.converted_by_delay))
    assert horizon(silent, 1800.0, until=shop.now) == 1800.0


def test_a_total_break_is_found_within_two_and_a_half_minutes_of_busy_traffic(
    shop: Shop, signup: FunnelDefinition
) -> None:
    broke_at = shop.now - 150
    starts = shop.tens(shop.now - 7200, shop.now)
    fine = shop.funnel(starts, 40.0, np.where(starts >= broke_at, 0.0, 0.3), until=shop.now)
    found = funnel_findings([fine], [past(shop, 0.3, entries=14_400)], signup, now=shop.now, options=OPTIONS)
    assert len(found) == 1
    assert details_as(FunnelDropDetails, found[0]).window_minutes < 5


def test_a_healthy_funnel_a_small_dip_and_too_few_entries_give_no_finding(shop: Shop, signup: FunnelDefinition) -> None:
    baseline = [past(shop, 0.3)]
    assert funnel_findings([recent(shop, 0.3, 0.3)], baseline, signup, now=shop.now, options=OPTIONS) == []
    assert funnel_findings([recent(shop, 0.3, 0.28)], baseline, signup, now=shop.now, options=OPTIONS) == []
    few = recent(shop, 0.3, 0.0, entries=0.4)
    assert funnel_findings([few], baseline, signup, now=shop.now, options=OPTIONS) == []


def test_less_than_a_day_of_baseline_is_insufficient_data(shop: Shop, signup: FunnelDefinition) -> None:
    broken = recent(shop, 0.3, 0.1)
    half_a_day = [past(shop, 0.3, days=0.5)]
    assert funnel_findings([broken], half_a_day, signup, now=shop.now, options=OPTIONS) == []
    assert funnel_findings([broken], [], signup, now=shop.now, options=OPTIONS) == []
    assert len(funnel_findings([broken], [past(shop, 0.3, days=1.5)], signup, now=shop.now, options=OPTIONS)) == 1


def test_an_incident_in_the_last_half_hour_is_not_part_of_its_own_baseline(
    shop: Shop, signup: FunnelDefinition
) -> None:
    baseline = past(shop, 0.3)
    hour = baseline.bucket_starts[-1]
    poisoned = replace(
        baseline,
        converted_by_delay=np.where(baseline.bucket_starts[:, None] == hour, 0, baseline.converted_by_delay),
    )
    finding = funnel_findings([recent(shop, 0.3, 0.1)], [poisoned], signup, now=shop.now, options=OPTIONS)[0]
    assert finding.expected == pytest.approx(0.3, abs=0.02)


def split(shop: Shop, rate: float, recent_rates: dict[str, float]) -> tuple[list[FunnelSeries], list[FunnelSeries]]:
    """Return the whole funnel and one segment per device; the whole funnel is the exact sum of the segments."""
    fine = [recent(shop, rate, broken, dimension="device", value=value) for value, broken in recent_rates.items()]
    coarse = [past(shop, rate, dimension="device", value=value) for value in recent_rates]
    return [summed(fine), *fine], [summed(coarse), *coarse]


def summed(series: list[FunnelSeries]) -> FunnelSeries:
    starts = np.unique(np.concatenate([one.bucket_starts for one in series]))
    total = FunnelSeries(
        1,
        None,
        None,
        starts,
        np.zeros(len(starts), dtype=np.int64),
        np.zeros((len(starts), 3), dtype=np.int64),
        np.zeros((len(starts), series[0].converted_by_delay.shape[1]), dtype=np.int64),
    )
    for one in series:
        places = np.searchsorted(starts, one.bucket_starts)
        total.entries[places] += one.entries
        total.reached[places] += one.reached
        total.converted_by_delay[places] += one.converted_by_delay
    return total


def test_a_drop_of_the_whole_funnel_names_the_segment_that_carries_it_without_a_second_finding(
    shop: Shop, signup: FunnelDefinition
) -> None:
    fine, coarse = split(shop, 0.3, {"ios": 0.05, "android": 0.3})
    found = funnel_findings(fine, coarse, signup, now=shop.now, options=OPTIONS)
    assert [finding.subject.dimension for finding in found] == [None]
    details = details_as(FunnelDropDetails, found[0])
    assert [(place.dimension, place.value) for place in details.where] == [("device", "ios")]
    assert details.where[0].share_of_drop > 0.8


def test_a_drop_that_is_equal_everywhere_names_no_segment(shop: Shop, signup: FunnelDefinition) -> None:
    fine, coarse = split(shop, 0.3, {"ios": 0.12, "android": 0.12, "web": 0.12})
    found = funnel_findings(fine, coarse, signup, now=shop.now, options=OPTIONS)
    assert details_as(FunnelDropDetails, found[0]).where == ()


def test_a_drop_in_a_small_segment_is_found_although_the_whole_funnel_is_healthy(
    shop: Shop, signup: FunnelDefinition
) -> None:
    healthy = recent(shop, 0.3, 0.3, entries=400)
    small = recent(shop, 0.3, 0.05, entries=4, dimension="country", value="AT")
    coarse = [past(shop, 0.3, entries=144_000), past(shop, 0.3, entries=1440, dimension="country", value="AT")]
    found = funnel_findings([healthy, small], coarse, signup, now=shop.now, options=OPTIONS)
    assert [finding.fingerprint for finding in found] == ["conversion_rate:funnel:1:country=AT"]


def simulated(
    random: np.random.Generator, rate: float, now_rate: float, entries: float, rows: int
) -> tuple[Cohorts, RateBaseline]:
    """Draw half an hour of many independent series, with a baseline from a week of the same traffic."""
    buckets = 180
    counts = random.poisson(entries / buckets, (rows, buckets))
    converted = random.binomial(counts, now_rate)
    strength = np.full(rows, entries * 2 * 168)
    known = random.binomial(strength.astype(int), rate) / strength
    baseline = RateBaseline(known, strength, known, known, known, strength, np.full(rows, 168), strength)
    return Cohorts(np.arange(buckets, dtype=np.float64) * 10.0, counts.astype(float), converted.astype(float)), baseline


def test_a_healthy_week_of_a_hundred_segments_raises_at_most_one_false_alarm() -> None:
    """Test 336 half hours of 100 segments each; the benchmarks measure the rate of the continuous scan."""
    random = np.random.default_rng(11)
    alarms = 0
    for _ in range(336):
        scan = scan_for_drops(*simulated(random, 0.3, 0.3, 667, 100), OPTIONS)
        alarms += len(significant(scan.p_value, scan.tested, OPTIONS.significance)[1])
    assert alarms <= 1


def test_losing_a_third_of_two_hundred_conversions_is_usually_significant_in_one_scan() -> None:
    random = np.random.default_rng(12)
    cohorts, baseline = simulated(random, 0.5, 0.35, 400, 2000)
    scan = scan_for_drops(cohorts, baseline, OPTIONS)
    assert np.mean(scan.p_value * 100 <= OPTIONS.significance) > 0.75
    assert np.mean(scan.p_value <= OPTIONS.significance) > 0.93


def test_a_drop_is_found_whatever_the_offset_of_the_bucket_grid(shop: Shop, signup: FunnelDefinition) -> None:
    series, baseline = recent(shop, 0.3, 0.1), [past(shop, 0.3)]
    for offset in (0.0, 3.3, 9.9):
        assert len(funnel_findings([series], baseline, signup, now=shop.now + offset, options=OPTIONS)) == 1


def test_missing_buckets_count_as_zero_and_partial_buckets_are_left_out(shop: Shop) -> None:
    series = shop.funnel(np.array([100.0, 120.0, 130.0]), 50.0, 0.5)
    cohorts = gathered([series], 60.0, since=95.0, until=139.0, bucket_seconds=10.0)
    assert cohorts.bucket_starts.tolist() == [100.0, 110.0, 120.0]
    assert cohorts.entries[0].tolist() == [series.entries[0], 0.0, series.entries[1]]


def test_a_rise_is_found_by_its_own_detector_with_its_own_fingerprint(shop: Shop, signup: FunnelDefinition) -> None:
    series, baseline = [recent(shop, 0.3, 0.45)], [past(shop, 0.3)]
    assert funnel_findings(series, baseline, signup, now=shop.now, options=OPTIONS) == []
    found = funnel_rises(series, baseline, signup, now=shop.now, options=OPTIONS)
    assert [finding.detector for finding in found] == ["funnel_conversion_rise"]
    assert found[0].fingerprint == "conversion_rate:funnel_rise:1"
    assert found[0].observed == pytest.approx(0.45, abs=0.03)
    assert found[0].score > 8
    assert details_as(FunnelRiseDetails, found[0]).drop_percent < -40
    assert found[0].onset_at == pytest.approx(shop.now - ONSET, abs=60)


def test_a_drop_and_a_healthy_shop_are_no_rise(shop: Shop, signup: FunnelDefinition) -> None:
    baseline = [past(shop, 0.3)]
    assert funnel_rises([recent(shop, 0.3, 0.15)], baseline, signup, now=shop.now, options=OPTIONS) == []
    assert funnel_rises([recent(shop, 0.3, 0.3)], baseline, signup, now=shop.now, options=OPTIONS) == []
    assert funnel_rises([recent(shop, 0.3, 0.45)], [], signup, now=shop.now, options=OPTIONS) == []


def test_a_rise_has_no_more_false_alarms_than_its_significance_level() -> None:
    random = np.random.default_rng(13)
    scan = scan_for_rises(*simulated(random, 0.3, 0.3, 667, 3000), OPTIONS)
    assert np.mean(scan.p_value <= 0.01) <= 0.012
    assert np.all(scan.converted <= scan.entries)
