"""Drops judged by their single steps as well as by the whole funnel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.funnels.cohorts import Cohorts, gathered, gathered_steps
from detection.funnels.findings import funnel_findings
from detection.funnels.scan import StepTest, StepTests, scan_for_drops
from detection.options import FunnelOptions
from detection.statistics.baselines import RateBaseline
from detection.types import Floats, FunnelDefinition, FunnelDropDetails, FunnelSeries, FunnelStep, Integers
from tests.benchmarks.simulated_funnels import Break, Shop, draw_buckets
from tests.finding_details import details_as

OPTIONS = FunnelOptions()
SHOP = Shop("three steps", (0.6, 0.5))
ONSET = 1_770_638_400.0
NOW = ONSET + 1900.0
"""ONSET is a Monday noon; NOW is half an hour plus the time to convert later."""


def evenly(per_bucket: float) -> Floats:
    return np.full((1, 180), per_bucket)


def counted(entries: float, converted: float) -> Cohorts:
    """Return half an hour of one series with equal buckets."""
    return Cohorts(np.arange(180, dtype=np.float64) * 10.0, evenly(entries / 180), evenly(converted / 180))


def known(rate: float) -> RateBaseline:
    one = np.array([rate])
    return RateBaseline(one, np.array([1e6]), one, one, one, np.array([1e6]), np.array([168]), np.array([1e6]))


def p_value(steps: StepTests | None, *, converted: float = 160.0) -> float:
    """Return the p-value of `converted` of 667 entries, where 200 are normal."""
    return float(scan_for_drops(counted(667, converted), known(0.3), OPTIONS, steps).p_value[0])


def test_the_broken_step_has_a_smaller_p_value_than_the_whole_funnel() -> None:
    first, last = StepTest(counted(667, 400), known(0.6)), StepTest(counted(400, 140), known(0.5))
    assert p_value(lambda rows: [first, last], converted=140) < p_value(None, converted=140) / 20


def test_normal_steps_multiply_the_p_value_of_the_whole_by_the_number_of_tests() -> None:
    first, last = StepTest(counted(667, 400), known(0.6)), StepTest(counted(267, 133.5), known(0.5))
    assert p_value(lambda rows: [first, last]) == pytest.approx(3 * p_value(None))


def test_the_allowance_keeps_users_in_progress_from_counting_as_lost() -> None:
    """5 % too few of ten thousand is highly significant, but those users may still be in progress."""
    late = counted(10_000, 9500 * 0.6)
    assert p_value(lambda rows: [StepTest(late, known(0.6))], converted=175) < 1e-6
    assert p_value(lambda rows: [StepTest(late, known(0.6), allowance=0.05)], converted=175) > 1e-3


def test_steps_are_tested_only_for_series_that_have_fallen() -> None:
    def never(rows: Integers) -> list[StepTest]:
        raise AssertionError("the steps of a healthy series were tested")

    assert p_value(never, converted=195) == 1.0


def test_the_steps_of_a_series_chain_from_its_entries_to_its_conversions() -> None:
    series = draw_buckets(np.random.default_rng(1), SHOP, since=0.0, until=3600.0, entries_a_second=5.0).series(
        0.0, 3600.0
    )
    first, last = gathered_steps([series], 60.0, since=600.0, until=1800.0, bucket_seconds=10.0)
    whole = gathered([series], 60.0, since=600.0, until=1800.0, bucket_seconds=10.0)
    assert first.entries.tolist() == whole.entries.tolist()
    assert first.converted.tolist() == last.entries.tolist()
    assert last.converted.tolist() == whole.converted.tolist()


def broken_shop() -> tuple[list[FunnelSeries], list[FunnelSeries]]:
    """Draw a shop that loses two of five users at the last step since ONSET, where 60 conversions were expected."""
    random, a_second = np.random.default_rng(5), 0.1
    hours = draw_buckets(
        random, SHOP, since=ONSET - 7 * 86_400, until=ONSET - 3600, entries_a_second=a_second, width=3600.0
    ).series(0.0, ONSET)
    broken = Break(ONSET, step=1, left=0.6)
    fine = draw_buckets(random, SHOP, since=ONSET - 3600, until=NOW, entries_a_second=a_second, broken=broken).series(
        0.0, NOW
    )
    return [fine], [hours]


def whole_only(series: FunnelSeries) -> FunnelSeries:
    return replace(series, reached=series.reached[:, [0, 2]])


def test_a_break_is_found_in_three_steps_that_is_not_significant_in_two() -> None:
    fine, hours = broken_shop()
    [found] = funnel_findings(fine, hours, SHOP.funnel, now=NOW, options=OPTIONS)
    assert details_as(FunnelDropDetails, found).step == "step 2"
    two = FunnelDefinition(1, "f", (FunnelStep("a", "a"), FunnelStep("b", "b")), 600.0, 7)
    in_two_steps = funnel_findings(
        [whole_only(one) for one in fine], [whole_only(one) for one in hours], two, now=NOW, options=OPTIONS
    )
    assert in_two_steps == []
