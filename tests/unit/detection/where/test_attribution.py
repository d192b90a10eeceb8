from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.types import DELAY_EDGES_SECONDS, Attribution, FunnelCells, WhereVerdict
from detection.where.attribution import attribute
from tests.unit.detection.where.shop_cells import CONVERSION, DELAY_SECONDS, HORIZON_SECONDS, KINDS, Shop

GERMAN_PAYPAL = (("country", "DE"), ("payment_method", "paypal"))
INDIAN_WAVE = {"country": {"DE": 0.15, "US": 0.15, "FR": 0.08, "GB": 0.07, "IN": 0.55}}


def found(
    shop: Shop,
    seed: int = 1,
    *,
    entries: int = 6000,
    within: tuple[str, str] | None = None,
    expected: float | None = None,
) -> Attribution:
    """Attribute a shop's `entries` against a week, and the same hours of other days, of a healthy shop."""
    healthy = Shop()
    answer = attribute(
        shop.cells(entries, seed),
        healthy.cells(16_000, 100 + seed),
        healthy.cells(200_000, 200 + seed),
        horizon_seconds=HORIZON_SECONDS,
        within=within,
        expected=expected,
    )
    assert answer is not None
    assert answer.rate_effect + answer.mix_effect == pytest.approx(answer.observed - answer.expected)
    return answer


def places(answer: Attribution) -> list[tuple[tuple[str, str], ...]]:
    return [place.where for place in answer.places]


def test_a_break_in_two_dimensions_is_found_with_its_figures() -> None:
    answer = found(Shop(GERMAN_PAYPAL))
    assert (answer.verdict, places(answer)) == (WhereVerdict.PLACES, [GERMAN_PAYPAL])
    place = answer.places[0]
    assert place.share_of_loss == pytest.approx(1.0, abs=0.25)
    assert place.converted / place.entries == pytest.approx(0.2 * place.expected / place.entries, abs=0.04)
    assert answer.rate_effect == pytest.approx(0.35 * 0.35 * -0.8 * CONVERSION, abs=0.02)
    assert abs(answer.mix_effect) < 0.01
    assert answer.shifts == ()


@pytest.mark.parametrize("place", [("payment_method", "paypal"), ("country", "DE"), ("device", "web")])
def test_a_break_in_one_dimension_is_not_narrowed_further(place: tuple[str, str]) -> None:
    answers = [found(Shop((place,), 0.6), seed, entries=2000) for seed in range(20)]
    assert [places(answer) for answer in answers] == [[(place,)]] * 20


def test_a_break_in_three_dimensions_is_found() -> None:
    where = (("country", "US"), ("device", "web"), ("payment_method", "card"))
    assert places(found(Shop(where, 0.9))) == [where]


@pytest.mark.parametrize("place", [(("country", "DE"),), (("country", "DE"), ("device", "ios"))])
def test_a_place_with_one_in_thirty_conversions_is_named(place: tuple[tuple[str, str], ...]) -> None:
    usual, broken = Shop(busier=0.08), Shop(place, 0.8, busier=0.08)
    for seed in range(5):
        answer = attribute(
            broken.cells(60_000, seed),
            usual.cells(180_000, 100 + seed),
            usual.cells(1_800_000, 200 + seed),
            horizon_seconds=HORIZON_SECONDS,
        )
        assert answer is not None
        assert (answer.verdict, places(answer)) == (WhereVerdict.PLACES, [place])


def test_a_break_of_everything_has_the_verdict_everywhere() -> None:
    answers = [found(Shop((), 0.4), seed, entries=1500) for seed in range(20)]
    assert {answer.verdict for answer in answers} == {WhereVerdict.EVERYWHERE}
    assert all(answer.places == () for answer in answers)


def test_more_users_of_a_worse_converting_kind_are_a_mix_change_without_places() -> None:
    """Simpson's paradox: the overall rate falls by a third although no kind of user converts worse than before."""
    for seed in range(20):
        answer = found(Shop(mix=INDIAN_WAVE), seed, entries=1500)
        assert (answer.verdict, places(answer)) == (WhereVerdict.MIX, [])
        assert answer.mix_effect < -0.1
        assert abs(answer.rate_effect) < 0.04
        first = answer.shifts[0]
        assert (first.dimension, first.value) == ("country", "IN")
        assert first.share == pytest.approx(0.55, abs=0.05)
        assert first.usual_share == pytest.approx(0.08, abs=0.02)


def test_a_break_is_separated_from_a_simultaneous_mix_change() -> None:
    answer = found(Shop(GERMAN_PAYPAL, 1.0, mix={"payment_method": {"card": 0.3, "paypal": 0.35, "klarna": 0.35}}))
    assert (answer.verdict, places(answer)) == (WhereVerdict.PLACES, [GERMAN_PAYPAL])
    assert answer.rate_effect < answer.mix_effect < 0


