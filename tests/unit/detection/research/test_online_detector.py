from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from detection.research.online_detector import THRESHOLD, StreamDetector, StreamScores, score_stream

FIVE_MINUTES = 300.0
DAY = 288


def times(count: int) -> np.ndarray:
    return 1_770_000_000.0 + np.arange(count) * FIVE_MINUTES


def daily(count: int, *, noise: float = 3.0, seed: int = 1) -> np.ndarray:
    """Draw a load with a daily rhythm and noise."""
    day = 100 + 40 * np.sin(2 * np.pi * np.arange(count) / DAY)
    return day + np.random.default_rng(seed).normal(0, noise, count)


def fired(values: np.ndarray) -> np.ndarray:
    return np.flatnonzero(score_stream(times(len(values)), values).anomalous)


def together(parts: list[StreamScores], field: str) -> np.ndarray:
    return np.concatenate([getattr(part, field) for part in parts])


def test_a_spike_is_reported_once_at_its_first_point() -> None:
    values = daily(10 * DAY)
    values[2000:2006] = 400

    alarms = fired(values)

    assert [place for place in alarms if 1990 <= place < 2100] == [2000]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_unit_of_the_metric_does_not_matter(scale: float) -> None:
    values = daily(8 * DAY)
    values[1800:1830] += 150
    expected = score_stream(times(len(values)), values).score

    assert score_stream(times(len(values)), values * scale).score == pytest.approx(expected, abs=1e-6)


def test_a_shift_within_the_daily_range_is_found_by_its_hour_of_day() -> None:
    values = daily(14 * DAY)
    night = 10 * DAY + 3 * DAY // 4
    values[night : night + 40] = 130  # usual at noon, never at night

    assert any(night <= place <= night + 12 for place in fired(values))


def test_a_flat_stretch_in_place_of_a_daily_rhythm_is_found() -> None:
    values = daily(14 * DAY, noise=1.0)
    noon = 10 * DAY + DAY // 4
    values[noon - 40 : noon + 40] = 100

    assert any(noon - 40 <= place <= noon + 40 for place in fired(values))


def test_noise_of_any_kind_gives_fewer_than_one_alarm_in_400_points() -> None:
    random = np.random.default_rng(5)
    count = 10 * DAY
    streams = [random.normal(0, 1, count), random.exponential(1, count), random.poisson(2, count).astype(float)]

    assert sum(len(fired(stream)) for stream in streams) <= 3 * count / 400


@pytest.mark.parametrize(
    "values", [np.full(1500, 45.0), np.tile([20.0, 20.0, 80.0], 500), np.tile(np.arange(12.0), 200)]
)
def test_a_constant_or_repeating_stream_gives_no_alarm(values: np.ndarray) -> None:
    assert len(fired(values)) == 0


def test_leaving_a_constant_level_is_reported_at_once() -> None:
    values = np.full(1500, 45.0)
    values[1200:1210] = 45.1

    assert fired(values)[0] == 1200


def test_one_point_at_a_time_or_many_at_once_gives_the_same_scores() -> None:
    values = daily(3 * DAY)
    values[700:710] = 300
    at = times(len(values))
    whole = score_stream(at, values)
    detector = StreamDetector()
    edges = [0, 1, 2, 150, 151, 500, 700, 701, 702, len(values)]

    parts = [detector.update(at[a:b], values[a:b]) for a, b in pairwise(edges)]

    assert together(parts, "score").tolist() == whole.score.tolist()
    assert np.array_equal(together(parts, "expected"), whole.expected, equal_nan=True)


def test_later_points_do_not_change_earlier_scores() -> None:
    values = daily(4 * DAY)
    changed = values.copy()
    changed[900:] *= 7

    before, after = (score_stream(times(len(one)), one).score[:900] for one in (values, changed))

    assert before.tolist() == after.tolist()


def test_scores_lie_between_0_and_1_whatever_the_values() -> None:
    values = np.random.default_rng(3).standard_cauchy(2000) * 1e100
    scores = score_stream(times(2000), values)

    assert scores.score.min() >= 0
    assert scores.score.max() <= 1
    assert np.array_equal(scores.anomalous, scores.score >= THRESHOLD)


def test_the_expected_range_contains_ninety_percent_of_points() -> None:
    values = daily(14 * DAY)
    scores = score_stream(times(len(values)), values)
    later = slice(5 * DAY, None)
    held = (values[later] >= scores.expected_low[later]) & (values[later] <= scores.expected_high[later])

    assert 0.86 <= held.mean() <= 0.94


def test_an_empty_stream_has_no_scores() -> None:
    assert len(score_stream(np.empty(0), np.empty(0)).score) == 0


def test_a_value_that_is_not_finite_is_refused_with_its_position() -> None:
    with pytest.raises(ValueError, match="point 2"):
        score_stream(times(4), np.array([1.0, 2.0, np.nan, 3.0]))


def test_times_and_values_must_have_the_same_length() -> None:
    with pytest.raises(ValueError, match="one length"):
        score_stream(times(4), np.zeros(3))
