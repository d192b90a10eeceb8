"""The watch of a metric, point by point, in its own grain: what it notices, what it does not, and what it remembers."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import numpy as np
import pytest

from detection.metrics.course import NEW_NORMAL_AFTER_SECONDS
from detection.metrics.stream import MetricStreams
from detection.types import Floats

BEGAN, DAY = 1_770_595_200.0, 86_400.0
ONE = np.zeros(1, dtype=np.int64)
GRAINS = pytest.mark.parametrize("step", [60.0, 300.0, 3600.0, DAY])
POINTS = 1500


class Watched:
    """One metric, whose usual course is known."""

    def __init__(self, step: float, course: float = 100.0) -> None:
        self.streams, self.step, self.course, self.at = MetricStreams(1), step, course, BEGAN

    def see(self, values: Floats, course: Floats | None = None) -> list[int]:
        """Show it the next values; return at which of them it was broken."""
        broken = []
        for place, value in enumerate(values.tolist()):
            usual = self.course if course is None else float(course[place])
            self.streams.observe(
                ONE,
                np.array([self.at]),
                np.array([value]),
                course=np.array([usual]),
                doubtful=np.zeros(1, dtype=bool),
                farthest=np.array([value]),
            )
            self.at += self.step
            if len(self.streams.away()) and self.streams.describe(0).is_broken:
                broken.append(place)
        return broken


def noise(points: int, seed: int = 1, level: float = 100.0, spread: float = 5.0) -> Floats:
    return level + spread * np.random.default_rng(seed).standard_normal(points)


def known(step: float, seed: int = 1) -> Watched:
    """A metric that has been watched for a while. Each test has its own: learning one takes a second."""
    return deepcopy(_learnt(step, seed))


@cache
def _learnt(step: float, seed: int) -> Watched:
    watched = Watched(step)
    assert watched.see(noise(POINTS, seed)) == []
    return watched


@GRAINS
@pytest.mark.parametrize("level", [200.0, 0.0, 130.0])
def test_a_level_that_changes_is_noticed_within_a_few_points(step: float, level: float) -> None:
    assert known(step).see(noise(24, 2, level))[0] <= 6


@GRAINS
def test_a_spike_is_noticed_and_is_over_soon(step: float) -> None:
    watched = known(step)
    values = noise(60, 3)
    values[10:12] += 100
    broken = watched.see(values)
    assert 10 <= broken[0] <= 14
    assert broken[-1] <= 30


def test_what_a_metric_was_while_it_was_away_does_not_bring_it_back_into_trouble() -> None:
    watched = known(300.0)
    values = noise(40, 3)
    values[10:22] = 400.0
    last = watched.see(values)[-1]
    assert last < 30
    watched.streams.resume(ONE)
    assert watched.see(noise(100, 4)) == []


@pytest.mark.parametrize("step", [300.0, 3600.0])
def test_a_second_departure_a_little_larger_than_the_first_is_noticed_as_well(step: float) -> None:
    watched = known(step)
    for seed, size in ((3, 50), (5, 60)):
        values = noise(400, seed)
        values[10:40] += size
        assert 10 <= watched.see(values)[0] <= 25
        watched.streams.resume(ONE)


@pytest.mark.parametrize("points", [1, 2, 8])
def test_a_short_spike_far_outside_all_that_is_known_is_noticed_in_a_metrics_first_hours(points: int) -> None:
    watched = Watched(60.0, course=np.nan)
    assert watched.see(noise(200)) == []
    values = noise(30, 3)
    values[10 : 10 + points] += 300
    broken = watched.see(values)
    assert 10 <= broken[0] <= 13
    assert broken[-1] <= 10 + points + 12


def test_after_a_departure_soon_after_a_gap_a_small_change_of_level_is_still_noticed() -> None:
    watched = known(300.0)
    watched.at += 5 * 3600.0
    values = noise(26, 3)
    values[10:16] += 100
    assert watched.see(values)
    watched.streams.resume(ONE)
    assert watched.see(noise(400, 7)) == []
    assert watched.see(noise(60, 8) + 8)


@GRAINS
def test_a_slow_drift_is_noticed(step: float) -> None:
    values = noise(200, 4) + np.linspace(0, 60, 200)
    assert known(step).see(values)[0] < 120


@pytest.mark.parametrize("step", [60.0, 300.0, 3600.0])
def test_a_metric_that_suddenly_stands_still_is_noticed(step: float) -> None:
    watched = known(step)
    broken = watched.see(np.full(40, 101.0))
    assert broken
    assert watched.streams.describe(0).stands_still
    assert watched.see(noise(3, 6))[1:] == []


def test_a_rhythm_that_is_lost_is_noticed() -> None:
    times = np.arange(10 * 288) * 300.0
    course = 100 + 50 * np.sin(2 * np.pi * times / DAY)
    watched = Watched(300.0)
    assert watched.see(course + noise(len(times), 5, 0.0), course) == []
    assert watched.see(noise(288, 6), course[:288])


@GRAINS
def test_noise_is_not_noticed(step: float) -> None:
    # Side by side, as a tick has them: series are judged alike alone and together.
    values = np.array([noise(POINTS, seed) for seed in range(11, 14)])
    streams, rows, course = MetricStreams(3), np.arange(3), np.full(3, 100.0)
    for place, at in enumerate(BEGAN + step * np.arange(POINTS)):
        streams.observe(
            rows,
            np.full(3, at),
            values[:, place],
            course=course,
            doubtful=np.zeros(3, dtype=bool),
            farthest=values[:, place],
        )
        assert streams.away().tolist() == [], place


@GRAINS
def test_a_lasting_change_goes_on_until_it_has_lasted_two_days_and_then_is_the_new_normal(step: float) -> None:
    watched = known(step)
    lasting = int(NEW_NORMAL_AFTER_SECONDS / step) + 8
    broken = watched.see(noise(lasting, 8, 300.0))
    first, last = broken[0], broken[-1]
    assert broken == list(range(first, last + 1))
    assert (last + 1 - first) * step == pytest.approx(NEW_NORMAL_AFTER_SECONDS, abs=step)
    watched.course = 300.0
    assert watched.see(noise(POINTS // 2, 9, 300.0)) == []


def test_nothing_is_learnt_from_a_metric_that_is_away() -> None:
    watched = known(300.0)
    before = watched.streams.usual_reach(ONE)[0][0]
    watched.see(noise(200, 10, 300.0))
    assert watched.streams.usual_reach(ONE)[0][0] == before


def test_a_metric_that_never_moved_is_noticed_when_it_moves() -> None:
    watched = Watched(60.0, course=3.0)
    assert watched.see(np.full(500, 3.0)) == []
    assert watched.see(np.full(10, 0.0))[0] <= 3


def test_rounding_is_no_change() -> None:
    watched = Watched(60.0, course=0.1 + 0.2)
    assert watched.see(np.full(500, 0.3)) == []
    assert watched.see(np.full(100, 0.1 + 0.2)) == []


def test_a_memory_that_was_stored_goes_on_as_if_nothing_had_happened() -> None:
    one, other = known(300.0), Watched(300.0)
    assert other.streams.unpack(0, one.streams.pack(0))
    other.at = one.at
    values = noise(50, 12, 160.0)
    assert one.see(values) == other.see(values) != []
    assert one.streams.pack(0) == other.streams.pack(0)


def test_a_memory_of_another_version_is_left_alone() -> None:
    assert not MetricStreams(1).unpack(0, b"of another version")


def test_series_are_judged_alike_alone_and_together() -> None:
    together, alone = MetricStreams(3), [Watched(300.0) for _ in range(3)]
    values = np.array([noise(400, 1), noise(400, 2), np.r_[noise(380, 3), noise(20, 4, 170.0)]])
    for place in range(400):
        together.observe(
            np.arange(3),
            np.full(3, BEGAN + 300.0 * place),
            values[:, place],
            course=np.full(3, 100.0),
            doubtful=np.zeros(3, dtype=bool),
            farthest=values[:, place],
        )
    for row, one in enumerate(alone):
        one.see(values[row])
        assert one.streams.pack(0) == together.pack(row)
    assert together.away().tolist() == [2]


def test_series_that_are_gone_make_room() -> None:
    one, two = known(300.0, 1), known(300.0, 2)
    both = MetricStreams(2)
    both.unpack(0, one.streams.pack(0))
    both.unpack(1, two.streams.pack(0))
    both.keep_only(np.array([1]))
    assert len(both) == 1
    assert both.pack(0) == two.streams.pack(0)
