"""Departures of series of a few samples, as exports hold them: each sample against the ones before it.

With so few, the noise before a change is hardly known, so the whole series has to bear the change out: it goes on in
one direction; or the change is far above the roughness of the series, measured by its second differences, which a
step or a trend hardly touches; or all that did not depart lies close together.
"""

from __future__ import annotations

import numpy as np

from detection.statistics.departure_scales import Departure, Least, Scale, clearly_off, last_usual, scale_of
from detection.types import Floats

_LEAST_SIZE = 2.5
_MAD_OF_SECOND_DIFFERENCES = 1.4826 / np.sqrt(6.0)
_ROUGH = 5.0
_ONE_WAY = 0.8
_FEWEST_STEPS = 3
_GAP = 5.0


def of_few(times: Floats, values: Floats, worse: int, least: Least) -> Departure | None:
    """Find the first sample that is off all before it, and that the whole series bears out; (n,), n >= 2."""
    spike: Departure | None = None
    for index in range(1, len(values)):
        scale = scale_of(values[:index], values[:index])
        direction = 1 if values[index] > scale.level else -1
        if (worse and direction != worse) or not _stands_out(float(values[index]), values[:index], scale, least):
            continue
        off = clearly_off(values, scale, least, direction)
        off[:index] = False
        off[index] = True
        if not _is_borne_out(values, off, scale, direction):
            continue
        found = _departed(times, values, index, off, scale, direction, least)
        if found.ended_at is None or int(np.sum(off)) > 1:
            return found
        spike = spike or found
    return spike


def _stands_out(value: float, before: Floats, scale: Scale, least: Least) -> bool:
    span = float(np.ptp(before)) if len(before) > 1 else 0.0
    is_outside = value > float(np.max(before)) + span / 2 or value < float(np.min(before)) - span / 2
    return is_outside and least.is_exceeded(scale.level, value) and scale.size(value) >= _LEAST_SIZE


def _is_borne_out(values: Floats, off: np.ndarray[tuple[int], np.dtype[np.bool_]], scale: Scale, way: int) -> bool:
    change = abs(float(np.median(values[off])) - scale.level)
    usual = values[~off]
    if len(usual) >= 3 and change >= _GAP * float(np.ptp(usual)):
        return True
    if len(usual) >= 2 and change >= 2 * _GAP * float(np.ptp(usual)) and change >= _GAP * float(np.ptp(values[off])):
        return True
    until = int(np.flatnonzero(off)[-1]) + 1
    steps = np.diff(values[:until]) * way
    steps = steps[steps != 0]
    if len(steps) >= _FEWEST_STEPS and float(np.mean(steps > 0)) >= _ONE_WAY:
        return True
    if len(values) < 4:
        return len(usual) >= 1 and change >= abs(scale.level)
    rough = _MAD_OF_SECOND_DIFFERENCES * float(np.median(np.abs(np.diff(values, n=2))))
    return bool(change >= _ROUGH * rough)


def _departed(
    times: Floats,
    values: Floats,
    index: int,
    off: np.ndarray[tuple[int], np.dtype[np.bool_]],
    scale: Scale,
    direction: int,
    least: Least,
) -> Departure:
    departed = values[off]
    steps = np.diff(departed) * direction
    is_ramp = len(departed) >= 4 and bool(np.mean(steps > 0) >= 0.75 and departed[-1] != departed[-2])
    after = float(departed[-1]) if is_ramp else float(np.median(departed))
    return Departure(
        float(times[last_usual(values, scale, least, direction, index)]),
        float(times[index]),
        direction,
        scale.size(after),
        scale.level,
        after,
        is_ramp,
        None if off[-1] else float(times[int(np.flatnonzero(off)[-1]) + 1]),
    )
