from __future__ import annotations

import numpy as np
import pytest

from detection.logs.diff import Change, Window, template_changes
from detection.types import LogSeries

BEFORE, AFTER = Window(0.0, 7200.0), Window(7200.0, 10_800.0)
STARTS = np.arange(0.0, 10_800.0, 60.0)


def series(before: float, after: float, *, name: str = "a", seed: int = 0, burst: float = 1.0) -> LogSeries:
    """Draw lines per minute before and after; `burst` lines come at once."""
    rate = np.where(BEFORE.until > STARTS, before, after)
    counts = (np.random.default_rng(seed).poisson(rate / burst) * burst).astype(np.int64)
    kept = counts > 0
    return LogSeries("log_template", name, "shop", name, "info", STARTS[kept], counts[kept])


def test_templates_are_new_gone_more_fewer_or_the_same() -> None:
    changes = template_changes(
        [
            series(0, 2, name="new"),
            series(2, 0, name="gone"),
            series(5, 15, name="more"),
            series(9, 3, name="fewer"),
            series(7, 7, name="same"),
        ],
        BEFORE,
        AFTER,
    )
    assert {one.series.name: one.change for one in changes} == {change.value: change for change in Change}
    assert changes[-1].change is Change.SAME


def test_rates_are_per_minute_for_any_window_length_and_the_interval_contains_the_ratio() -> None:
    (one,) = template_changes([series(5, 15)], BEFORE, AFTER)
    assert one.rate_before == pytest.approx(5.0, rel=0.15)
    assert one.rate_after == pytest.approx(15.0, rel=0.15)
    assert one.ratio_low < 3.0 < one.ratio_high
    assert one.ratio_low < one.ratio < one.ratio_high


def test_the_interval_of_the_ratio_has_its_nominal_coverage_also_for_bursty_lines() -> None:
    held = 0
    for seed in range(200):
        (one,) = template_changes([series(20, 40, seed=seed, burst=10.0)], BEFORE, AFTER)
        held += one.ratio_low <= 2.0 <= one.ratio_high
    assert 184 <= held <= 199


def test_the_ratio_of_a_new_template_is_infinite() -> None:
    (one,) = template_changes([series(0, 2)], BEFORE, AFTER)
    assert (one.ratio, one.ratio_high, one.lines_before) == (float("inf"), float("inf"), 0)
    assert one.ratio_low > 1


def test_a_single_extra_line_is_not_significant() -> None:
    single = LogSeries("log_template", "rare", "shop", "rare", "info", np.array([9000.0]), np.array([1]))
    (one,) = template_changes([single], BEFORE, AFTER)
    assert one.change is Change.NEW
    assert one.p_value > 0.1


def test_templates_without_lines_in_either_window_are_left_out() -> None:
    later = LogSeries("log_template", "later", "shop", "later", "info", np.array([20_000.0]), np.array([9]))
    assert template_changes([later], BEFORE, AFTER) == []
    assert template_changes([], BEFORE, AFTER) == []


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(ValueError, match="must end after it begins"):
        template_changes([], BEFORE, Window(5.0, 5.0))
