"""Compare funnel levels with two references: a search of every possible chain, and ClickHouse's algorithm.

The second is `windowFunnel` without a mode, as its documentation and source describe it: events are sorted by time, and
by step at the same time; a step is reached when the step before it was reached and the start of its chain lies within
the window.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from detection.funnels.attempts import attempts
from detection.types import Event, FunnelDefinition, FunnelStep

Occurrences = list[tuple[float, str]]

fixed = settings(max_examples=200)
steps = st.sampled_from(["a", "ab", "abc", "abcd", "aab", "aba", "abab", "aaa"])
windows = st.sampled_from([0.0, 1.0, 2.5, 5.0, 12.0, 1000.0])
crowded = st.lists(st.tuples(st.integers(0, 12).map(float), st.sampled_from("abcdx")), max_size=12)
halves = st.lists(
    st.tuples(st.integers(0, 60).map(lambda ticks: ticks / 2), st.sampled_from("abcdx")), min_size=8, max_size=14
)


def by_every_chain(occurrences: Occurrences, names: str, window: float) -> int:
    """Return the length of the longest chain from any first step, with ordered times within the window."""

    def longest(step: int, since: float, until: float) -> int:
        later = [at for at, name in occurrences if step < len(names) and name == names[step] and since <= at <= until]
        return max((1 + longest(step + 1, at, until) for at in later), default=0)

    starts = [at for at, name in occurrences if name == names[0]]
    return max((1 + longest(1, at, at + window) for at in starts), default=0)


def by_one_pass(occurrences: Occurrences, names: str, window: float) -> int:
    """Go over the sorted events as ClickHouse does, keeping for each step the start of the latest chain to reach it."""
    hits = sorted((at, step) for at, name in occurrences for step in range(len(names)) if names[step] == name)
    started: dict[int, float] = {}
    for at, step in hits:
        if step == 0:
            started[0] = at
        elif step - 1 in started and at <= started[step - 1] + window:
            started[step] = started[step - 1]
    return max(started, default=-1) + 1


def ours(occurrences: Occurrences, names: str, window: float) -> int:
    """Return the level of the best attempt."""
    funnel = FunnelDefinition(1, "f", tuple(FunnelStep(name, name) for name in names), window, 7)
    events = [Event(str(number), name, "ana", at, {}) for number, (at, name) in enumerate(occurrences)]
    return max((len(attempt.reached_at) for attempt in attempts(funnel, events)), default=0)


@fixed
@given(crowded, steps, windows)
def test_crowded_histories_with_ties_and_repeated_steps_reach_the_level_of_the_best_chain(
    occurrences: Occurrences, names: str, window: float
) -> None:
    assert ours(occurrences, names, window) == by_every_chain(occurrences, names, window)


@fixed
@given(crowded | halves, steps, windows)
def test_any_history_reaches_the_level_of_clickhouses_documented_algorithm(
    occurrences: Occurrences, names: str, window: float
) -> None:
    assert ours(occurrences, names, window) == by_one_pass(occurrences, names, window)


@fixed
@given(st.integers(0, 10**6), st.integers(1, 10**5))
def test_a_step_at_the_end_of_the_window_counts_and_a_later_one_does_not(begun: int, window: int) -> None:
    entered = [(float(begun), "a"), (float(begun), "b")]
    assert ours([*entered, (float(begun + window), "c")], "abc", float(window)) == 3
    assert ours([*entered, (begun + window + 0.001, "c")], "abc", float(window)) == 2
