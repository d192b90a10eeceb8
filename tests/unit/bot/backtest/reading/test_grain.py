"""The grain of a series is its own usual step, and its coverage counts what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from bot.backtest.reading.grain import coverage_of, step_of
from bot.backtest.report import coverage_text, step_text
from bot.backtest.shown_zone import ShownZone
from detection.types import Floats

START = 1_769_904_000.0


def regular(step: float, count: int = 500) -> Floats:
    return START + step * np.arange(count, dtype=np.float64)


@pytest.mark.parametrize("step", [0.25, 1.0, 7.0, 15.0, 60.0, 90.0, 300.0, 3600.0, 86_400.0, 604_800.0])
def test_the_step_is_found_from_parts_of_a_second_to_weeks(step: float) -> None:
    random = np.random.default_rng(1)
    jittered = regular(step) + random.uniform(-0.2, 0.2, 500) * step
    thinned = regular(step)[random.random(500) > 0.2]

    assert step_of(regular(step)) == step
    assert step_of(thinned) == step
    assert step_of(np.sort(jittered)) == pytest.approx(step, rel=0.05)


def test_gaps_are_counted_and_the_longest_is_named() -> None:
    times = np.delete(regular(300.0), [*range(100, 124), 200, *range(300, 303)])
    coverage = coverage_of(times)

    assert (coverage.present, coverage.expected, coverage.gaps, coverage.regular) == (472, 500, 3, True)
    assert coverage_text(coverage, ShownZone()) == (
        "One point every 5 min; 472 of 500 expected points (94.4%); 3 gaps, the longest 2 h from 2026-02-01 08:15."
    )


def test_a_part_in_a_coarser_or_finer_grain_is_no_row_of_gaps() -> None:
    old, recent = regular(300.0, 288), START + 288 * 300.0 + 60.0 * np.arange(2880, dtype=np.float64)
    coverage = coverage_of(np.concatenate([old, recent]))
    longer = coverage_of(np.concatenate([regular(300.0, 2880), START + 2880 * 300.0 + 60.0 * np.arange(1000)]))

    assert (coverage.step, coverage.gaps, coverage.present) == (60.0, 0, coverage.expected)
    assert coverage_text(coverage, ShownZone()).endswith(
        "no gap; but every 5 min from 2026-02-01 00:00 to 2026-02-02 00:00."
    )
    assert (longer.step, longer.gaps, longer.present) == (300.0, 0, longer.expected)
    assert "but every 1 min from 2026-02-11 00:00 to 2026-02-11 16:39." in coverage_text(longer, ShownZone())


def test_a_night_without_points_is_a_gap_each_day() -> None:
    times = regular(300.0, 288 * 10)
    coverage = coverage_of(times[(times - START) % 86_400 < 16 * 3600])

    assert (coverage.gaps, coverage.parts) == (9, ())


def test_a_coverage_that_is_not_whole_is_never_rounded_to_it() -> None:
    assert "(99.9%); 1 gap of 1 min" in coverage_text(coverage_of(np.delete(regular(60.0, 100_000), 500)), ShownZone())
    assert "500 of 500 expected points; no gap." in coverage_text(coverage_of(regular(60.0)), ShownZone())


def test_points_without_a_rhythm_are_said_to_be_irregular() -> None:
    times = START + np.cumsum(np.random.default_rng(2).exponential(60.0, 1000))

    assert coverage_text(coverage_of(times), ShownZone()).startswith("Irregular: about one point every")


def test_where_points_are_missing_there_is_a_gap() -> None:
    for seed in range(20):
        coverage = coverage_of(START + np.cumsum(np.random.default_rng(seed).exponential(60.0, 50)))
        assert bool(coverage.gaps) is (coverage.present < coverage.expected)


def test_a_single_point_has_no_grain() -> None:
    assert step_of(regular(60.0, 1)) == 0.0
    assert coverage_text(coverage_of(regular(60.0, 1)), ShownZone()) == "A single point has no grain."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *(
            (0.25, "250 ms"),
            (1.0, "1 s"),
            (90.0, "1 min 30 s"),
            (300.0, "5 min"),
            (3600.0, "1 h"),
            (5400.0, "1 h 30 min"),
        ),
        *(
            (86_400.0, "1 day"),
            (172_800.0, "2 days"),
            (604_800.0, "7 days"),
            (93_600.0, "1 day 2 h"),
            (7199.9, "2 h"),
            (5400.0, "1 h 30 min"),
        ),
    ],
)
def test_a_step_is_said_in_the_units_that_fit(seconds: float, words: str) -> None:
    assert step_text(seconds) == words
