"""How surprising a distance is among the earlier ones of its series, for many series at once.

A surprise is minus log10 of a p-value: 2 means that one distance in a hundred was as large. Within what was seen the
p-value is conformal (Vovk, Gammerman and Shafer 2005); beyond it a power law fitted to the largest 2 % extends it
(Hill 1975), as in the peaks-over-threshold detector of Siffer et al. (KDD 2017). The distances of a series are kept
as a logarithmic histogram that slowly forgets, so that ten thousand series cost a few megabytes and one pass.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.types import Floats, Integers

WARM_UP = 100
"""The fewest earlier distances that a distance is judged against."""

BINS = 96
_PER_OCTAVE = 8
_FIRST_OCTAVE = 5
"""A series' first distance above zero falls this many octaves above the smallest bin."""

_MEMORY = 4000
_TAIL_SHARE, _TAIL_LEAST = 0.02, 10.0
_STEEPEST = 50.0
"""The largest exponent of the power law: a few nearly equal extremes would give too large a one."""

_HANDFUL = 6.0
_CROWDED = 0.01
_SHIFT_OCTAVES = 4
_LN2 = float(np.log(2.0))
_CENTRES: Floats = (np.arange(BINS) + 0.5) / _PER_OCTAVE * _LN2

Counts = NDArray[np.float32]


class Surprises:
    """The histograms of `views` distances of each series. `counts` (series, views, BINS); `floor` (series, views).

    floor: log2 of the smallest bin's lower edge, NaN before the first distance above zero.
    """

    def __init__(self, series: int, views: int) -> None:
        self.counts: Counts = np.zeros((series, views, BINS), dtype=np.float32)
        self.floor: Floats = np.full((series, views), np.nan)

    def grow(self, series: int) -> None:
        """Make room for this many series."""
        more = series - len(self.counts)
        views = self.counts.shape[1]
        self.counts = np.concatenate([self.counts, np.zeros((more, views, BINS), dtype=np.float32)])
        self.floor = np.concatenate([self.floor, np.full((more, views), np.nan)])

    def keep_only(self, rows: Integers) -> None:
        """Forget all series but these, which are numbered anew in this order."""
        self.counts, self.floor = self.counts[rows], self.floor[rows]

    def forget(self, rows: Integers) -> None:
        """Forget the distances of these series."""
        self.counts[rows], self.floor[rows] = 0.0, np.nan

    def of(self, rows: Integers, distances: Floats) -> Floats:
        """Return the surprise of each distance, (n, views); NaN where it is unknown or too few are known.

        rows: (n,) series. distances: (n, views), 0 or more, NaN where unknown.
        """
        counts = self.counts[rows].astype(np.float64)
        cumulated = np.cumsum(counts[:, :, ::-1], axis=2)[:, :, ::-1]
        total = cumulated[:, :, 0]
        place, octave = self._places(rows, distances)
        whole = place.astype(np.int64)
        beyond = _at(cumulated, whole) - _at(counts, whole) * (place - whole)
        tail = np.maximum(_TAIL_LEAST, _TAIL_SHARE * total)
        begins, exponent = _tails(counts, cumulated, tail)
        within = -np.log10((np.maximum(beyond, 0.0) + 1) / (total + 1))
        outside = -np.log10((tail + 1) / (total + 1)) + exponent * (octave - begins) / np.log(10)
        surprise = np.where((beyond >= tail) | (octave <= begins), within, outside)
        is_first = np.isnan(self.floor[rows]) & (distances > 0)
        surprise = np.where(is_first, np.log10(total + 1), surprise)
        return np.where(np.isfinite(distances) & (total >= WARM_UP), surprise, np.nan)

    def largest(self, rows: Integers, view: int, share: float) -> Floats:
        """Return the distance that this share of the earlier ones of a view reached, (n,); NaN if too few are known.

        A handful is left out in any case: a metric that leaves its course is noticed only after a few points.
        """
        counts = self.counts[rows, view].astype(np.float64)
        cumulated = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
        total = cumulated[:, 0]
        place = (cumulated >= np.maximum(share * total, _HANDFUL)[:, None]).sum(axis=1)
        distance = np.exp2(place / _PER_OCTAVE + np.nan_to_num(self.floor[rows, view]))
        return np.where(total >= WARM_UP, distance, np.nan)

    def learn(self, rows: Integers, distances: Floats) -> None:
        """Remember the distances. rows: (n,), no series twice. distances: (n, views), NaN where unknown."""
        known = np.isfinite(distances)
        begun = np.isnan(self.floor[rows]) & known & (distances > 0)
        first, view = np.nonzero(begun)
        self.floor[rows[first], view] = np.log2(distances[first, view]) - _FIRST_OCTAVE
        place, _ = self._places(rows, distances)
        which, view = np.nonzero(known)
        self.counts[rows[which], view] *= np.float32(1 - 1 / _MEMORY)
        self.counts[rows[which], view, place[which, view].astype(np.int64)] += 1
        self._make_room(rows)

    def _places(self, rows: Integers, distances: Floats) -> tuple[Floats, Floats]:
        """Return each distance's place among the bins, and its height above the smallest bin as a natural logarithm."""
        octaves = np.log2(np.fmax(distances, 1e-300)) - self.floor[rows]
        octaves = np.where(np.isnan(octaves), -np.inf, octaves)
        return np.clip(octaves * _PER_OCTAVE, 0.0, BINS - 1e-6), octaves * _LN2

    def _make_room(self, rows: Integers) -> None:
        """Where the largest octave holds more than a few distances, move the histogram up by some octaves."""
        counts = self.counts[rows]
        crowded = counts[:, :, -_PER_OCTAVE:].sum(axis=2) > np.maximum(3.0, _CROWDED * counts.sum(axis=2))
        which, view = np.nonzero(crowded)
        if not len(which):
            return
        moved, steps = self.counts[rows[which], view], _SHIFT_OCTAVES * _PER_OCTAVE
        kept = np.zeros_like(moved)
        kept[:, :-steps] = moved[:, steps:]
        kept[:, 0] += moved[:, :steps].sum(axis=1)
        self.counts[rows[which], view] = kept
        self.floor[rows[which], view] += _SHIFT_OCTAVES


def _at(bins: Floats, place: Integers) -> Floats:
    return np.take_along_axis(bins, place[:, :, None], axis=2)[:, :, 0]


def _tails(counts: Floats, cumulated: Floats, tail: Floats) -> tuple[Floats, Floats]:
    """Return where the largest `tail` distances begin, and the exponent of their power law; both (n, views)."""
    place = np.maximum((cumulated >= tail[:, :, None]).sum(axis=2) - 1, 0)
    at, own = _at(cumulated, place), _at(counts, place)
    below = np.where(own > 0, np.clip((at - tail) / np.maximum(own, 1e-9), 0.0, 1.0), 0.0)
    begins = (place + below) / _PER_OCTAVE * _LN2
    higher = np.arange(BINS) > place[:, :, None]
    excess = np.where(higher, counts * np.maximum(_CENTRES - begins[:, :, None], 0.0), 0.0).sum(axis=2)
    excess += own * (1 - below) ** 2 / 2 / _PER_OCTAVE * _LN2
    return begins, np.minimum(1 / np.maximum(excess / tail, 1e-9), _STEEPEST)
