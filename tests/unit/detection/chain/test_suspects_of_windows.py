"""Parts ranked by how oddly they behave, and when that decides where the trouble began."""

from __future__ import annotations

import numpy as np
import pytest

from detection.chain import Surroundings, trace_chain
from detection.chain.suspects import Call, ClueKind, Occurrence, Suspect, suspects_of_windows, windows_without
from detection.chain.suspects.ranking import Clue
from detection.types import Floats
from tests.unit.detection.chain.stories import ALARM, MINUTE, edges, metrics

_PARTS = ("edge", "cart", "stock")
_NORMAL = [(float(start), start + 300.0) for start in range(0, 3000, 300)]
_DURING = (3000.0, 3300.0)


def _calls(random: np.random.Generator, slow: str = "") -> list[Call]:
    found = []
    for index in range(440):
        at = index * 7.5
        own = {part: 10 * float(np.exp(0.1 * random.normal())) for part in _PARTS}
        if slow and at >= _DURING[0]:
            own[slow] *= 20
        total = 0.0
        for depth in range(len(_PARTS) - 1, -1, -1):
            total += own[_PARTS[depth]]
            parent = f"{depth - 1}" if depth else None
            found.append(Call(f"t{index}", f"{depth}", parent, _PARTS[depth], "work", at, total))
    return found


def _load(random: np.random.Generator, part: str, during: float = 30.0) -> tuple[str, str, Floats, Floats]:
    times = np.arange(55, dtype=np.float64) * MINUTE
    values = 30 + random.normal(size=55)
    return part, "cpu_usage", times, np.where(times >= _DURING[0], values - 30 + during, values)


def test_the_part_whose_own_time_grew_is_the_first_suspect() -> None:
    random = np.random.default_rng(1)
    ranked = suspects_of_windows(
        _calls(random, "stock"), [], [], during=_DURING, normal=_NORMAL, normal_of_series=_NORMAL
    )
    assert ranked[0].part == "stock"
    assert ranked[0].score > 1


def test_the_part_whose_metric_rose_is_the_first_suspect_without_spans() -> None:
    random = np.random.default_rng(1)
    series = [_load(random, "edge"), _load(random, "cart", 90.0), _load(random, "stock")]
    ranked = suspects_of_windows([], [], series, during=_DURING, normal=_NORMAL, normal_of_series=_NORMAL)
    assert ranked[0].part == "cart"


def test_a_line_that_is_left_out_of_a_call_makes_a_suspect() -> None:
    random = np.random.default_rng(1)
    calls = _calls(random)
    logged = [
        Occurrence(call.trace_id, call.span_id, call.part, "done", call.started_at)
        for call in calls
        if call.part != "cart" or call.started_at < _DURING[0]
    ]
    ranked = suspects_of_windows(calls, logged, [], during=_DURING, normal=_NORMAL, normal_of_series=_NORMAL)
    assert ranked[0].part == "cart"


def test_nobody_is_odd_where_nothing_changed() -> None:
    random = np.random.default_rng(2)
    ranked = suspects_of_windows(
        _calls(random), [], [_load(random, "cart")], during=_DURING, normal=_NORMAL, normal_of_series=_NORMAL
    )
    assert all(suspect.score < 1 for suspect in ranked)


def test_without_anything_normal_there_is_no_suspect() -> None:
    random = np.random.default_rng(2)
    calls = _calls(random, "stock")
    assert suspects_of_windows(calls, [], [], during=_DURING, normal=[], normal_of_series=[]) == []


def test_windows_touch_no_disturbed_time() -> None:
    assert windows_without(0, 900, 300, [(350, 400)]) == [(0.0, 300.0), (600.0, 900.0)]
    assert windows_without(0, 200, 300, []) == []


def _suspect(part: str, score: float) -> Suspect:
    return Suspect(part, score, (Clue(part, ClueKind.OWN_TIME, "work", score, 1.0, 9.0),))


def test_behaviour_decides_between_origins_that_signs_do_not_tell_apart() -> None:
    signs = metrics("cart errors 10, search errors 10, shop errors 12")
    around = Surroundings(edges("shop > cart, shop > search"))
    parts = {"shop", "cart", "search"}
    suspected = [_suspect("search", 4.0), _suspect("cart", 1.0)]
    chain = trace_chain(signs, around, alerted="shop", alerted_at=ALARM, parts=parts, suspected=suspected)
    assert chain.origin == "search"
    assert [(link.source, link.target) for link in chain.links] == [("search", "shop")]
    assert 0.5 < chain.confidence <= 0.8


def test_behaviour_does_not_overrule_a_chain_that_is_sure() -> None:
    signs = metrics("prices latency 5, shop errors 9, edge errors 12, web errors 14")
    around = Surroundings(edges("edge > shop, shop > prices, web > edge"))
    parts = {"edge", "shop", "prices", "web"}
    chain = trace_chain(signs, around, alerted="web", alerted_at=ALARM, parts=parts, suspected=[_suspect("edge", 3.0)])
    assert chain.origin == "prices"


@pytest.mark.parametrize(
    ("signs", "odd", "origin"),
    [
        ("shop errors 9", 0.5, "edge"),
        ("shop errors 9", 0.0, "shop"),
        ("prices latency 5, shop errors 9, edge errors 12", 0.5, "prices"),
        ("prices latency 5, shop errors 9, edge errors 12", 1.5, "edge"),
    ],
)
def test_of_an_unsure_chain_and_behaviour_that_is_a_little_odd_the_surer_one_is_told(
    signs: str, odd: float, origin: str
) -> None:
    around = Surroundings(edges("edge > shop, shop > prices"))
    parts = {"edge", "shop", "prices"}
    suspected = [_suspect("edge", odd)]
    chain = trace_chain(metrics(signs), around, alerted=None, alerted_at=None, parts=parts, suspected=suspected)
    assert chain.origin == origin


def test_without_an_alarm_no_chain_is_sure() -> None:
    signs = metrics("prices latency 5, shop errors 9, edge errors 12")
    around = Surroundings(edges("edge > shop, shop > prices"))
    parts = {"edge", "shop", "prices"}
    chain = trace_chain(signs, around, alerted=None, alerted_at=None, parts=parts)
    assert chain.origin == "prices"
    assert chain.confidence <= 0.6
