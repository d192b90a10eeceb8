"""Test a level against the natural, autocorrelated fluctuation of its own series.

On a busy machine slow and quick spells come without a cause and last, so a binomial test over single requests cannot
say how rare three slow intervals in a row are. Two tests use the preceding minutes instead. The jump test predicts the
level from the minute before, with a first-order autoregression, and compares the error with earlier errors (Box and
Jenkins 1970, chapter 7; the residual charts of Alwan and Roberts 1988). The height test compares the distance from the
usual level with earlier distances. The jump test sees a sudden change within half a minute even where the level
fluctuates widely; the height test sees a slow rise.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr

from detection.types import Floats

_PRIOR_WINDOWS = 10.0
_PRIOR_DEVIATION = 0.1
"""The prior: the fluctuation assumed for a series with little data, on the log scale, and its weight in windows."""

_FEWEST_PAIRS = 10
_FEWEST_FREEDOM = 3.0
_STRONGEST_CORRELATION = 0.99


def jump_p_value(before: Floats, now: float, length: int) -> float:
    """Return the p-value of a level of `now` right after `before`, given how this series moves; 1.0 with too few data.

    before: (n,) levels over sliding windows of `length` intervals, each one interval later than the last, so that
    levels `length` apart share no interval. A fitted line predicts the level from the last non-overlapping one. Its
    error is judged by Student's t over the errors so far, with the degrees of freedom of those that do not overlap.
    """
    earlier, later = before[:-length], before[length:]
    if len(later) < _FEWEST_PAIRS:
        return 1.0
    slope = _autoregression_slope(earlier, later)
    errors = later - later.mean() - slope * (earlier - earlier.mean())
    predicted = later.mean() + slope * (before[-1] - earlier.mean())
    return _t_test(now - predicted, errors, (len(errors) + _PRIOR_WINDOWS) / length)


def height_p_value(before: Floats, during: Floats, usual: float, length: int) -> float:
    """Return the p-value of the last of `during`, given how far this series strays from its `usual` level.

    before, during: (n,) levels as in `jump_p_value`. The current run counts only by its deviations from its own mean,
    so that a change that has lasted long is not taken for usual fluctuation. The degrees of freedom are the number of
    windows reduced for autocorrelation (Bartlett 1946).
    """
    around = [before - usual, during - during.mean()]
    pairs = [(part[:-length], part[length:]) for part in around if len(part) > length]
    squares = sum(float((earlier**2).sum()) for earlier, _ in pairs)
    products = sum(float((earlier * later).sum()) for earlier, later in pairs)
    correlation = (
        float(np.clip(products / squares, 0.0, _STRONGEST_CORRELATION)) if squares > 0 else _STRONGEST_CORRELATION
    )
    lag_one = correlation ** (1 / length)
    independent_share = (1 - lag_one**2) / (1 + lag_one**2)
    deviations = np.concatenate(around)
    freedom = max((len(deviations) + _PRIOR_WINDOWS) * independent_share, _FEWEST_FREEDOM)
    return _t_test(float(during[-1]) - usual, deviations, freedom)


def _autoregression_slope(earlier: Floats, later: Floats) -> float:
    """Return the slope of the regression of a level on the one before, clipped to 0 to 0.99."""
    centred = earlier - earlier.mean()
    spread = float((centred**2).sum())
    slope = float((centred * (later - later.mean())).sum()) / spread if spread > 0 else 0.0
    return float(np.clip(slope, 0.0, _STRONGEST_CORRELATION))


def _t_test(difference: float, errors: Floats, freedom: float) -> float:
    variance = (float((errors**2).sum()) + _PRIOR_WINDOWS * _PRIOR_DEVIATION**2) / (len(errors) + _PRIOR_WINDOWS)
    return float(stdtr(freedom, -difference / np.sqrt(variance)))
