"""Is a level beyond what this very series wanders by itself: the noise of a busy machine is autocorrelated.

Slow and quick spells come by themselves and last, so single requests' chance (a binomial) cannot say how rare three
slow intervals in a row are. Two questions can be answered from the minutes before. A jump: how far from what the
minute before foretold did the level ever land, as in a first-order autoregression (Box and Jenkins 1970, chapter 7;
the residual charts of Alwan and Roberts 1988). A height: how far from its usual level was it ever. The first sees a
sudden change within half a minute even where the level wanders far, the second one that crept up.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr

from detection.types import Floats

_PRIOR_WINDOWS = 10.0
_PRIOR_DEVIATION = 0.1
"""What a series of which little is known is taken to swing by, on the log scale, and how many windows that is worth."""

_FEWEST_PAIRS = 10
_FEWEST_FREEDOM = 3.0
_STRONGEST_TIE = 0.99


def jump_p_value(before: Floats, now: float, length: int) -> float:
    """How probable is a level of `now` right after `before`, given how this series moves; 1.0 when too little is known.

    before: (n,) levels, each over `length` intervals and one interval further than the last, so that neighbours
    `length` apart share no interval. The level is foretold from the last one before by a fitted line, and its error
    is judged by Student's t over the errors so far, with the freedom of those that do not overlap.
    """
    earlier, later = before[:-length], before[length:]
    if len(later) < _FEWEST_PAIRS:
        return 1.0
    tie = _tie(earlier, later)
    errors = later - later.mean() - tie * (earlier - earlier.mean())
    foretold = later.mean() + tie * (before[-1] - earlier.mean())
    return _t_test(now - foretold, errors, (len(errors) + _PRIOR_WINDOWS) / length)


def height_p_value(before: Floats, during: Floats, usual: float, length: int) -> float:
    """How probable is the last of `during`, given how far this series strays from its `usual` level.

    before, during: (n,) levels as in `jump_p_value`. What is under way now is judged by how it varies around its own
    mean, so that a change which has gone on for long does not count as the usual swing. The freedom is what the
    autocorrelation leaves of the number of windows (Bartlett 1946).
    """
    around = [before - usual, during - during.mean()]
    pairs = [(part[:-length], part[length:]) for part in around if len(part) > length]
    squares = sum(float((earlier**2).sum()) for earlier, _ in pairs)
    products = sum(float((earlier * later).sum()) for earlier, later in pairs)
    tie = float(np.clip(products / squares, 0.0, _STRONGEST_TIE)) if squares > 0 else _STRONGEST_TIE
    lag_one = tie ** (1 / length)
    worth = (1 - lag_one**2) / (1 + lag_one**2)
    strayed = np.concatenate(around)
    freedom = max((len(strayed) + _PRIOR_WINDOWS) * worth, _FEWEST_FREEDOM)
    return _t_test(float(during[-1]) - usual, strayed, freedom)


def _tie(earlier: Floats, later: Floats) -> float:
    """How closely a level follows the one before: the regression's slope, 0 to 1."""
    centred = earlier - earlier.mean()
    spread = float((centred**2).sum())
    slope = float((centred * (later - later.mean())).sum()) / spread if spread > 0 else 0.0
    return float(np.clip(slope, 0.0, _STRONGEST_TIE))


def _t_test(difference: float, errors: Floats, freedom: float) -> float:
    variance = (float((errors**2).sum()) + _PRIOR_WINDOWS * _PRIOR_DEVIATION**2) / (len(errors) + _PRIOR_WINDOWS)
    return float(stdtr(freedom, -difference / np.sqrt(variance)))
