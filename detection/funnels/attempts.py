"""Match a user's events to an ordered funnel. The best attempt reaches the level of ClickHouse's `windowFunnel`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from detection.types import Event, FunnelDefinition, FunnelProgress, FunnelStep, JsonValue


def matches(step: FunnelStep, event: Event) -> bool:
    """Whether `event` has the step's event name and all of the step's properties with equal values."""
    return event.event == step.event and all(
        name in event.properties and _equal(event.properties[name], wanted) for name, wanted in step.properties.items()
    )


def attempts(funnel: FunnelDefinition, events: Sequence[Event]) -> list[FunnelProgress]:
    """Split one user's events, in any order, into attempts at the funnel, sorted by the time of entry.

    An entry opens an attempt. Further entries within its window belong to the same attempt, which counts from the one
    that got furthest (the earliest of equals). The next entry after the window, or after the completion, opens the
    next attempt. So every entry is considered in some attempt, except those within a completed one, and the best
    attempt reaches as many steps as `windowFunnel(window)(timestamp, step...)` of ClickHouse without a mode.

    dimensions: the scalar properties of the entry event, as text, which are known before anything can go wrong.
    """
    user_events = sorted(events, key=lambda event: event.happened_at)
    matched = [[event for event in user_events if matches(step, event)] for step in funnel.steps]
    if not matched or not matched[0]:
        return []
    times = [[event.happened_at for event in step_events] for step_events in matched]
    found: list[FunnelProgress] = []
    position = 0
    while position < len(times[0]):
        candidates_end = bisect_right(times[0], times[0][position] + funnel.window_seconds)
        chains = [_chain(times, times[0][index], funnel.window_seconds) for index in range(position, candidates_end)]
        best = max(range(len(chains)), key=lambda index: len(chains[index]))
        entry = matched[0][position + best]
        found.append(FunnelProgress(entry.user_id, entry.happened_at, chains[best], _dimensions(entry)))
        completed = len(chains[best]) == len(funnel.steps)
        position = bisect_right(times[0], chains[best][-1]) if completed else candidates_end
    return found


def _chain(times: Sequence[Sequence[float]], start: float, window_seconds: float) -> tuple[float, ...]:
    """Return the earliest possible time of each step reached after an entry at `start`; times[i] are ascending."""
    reached = [start]
    for step_times in times[1:]:
        index = bisect_left(step_times, reached[-1])
        if index == len(step_times) or step_times[index] > start + window_seconds:
            break
        reached.append(step_times[index])
    return tuple(reached)


def _equal(left: JsonValue, right: JsonValue) -> bool:
    """Compare as JSON does: true is not 1, but 1 is 1.0."""
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _dimensions(entry: Event) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in entry.properties.items()
        if isinstance(value, str | int | float)
    }
