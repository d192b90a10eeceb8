from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.funnels.attempts import attempts, matches
from detection.types import Event, FunnelDefinition, FunnelStep

ORACLE = Path(__file__).parents[5] / "shared" / "data" / "funnel_oracle"
FUNNELS = {"abc": "abc", "abcd": "abcd", "aa_b": "aab"}

needs_oracle = pytest.mark.skipif(
    not ORACLE.is_dir(), reason="the funnel oracle (../shared/data) is not on this machine"
)
fixed = settings(max_examples=300)


def funnel(names: str | list[str], window: float) -> FunnelDefinition:
    return FunnelDefinition(1, "f", tuple(FunnelStep(name, name) for name in names), window, 7)


def events(pairs: list[tuple[float, str]]) -> list[Event]:
    return [Event(str(index), name, "ana", float(at), {}) for index, (at, name) in enumerate(pairs)]


def level(names: str | list[str], window: float, pairs: list[tuple[float, str]]) -> int:
    """Return how many steps the best attempt reached."""
    return max((len(one.reached_at) for one in attempts(funnel(names, window), events(pairs))), default=0)


@needs_oracle
def test_every_random_user_of_the_oracle_reaches_the_level_of_clickhouse() -> None:
    users = checked = 0
    for line in (ORACLE / "windowfunnel_random.jsonl").read_text().splitlines():
        user = json.loads(line)
        users += 1
        assert user["events"] or user["expected"] == {"all": 0}
        for key, expected in user["expected"].items():
            mode, _, rest = key.partition("|")
            if mode != "default":
                continue
            name, _, window = rest.partition("|")
            steps = FUNNELS[name]
            assert level(steps, float(window), user["events"]) == expected, (user["user"], key)
            checked += 1
    assert users > 500
    assert checked > 10 * users


@needs_oracle
def test_every_official_default_mode_vector_agrees_with_clickhouse() -> None:
    vectors = [
        one for one in json.loads((ORACLE / "windowfunnel_official.json").read_text()) if one["mode"] == "default"
    ]
    assert vectors
    for vector in vectors:
        assert level(vector["steps"], vector["window"], vector["events"]) == vector["expected"], vector["name"]


def test_the_window_includes_its_end_and_counts_from_the_first_step() -> None:
    assert level("abc", 10.0, [(0, "a"), (5, "b"), (10.0, "c")]) == 3
    assert level("abc", 10.0, [(0, "a"), (5, "b"), (10.1, "c")]) == 2


def test_steps_at_the_same_instant_count_in_any_order_of_arrival() -> None:
    pairs = [(7.0, "c"), (7.0, "a"), (7.0, "b")]
    assert attempts(funnel("abc", 10.0), events(pairs))[0].reached_at == (7.0, 7.0, 7.0)


def test_nothing_is_reached_without_the_first_step() -> None:
    assert attempts(funnel("ab", 10.0), events([(1.0, "b")])) == []


def test_a_second_entry_within_the_window_belongs_to_the_same_attempt() -> None:
    found = attempts(funnel("ab", 10.0), events([(0, "a"), (4, "a"), (9, "b")]))
    assert [one.reached_at for one in found] == [(0.0, 9.0)]


def test_an_attempt_counts_from_the_entry_that_got_furthest() -> None:
    found = attempts(funnel("abc", 10.0), events([(0, "a"), (8, "a"), (9, "b"), (15, "c")]))
    assert [one.reached_at for one in found] == [(8.0, 9.0, 15.0)]


def test_an_entry_after_the_window_or_after_the_completion_begins_another_attempt() -> None:
    after_window = attempts(funnel("ab", 10.0), events([(0, "a"), (11, "a"), (12, "b")]))
    assert [one.reached_at for one in after_window] == [(0.0,), (11.0, 12.0)]
    after_completion = attempts(funnel("ab", 10.0), events([(0, "a"), (1, "b"), (2, "a"), (3, "b")]))
    assert [one.reached_at for one in after_completion] == [(0.0, 1.0), (2.0, 3.0)]


def test_the_dimensions_of_an_attempt_are_the_scalar_properties_of_its_entry() -> None:
    pair = [
        Event("1", "a", "ana", 0.0, {"country": "DE", "new": True, "items": 3, "tags": ["x"], "gone": None}),
        Event("2", "b", "ana", 1.0, {"country": "FR", "payment": "card"}),
    ]
    assert attempts(funnel("ab", 10.0), pair)[0].dimensions == {"country": "DE", "new": "true", "items": "3"}


def test_a_step_must_match_every_property_and_true_does_not_equal_one() -> None:
    step = FunnelStep("view", "page_view", {"page": "/signup", "logged_in": 1})
    assert matches(step, Event("1", "page_view", "ana", 0.0, {"page": "/signup", "logged_in": 1.0, "more": 2}))
    assert not matches(step, Event("1", "page_view", "ana", 0.0, {"page": "/signup", "logged_in": True}))
    assert not matches(step, Event("1", "page_view", "ana", 0.0, {"page": "/signup"}))
    assert not matches(step, Event("1", "click", "ana", 0.0, {"page": "/signup", "logged_in": 1}))


histories = st.lists(st.tuples(st.integers(0, 60), st.sampled_from("abcx")), max_size=25)


@fixed
@given(histories, st.sampled_from([0, 3, 10, 100]), st.sampled_from(["abc", "ab", "aab", "a"]))
def test_no_attempt_leaves_its_window_or_overlaps_another(
    pairs: list[tuple[float, str]], window: int, names: str
) -> None:
    found = attempts(funnel(names, window), events(pairs))
    assert all(one.reached_at == tuple(sorted(one.reached_at)) for one in found)
    assert all(one.reached_at[-1] <= one.entered_at + window for one in found)
    assert [one.entered_at for one in found] == sorted({one.entered_at for one in found})


@fixed
@given(histories, st.sampled_from([3, 10, 100]), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(pairs: list[tuple[float, str]], window: int, random: Random) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    expected = [one.reached_at for one in attempts(funnel("abc", window), events(pairs))]
    assert [one.reached_at for one in attempts(funnel("abc", window), events(shuffled))] == expected


@fixed
@given(histories, st.sampled_from([3, 10, 100]))
def test_no_event_completes_two_attempts(pairs: list[tuple[float, str]], window: int) -> None:
    complete = [one for one in attempts(funnel("abc", window), events(pairs)) if len(one.reached_at) == 3]
    ends = [one.reached_at[-1] for one in complete]
    assert len(set(ends)) == len(ends)
    assert all(later.entered_at > earlier for earlier, later in zip(ends, complete[1:], strict=False))
