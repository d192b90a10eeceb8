"""What a departure is, how far off is far, and how small a change matters to nobody.

Median and median absolute deviation, as one odd sample must not move either (Hampel 1974).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.types import Floats

_MAD_TO_DEVIATION = 1.4826
_LEAST_RATIO = 1.3
_LEAST_SHARE = 0.01
_SHARE_SPREAD = 0.002
_RELATIVE_SPREAD = 0.02
_USUAL = 2.5

CLEARLY_OFF = 4.0
"""As many spreads are clearly off."""

_LARGEST_COUNT = 1e4


@dataclass(frozen=True, slots=True)
class Least:
    """The smallest change that matters: at least by `ratio` times and by `absolute` in the series' own unit.

    is_share: values are shares of 0 to 1; then what is left to 1 counts as well, as of an availability or a hit ratio.
    """

    ratio: float = _LEAST_RATIO
    absolute: float = 0.0
    is_share: bool = False

    @staticmethod
    def of(values: Floats) -> Least:
        """Return what matters in a series of unknown meaning: fractions that stay within 0 and 1 are shares."""
        is_within = bool(np.min(values) >= 0.0 and np.max(values) <= 1.0)
        is_share = is_within and bool(np.any(values != np.round(values)))
        return Least(_LEAST_RATIO, _LEAST_SHARE if is_share else 0.0, is_share)

    def change(self, level: float, direction: int) -> float:
        """Return the smallest change from `level` in that direction that matters, above zero."""
        by_ratio = abs(level) * ((self.ratio - 1) if direction * level >= 0 else (1 - 1 / self.ratio))
        if self.is_share:
            left = abs(1.0 - level)
            by_ratio = min(by_ratio, left * ((1 - 1 / self.ratio) if direction > 0 else (self.ratio - 1)))
        return max(by_ratio, self.absolute, 1e-12)

    def is_exceeded(self, before: float, after: float) -> bool:
        """Return whether the change from one level to the other matters."""
        return abs(after - before) >= self.change(before, 1 if after > before else -1)


@dataclass(frozen=True, slots=True)
class Scale:
    """The usual level and the spread around it, both in the series' unit; the spread is above zero."""

    level: float
    spread: float

    def size(self, value: float) -> float:
        """Return how many spreads a value is off, at most 1000."""
        return min(abs(value - self.level) / self.spread, 1e3)


def scale_of(usual: Floats, everything: Floats) -> Scale:
    """Return level and spread of the usual samples (n,), n >= 1.

    Floors keep a constant series from making any change a giant one: a share of the level, and for counts the spread
    of a Poisson count.
    """
    level = float(np.median(usual))
    spread = _MAD_TO_DEVIATION * float(np.median(np.abs(usual - level)))
    if len(usual) >= 10:
        low, high = np.quantile(usual, [0.1, 0.9])
        spread = max(spread, float(high - low) / 2.563)
    is_whole = bool(np.all(everything == np.round(everything)))
    is_share = not is_whole and float(np.min(everything)) >= 0.0 and float(np.max(everything)) <= 1.0
    near = min(abs(level), abs(1 - level)) if is_share else abs(level)
    floors = [spread, _RELATIVE_SPREAD * near, 1e-9 * float(np.max(np.abs(everything))), 1e-12]
    if is_whole and near < _LARGEST_COUNT:
        floors.append(float(np.sqrt(max(near, 0.5))))
    if is_share:
        floors.append(_SHARE_SPREAD)
    return Scale(level, max(floors))


@dataclass(frozen=True, slots=True)
class Departure:
    """How one series left its usual course.

    earliest, latest: seconds UTC; the last sample that was still usual, and the first that was clearly off. Of a trend:
    the interval in which it began. direction: +1 rose, -1 fell. size: robust standard scores of the new level, at most
    1000. before, after: the usual level, and the level reached (the median of what departed; of a trend the last).
    is_ramp: it climbs or falls on and on, as a leak does. ended_at: back in its usual course since; None while it
    lasts.
    """

    earliest: float
    latest: float
    direction: int
    size: float
    before: float
    after: float
    is_ramp: bool
    ended_at: float | None


def clearly_off(
    values: Floats, scale: Scale, least: Least, direction: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each sample whether it is clearly off in that direction: by spreads, and by half of what matters."""
    scores = (values - scale.level) * direction / scale.spread
    half = least.change(scale.level, direction) / 2
    return np.asarray((scores >= CLEARLY_OFF) & ((values - scale.level) * direction >= half), dtype=np.bool_)


def last_usual(values: Floats, scale: Scale, least: Least, direction: int, first: int) -> int:
    """Return the last sample before `first` that was still usual; those between are neither."""
    usual = max(_USUAL * scale.spread, least.change(scale.level, direction) / 4)
    for index in range(first - 1, -1, -1):
        if (values[index] - scale.level) * direction < usual:
            return index
    return 0
