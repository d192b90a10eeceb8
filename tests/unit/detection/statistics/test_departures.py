"""When a series left its usual course: steps, trends, spikes, exports of a few samples, and what is no departure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detection.statistics.departure_scales import Least
from detection.statistics.departures import departed_when, departure
from detection.types import Floats

_MINUTE = 60.0


def _times(count: int, apart: float = _MINUTE) -> Floats:
    return np.arange(count, dtype=np.float64) * apart


def _wandering(random: np.random.Generator, count: int, memory: float) -> Floats:
    steps = random.normal(size=count + 50)
    values = np.zeros(count + 50)
    for index in range(1, count + 50):
        values[index] = memory * values[index - 1] + steps[index]
    return values[50:]


def _white(random: np.random.Generator, count: int) -> Floats:
    return 100 + 10 * random.normal(size=count)


def _long_memory(random: np.random.Generator, count: int) -> Floats:
    return 100 + 10 * _wandering(random, count, 0.8)


def _around_zero(random: np.random.Generator, count: int) -> Floats:
    return _wandering(random, count, 0.8)


def _rare_counts(random: np.random.Generator, count: int) -> Floats:
    return random.poisson(0.3, count).astype(np.float64)


def _counts(random: np.random.Generator, count: int) -> Floats:
    return random.poisson(20, count).astype(np.float64)


def _low_share(random: np.random.Generator, count: int) -> Floats:
    return np.clip(0.003 + 0.001 * random.normal(size=count), 0, 1)


def _day(random: np.random.Generator, count: int) -> Floats:
    phase = random.uniform(0, 2 * np.pi)
    return 100 + 30 * np.sin(np.arange(count) / 1440 * 2 * np.pi + phase) + 3 * random.normal(size=count)


@pytest.mark.parametrize("noise", [_white, _long_memory, _around_zero, _rare_counts, _counts, _low_share, _day])
def test_at_most_two_of_a_hundred_series_of_pure_noise_depart(
    noise: Callable[[np.random.Generator, int], Floats],
) -> None:
    found = [departure(_times(90), noise(np.random.default_rng(seed), 90)) for seed in range(100)]
    assert sum(one is not None for one in found) <= 2


@pytest.mark.parametrize("seed", range(5))
def test_a_step_is_found_between_the_last_usual_sample_and_the_first_that_is_off(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=90) + 8 * (np.arange(90) >= 60)
    found = departure(_times(90), values)
    assert found is not None
    assert (found.direction, found.is_ramp, found.ended_at) == (1, False, None)
    assert found.earliest >= 58 * _MINUTE
    assert 59 * _MINUTE < found.latest <= 62 * _MINUTE
    assert found.before == pytest.approx(0, abs=0.6)
    assert found.after == pytest.approx(8, abs=0.8)


def test_a_step_in_the_last_three_samples_is_found() -> None:
    values = np.random.default_rng(1).normal(size=90) + 10 * (np.arange(90) >= 87)
    found = departure(_times(90), values)
    assert found is not None
    assert found.latest == 87 * _MINUTE


def test_a_fall_is_a_departure_unless_only_a_rise_is_worse() -> None:
    values = 100 + np.random.default_rng(1).normal(size=90) - 50 * (np.arange(90) >= 60)
    found = departure(_times(90), values)
    assert found is not None
    assert found.direction == -1
    assert departure(_times(90), values, worse=1) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_leak_departs_where_its_climb_begins_and_not_where_it_is_high(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = 420 + 8 * random.normal(size=240) + np.clip(np.arange(240) - 80, 0, None) * 2.5
    found = departure(_times(240), values)
    assert found is not None
    assert found.is_ramp
    assert found.earliest <= 81 * _MINUTE
    assert found.latest <= 90 * _MINUTE
    assert found.after > 750


def test_a_hit_ratio_that_bleeds_and_settles_departs_where_it_begins() -> None:
    random = np.random.default_rng(3)
    values = 0.97 + 0.005 * random.normal(size=126) - 0.42 * np.clip((np.arange(126) - 72) / 25, 0, 1)
    found = departure(_times(126), values)
    assert found is not None
    assert found.is_ramp
    assert found.earliest <= 72 * _MINUTE <= found.latest <= 76 * _MINUTE


def test_a_jump_that_goes_on_growing_departs_at_the_jump() -> None:
    values = np.where(np.arange(240) < 70, 52.0, 1.1e6 + 6100.0 * (np.arange(240) - 70))
    found = departure(_times(240), values + np.random.default_rng(0).integers(-3, 4, 240))
    assert found is not None
    assert found.latest == 70 * _MINUTE


def test_an_outage_that_is_over_says_since_when() -> None:
    random = np.random.default_rng(2)
    values = 0.6 + 0.2 * random.normal(size=91) + 70 * ((np.arange(91) >= 34) & (np.arange(91) < 58))
    found = departure(_times(91), values)
    assert found is not None
    assert found.latest == 34 * _MINUTE
    assert found.ended_at == 58 * _MINUTE


def test_one_sample_that_comes_back_is_an_ended_departure_only_if_it_stands_far_out() -> None:
    values = 100 + np.random.default_rng(4).normal(size=90)
    assert departure(_times(90), np.where(np.arange(90) == 50, 105.0, values)) is None
    found = departure(_times(90), np.where(np.arange(90) == 50, 300.0, values))
    assert found is not None
    assert found.ended_at == 51 * _MINUTE


def test_a_spike_before_a_step_does_not_hide_the_step() -> None:
    values = 100 + np.random.default_rng(4).normal(size=90) + 60 * (np.arange(90) >= 70)
    values[20] = 900
    found = departure(_times(90), values)
    assert found is not None
    assert found.latest == 70 * _MINUTE
    assert found.ended_at is None


def test_missing_samples_and_disorder_change_nothing() -> None:
    random = np.random.default_rng(5)
    times, values = _times(90), random.normal(size=90) + 10 * (np.arange(90) >= 60)
    values[[3, 30, 59, 61]] = np.nan
    order = random.permutation(90)
    assert departure(times[order], values[order]) == departure(times, values) is not None


def test_a_constant_series_and_one_sample_never_depart() -> None:
    assert departure(_times(90), np.full(90, 7.0)) is None
    assert departure(_times(1), np.array([7.0])) is None
    assert departure(_times(0), np.array([])) is None


def test_a_counter_at_nothing_that_jumps_departs() -> None:
    values = np.where(np.arange(90) >= 83, 20.0, 0.0)
    found = departure(_times(90), values)
    assert found is not None
    assert (found.before, found.after, found.latest) == (0.0, 20.0, 83 * _MINUTE)


def test_changes_too_small_to_matter_are_none_however_exact() -> None:
    share = np.where(np.arange(90) >= 60, 0.003, 0.001) + 1e-5 * np.random.default_rng(0).normal(size=90)
    latency = np.where(np.arange(90) >= 60, 240.0, 200.0) + np.random.default_rng(0).normal(size=90)
    assert departure(_times(90), share) is None
    assert departure(_times(90), latency) is None


def test_an_availability_is_measured_by_what_it_lacks() -> None:
    values = np.where(np.arange(90) >= 60, 0.95, 0.999) + 1e-4 * np.random.default_rng(0).normal(size=90)
    found = departure(_times(90), values)
    assert found is not None
    assert found.direction == -1


def test_until_leaves_later_samples_out() -> None:
    values = np.random.default_rng(1).normal(size=90) + 20 * (np.arange(90) >= 60)
    assert departure(_times(90), values, until=55 * _MINUTE) is None


def test_an_export_of_five_irregular_samples_departs_at_the_first_that_is_off() -> None:
    times = np.array([0.0, 360.0, 600.0, 840.0, 1020.0])
    found = departure(times, np.array([8.0, 420.0, 980.0, 1430.0, 1520.0]))
    assert found is not None
    assert (found.earliest, found.latest, found.is_ramp) == (0.0, 360.0, True)


def test_a_sample_on_the_way_widens_the_onset_and_does_not_hide_it() -> None:
    found = departure(_times(6, 180.0), np.array([240.0, 245.0, 290.0, 1100.0, 3900.0, 6300.0]))
    assert found is not None
    assert (found.earliest, found.latest) == (180.0, 540.0)


def test_few_samples_that_only_waver_do_not_depart() -> None:
    assert departure(_times(7, 120.0), np.array([45.0, 52.0, 41.0, 55.0, 47.0, 50.0, 44.0])) is None
    assert departure(_times(5, 120.0), np.array([30.0, 30.0, 31.0, 32.0, 33.0])) is None
    percent = np.array([0.1, 0.1, 0.1, 0.2, 0.3])
    assert departure(_times(5, 120.0), percent, least=Least(absolute=1.0)) is None


def test_a_lone_spike_among_few_samples_is_over() -> None:
    found = departure(_times(6, 120.0), np.array([10.0, 10.0, 90.0, 10.0, 10.0, 10.0]))
    assert found is not None
    assert found.ended_at == 360.0


def _step_at(index: int) -> Floats:
    return np.random.default_rng(0).normal(size=90) + 10 * (np.arange(90) >= index)


def test_a_change_just_before_the_departure_explains_it() -> None:
    assert departed_when(_times(90), _step_at(60), 58.5 * _MINUTE, 300.0) > 2


def test_a_change_after_the_departure_is_out() -> None:
    assert departed_when(_times(90), _step_at(60), 63 * _MINUTE, 300.0) < -2


def test_a_change_long_before_the_departure_needs_the_delay_to_be_allowed() -> None:
    values = _step_at(60)
    assert departed_when(_times(90), values, 30 * _MINUTE, 300.0) < -1
    assert departed_when(_times(90), values, 30 * _MINUTE, 3600.0) > -0.5


def test_a_change_is_refuted_where_nothing_departed_though_it_would_have_shown() -> None:
    values = np.random.default_rng(0).normal(size=90)
    assert departed_when(_times(90), values, 30 * _MINUTE, 300.0) < -2
    assert departed_when(_times(90), values, 89 * _MINUTE, 3600.0) > -0.2


def test_the_latest_change_gets_no_credit_where_a_leak_began_long_before() -> None:
    values = 420 + 8 * np.random.default_rng(1).normal(size=240) + np.clip(np.arange(240) - 80, 0, None) * 2.5
    early = departed_when(_times(240), values, 79 * _MINUTE, 1800.0)
    late = departed_when(_times(240), values, 230 * _MINUTE, 1800.0)
    assert early > 1 > -2 > late
