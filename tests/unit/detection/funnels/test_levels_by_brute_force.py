"""Funnel levels beside two references: every possible chain tried, and the pass that ClickHouse documents.

The second is `windowFunnel` without a mode as its documentation and source describe it: events in order of time, and of
step at the same time; a step is met when the one before it has been, and its chain's start lies within the window.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from detection.funnels.attempts import attempts, level
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
    """The longest chain there is: from any first step, each next no earlier than the last and within the window."""

    def longest(step: int, since: float, until: float) -> int:
        later = [at for at, name in occurrences if step < len(names) and name == names[step] and since <= at <= until]
        return max((1 + longest(step + 1, at, until) for at in later), default=0)

    starts = [at for at, name in occurrences if name == names[0]]
    return max((1 + longest(1, at, at + window) for at in starts), default=0)


def by_one_pass(occurrences: Occurrences, names: str, window: float) -> int:
    """As ClickHouse goes over the sorted events, keeping for each step the start of the latest chain that met it."""
    hits = sorted((at, step) for at, name in occurrences for step in range(len(names)) if names[step] == name)
    started: dict[int, float] = {}
    for at, step in hits:
        if step == 0:
            started[0] = at
        elif step - 1 in started and at <= started[step - 1] + window:
            started[step] = started[step - 1]
    return max(started, default=-1) + 1


def ours(occurrences: Occurrences, names: str, window: float) -> tuple[int, int]:
    """The level, and that of the best attempt."""
    funnel = FunnelDefinition(1, "f", tuple(FunnelStep(name, name) for name in names), window, 7)
    events = [Event(str(number), name, "ana", at, {}) for number, (at, name) in enumerate(occurrences)]
    times = [[at for at, name in occurrences if name == wanted] for wanted in names]
    best = max((len(attempt.reached_at) for attempt in attempts(funnel, events)), default=0)
    return level(times, window), best


@fixed
@given(crowded, steps, windows)
def test_crowded_histories_with_ties_and_repeated_steps_reach_what_the_best_of_all_chains_reaches(
    occurrences: Occurrences, names: str, window: float
) -> None:
    assert ours(occurrences, names, window) == (by_every_chain(occurrences, names, window),) * 2


@fixed
@given(crowded | halves, steps, windows)
def test_any_history_reaches_what_the_pass_that_clickhouse_documents_reaches(
    occurrences: Occurrences, names: str, window: float
) -> None:
    assert ours(occurrences, names, window)[0] == by_one_pass(occurrences, names, window)


@fixed
@given(st.integers(0, 10**6), st.integers(1, 10**5))
def test_the_last_instant_of_the_window_counts_and_the_next_one_does_not(begun: int, window: int) -> None:
    entered = [(float(begun), "a"), (float(begun), "b")]
    assert ours([*entered, (float(begun + window), "c")], "abc", float(window)) == (3, 3)
    assert ours([*entered, (begun + window + 0.001, "c")], "abc", float(window)) == (2, 2)
