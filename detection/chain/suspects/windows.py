"""How oddly each part behaves during an incident, against the times before it without a fault."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np

from detection.chain.suspects.behaviour import Behaviour, Call, Occurrence, behaviour, compared
from detection.chain.suspects.ranking import ClueKind, Reading, Suspect, suspects
from detection.types import Floats

_ALIKE_SHARE = 0.1
_FEWEST_SAMPLES = 3

Window = tuple[float, float]
"""From a moment on, and before another; seconds UTC."""


def suspects_of_windows(
    calls: Sequence[Call],
    occurrences: Sequence[Occurrence],
    series: Iterable[tuple[str, str, Floats, Floats]],
    *,
    during: Window,
    normal: Sequence[Window],
    normal_of_series: Sequence[Window],
    more: Sequence[Reading] = (),
) -> list[Suspect]:
    """Rank the parts by how far their spans, logged events and metrics during the incident are from normal.

    calls, occurrences: of all windows, each once. series: (part, metric's name, times, values); metrics that are worse
    when they rise, such as load and response time. normal: windows without a fault, several of them better than one
    long one, as they show how much everything fluctuates by itself (`windows_without`). normal_of_series: the same for
    metrics, which are kept for longer. more: readings of another sort,
    such as the network's delay into a part. Empty without anything to compare with.
    """
    calls = sorted(calls, key=lambda call: call.started_at)
    occurrences = sorted(occurrences, key=lambda one: one.happened_at)
    before = [_in_window(calls, occurrences, window) for window in normal]
    before = [one for one in before if one.followed]
    readings, patterns = compared(before, _in_window(calls, occurrences, during))
    measured = [_reading(part, name, times, values, during, normal_of_series) for part, name, times, values in series]
    return suspects([*(one for one in measured if one is not None), *more, *readings], patterns)


def windows_without(since: float, until: float, length: float, disturbed: Sequence[Window]) -> list[Window]:
    """Cut the time from `since` to `until` into windows of `length` seconds that touch no disturbed one."""
    starts = np.arange(since, until - length + 1e-6, length)
    cut = [(float(start), float(start) + length) for start in starts]
    return [one for one in cut if not any(one[0] < ended and began < one[1] for began, ended in disturbed)]


def _in_window(calls: Sequence[Call], occurrences: Sequence[Occurrence], window: Window) -> Behaviour:
    """Measure one window of calls and occurrences that are sorted by time."""
    since, until = window
    called = slice(*(bisect_left(calls, at, key=lambda call: call.started_at) for at in (since, until)))
    logged = slice(*(bisect_left(occurrences, at, key=lambda one: one.happened_at) for at in (since, until)))
    return behaviour(calls[called], occurrences[logged])


def _reading(
    part: str, name: str, times: Floats, values: Floats, during: Window, normal: Sequence[Window]
) -> Reading | None:
    usual = np.zeros(len(times), dtype=np.bool_)
    for since, until in normal:
        usual |= (times >= since) & (times < until)
    before = values[usual]
    now = values[(times >= during[0]) & (times < during[1])]
    if int(np.isfinite(before).sum()) < _FEWEST_SAMPLES or not np.isfinite(now).any():
        return None
    floor = _ALIKE_SHARE * abs(float(np.nanmedian(before)))
    return Reading(part, ClueKind.METRIC, name, before, now, floor)