def test_a_healthy_shop_has_the_verdict_unclear() -> None:
    assert {found(Shop(), seed, entries=1500).verdict for seed in range(20)} == {WhereVerdict.UNCLEAR}


def test_a_version_that_all_users_have_is_no_place_and_hides_none() -> None:
    assert found(Shop((), 0.4, new_version=1.0)).verdict == WhereVerdict.EVERYWHERE
    assert places(found(Shop((("device", "ios"),), 0.7, new_version=1.0))) == [(("device", "ios"),)]


def test_a_version_of_some_users_that_converts_worse_is_attributed_to_deploys() -> None:
    answer = found(Shop((("version", "2.0"),), 0.7, new_version=0.3))
    assert places(answer) == [(("version", "2.0"),)]
    assert answer.is_deploys
    assert not found(Shop(GERMAN_PAYPAL)).is_deploys


def test_a_new_kind_of_user_is_a_mix_change() -> None:
    crawlers = {"country": {**KINDS["country"], "DE": 0.05, "XX": 0.3}}
    answer = found(Shop(mix=crawlers, broken=(("country", "XX"),), lost=1.0))
    assert (answer.verdict, places(answer)) == (WhereVerdict.MIX, [])
    assert (answer.shifts[0].value, answer.shifts[0].rate, answer.shifts[0].usual_share) == ("XX", None, 0.0)


def test_a_quiet_hour_is_compared_with_the_normal_rate_of_that_hour() -> None:
    quiet = Shop(busier=0.6)
    usual = CONVERSION * 0.6 * 0.95
    assert found(quiet).verdict == WhereVerdict.EVERYWHERE
    assert found(quiet, expected=usual).verdict == WhereVerdict.UNCLEAR
    broken = found(replace(quiet, broken=GERMAN_PAYPAL), expected=usual)
    assert places(broken) == [GERMAN_PAYPAL]
    assert broken.expected == pytest.approx(usual, rel=0.01)


def test_the_two_effects_can_be_restricted_to_one_segment() -> None:
    answer = found(Shop(GERMAN_PAYPAL), entries=1500, within=("country", "DE"))
    assert places(answer) == [GERMAN_PAYPAL]
    assert answer.rate_effect == pytest.approx(0.35 * -0.8 * CONVERSION, abs=0.05)


def test_conversions_after_the_horizon_do_not_count() -> None:
    answer = attribute(
        Shop().cells(2000, 1), Shop().cells(2000, 2), Shop().cells(20_000, 3), horizon_seconds=DELAY_SECONDS / 2
    )
    assert answer is not None
    assert answer.observed == 0.0


def test_too_few_data_give_no_attribution() -> None:
    nothing = FunnelCells(1, (), np.zeros(0, dtype=np.int64), np.zeros((0, len(DELAY_EDGES_SECONDS) + 1), np.int64))
    week, now = Shop().cells(10_000, 1), Shop().cells(500, 2)
    assert attribute(nothing, week, week, horizon_seconds=60.0) is None
    assert attribute(now, nothing, nothing, horizon_seconds=60.0) is None
    assert attribute(now, nothing, Shop().cells(90, 3), horizon_seconds=60.0) is None
    assert attribute(now, nothing, week, horizon_seconds=60.0) is not None


def test_users_without_dimensions_give_the_verdict_unclear() -> None:
    def plain(entries: int, converted: int) -> FunnelCells:
        delays = np.zeros((1, len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
        delays[0, 3] = converted
        return FunnelCells(1, ({},), np.array([entries]), delays)

    answer = attribute(plain(1000, 100), plain(1000, 300), plain(9000, 2700), horizon_seconds=60.0)
    assert answer is not None
    assert (answer.verdict, answer.dimensions) == (WhereVerdict.UNCLEAR, ())


counts = st.tuples(st.integers(1, 3000), st.floats(0, 1)).map(lambda pair: (pair[0], int(pair[0] * pair[1])))
kinds = st.fixed_dictionaries({}, optional={"country": st.sampled_from("ab"), "device": st.sampled_from("xyz")})


@settings(max_examples=100)
@given(st.lists(st.tuples(kinds, counts, counts, counts), min_size=1, max_size=8, unique_by=lambda one: str(one[0])))
def test_the_two_effects_always_sum_to_the_change(
    drawn: list[tuple[dict[str, str], tuple[int, int], tuple[int, int], tuple[int, int]]],
) -> None:
    def cells(column: int) -> FunnelCells:
        rows = [one[column] for one in drawn]
        delays = np.zeros((len(rows), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
        delays[:, 3] = [converted for _, converted in rows]
        return FunnelCells(1, tuple(one[0] for one in drawn), np.array([entries for entries, _ in rows]), delays)

    answer = attribute(cells(1), cells(2), cells(3), horizon_seconds=60.0)
    if answer is not None:
        assert answer.rate_effect + answer.mix_effect == pytest.approx(answer.observed - answer.expected, abs=1e-9)
        assert all(0 <= place.share_of_loss <= 1 for place in answer.places)
