"""How far Argux's confidence can be believed: what `argux calibration` prints and `GET /api/calibration` answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from detection.calibration import Calibration, Curve, fit, held_out
from detection.statistics.proportions import wilson_interval
from detection.statistics.reliability import ReliabilityBin, brier, expected_calibration_error, reliability_bins
from detection.types import JudgedAnswer
from storage.outcomes import judged_answers
from workers.services import Services

_MOST_BINS, _LEAST_IN_BIN = 10, 5


@dataclass(frozen=True, slots=True)
class Figures:
    """The expected calibration error and the Brier score of some confidences; 0 is best. None without answers."""

    calibration_error: float | None
    brier: float | None


@dataclass(frozen=True, slots=True)
class ScopeReport:
    """The answers of one kind of cause, or of all kinds (cause None).

    share_right: with its Wilson interval (95 %), low to high. curve: what turns raw into calibrated confidence for this
    kind. raw, told, held_out: the figures of what the evidence alone gave, of what people were told, and of what the
    curve says of answers that it has not seen (five-fold). bins: the reliability of the last.
    """

    cause: str | None
    outcomes: int
    right: int
    low: float
    high: float
    curve: Curve
    is_own_curve: bool
    raw: Figures
    told: Figures
    held_out: Figures
    bins: tuple[ReliabilityBin, ...]
    raw_bins: tuple[ReliabilityBin, ...]

    @property
    def share_right(self) -> float:
        """Which share of the answers was right; 0 without answers."""
        return self.right / self.outcomes if self.outcomes else 0.0


def read_reports(services: Services) -> tuple[ScopeReport, ...]:
    """Return the report over all outcomes, then that of each kind of cause, the kind with most outcomes first."""
    with services.readers() as session:
        return reports(judged_answers(session))


def reports(outcomes: Sequence[JudgedAnswer]) -> tuple[ScopeReport, ...]:
    """Return the reports of `read_reports` for these outcomes."""
    calibration = fit(outcomes)
    unseen = held_out(outcomes)
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.cause] = counts.get(outcome.cause, 0) + 1
    causes = sorted(counts, key=lambda cause: (-counts[cause], cause))
    return tuple(_scope(cause, outcomes, unseen, calibration) for cause in (None, *causes))


def _scope(
    cause: str | None, outcomes: Sequence[JudgedAnswer], unseen: Sequence[float], calibration: Calibration
) -> ScopeReport:
    chosen = [(one, said) for one, said in zip(outcomes, unseen, strict=True) if cause in (None, one.cause)]
    was_right = [float(one.is_right) for one, _ in chosen]
    right, raw, said = int(sum(was_right)), [one.raw for one, _ in chosen], [said for _, said in chosen]
    told = [(one.stated, float(one.is_right)) for one, _ in chosen if one.stated is not None]
    low, high = wilson_interval(right, len(chosen)) if chosen else (0.0, 1.0)
    bins = min(_MOST_BINS, max(1, len(chosen) // _LEAST_IN_BIN))
    own = calibration.by_cause.get(cause) if cause is not None else calibration.over_all
    return ScopeReport(
        cause=cause,
        outcomes=len(chosen),
        right=right,
        low=float(low),
        high=float(high),
        curve=own or calibration.over_all,
        is_own_curve=own is not None,
        raw=_figures(raw, was_right),
        told=_figures([confidence for confidence, _ in told], [outcome for _, outcome in told]),
        held_out=_figures(said, was_right),
        bins=reliability_bins(said, was_right, bins),
        raw_bins=reliability_bins(raw, was_right, bins),
    )


def _figures(confidences: Sequence[float], outcomes: Sequence[float]) -> Figures:
    bins = min(_MOST_BINS, max(1, len(outcomes) // _LEAST_IN_BIN))
    error, score = expected_calibration_error(confidences, outcomes, bins), brier(confidences, outcomes)
    return Figures(None if math.isnan(error) else error, None if math.isnan(score) else score)
