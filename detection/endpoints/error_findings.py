"""Endpoints whose requests fail: the finding that a run of failing intervals makes, if it is more than a swing."""

from __future__ import annotations

import numpy as np

from detection.endpoints.error_strikes import failure_strikes
from detection.endpoints.slow_strikes import is_fading
from detection.endpoints.strike_run import Reading, chance_of_a_swing, endpoint_finding, together
from detection.options import EndpointOptions
from detection.statistics.changepoints import share_onset
from detection.statistics.proportions import sigma_score
from detection.types import Finding, Floats, Metric

DETECTOR = "endpoint_errors"

LONGEST_STRETCH = 4
"""A run is judged over all of its length, up to so many times the fewest strikes: the longer, the surer."""

_FLOOR = 0.02


def failures_stand(reading: Reading, options: EndpointOptions) -> bool:
    """Whether a run of failing intervals is neither dying away, nor a handful of errors, nor a usual swing.

    What is a swing is asked on the scale of log-odds.
    """
    errors, requests = reading.last.errors[0], reading.last.requests[0]
    if reading.sum(errors) < options.minimum_errors or is_fading(errors[reading.run], requests[reading.run]):
        return False
    history, length = reading.history, min(len(reading.run), LONGEST_STRETCH * options.consecutive_strikes)
    enough = history.requests[0] >= options.minimum_requests
    strikes = failure_strikes(history, [reading.normal], options)[0, enough]
    levels = _log_odds(together(history.errors[0, enough], length), together(history.requests[0, enough], length))
    share = reading.normal.error_rate
    usual = float(np.log((share + _FLOOR) / (1 - share + _FLOOR)))
    return chance_of_a_swing(levels, strikes, usual, length) <= options.chance


def _log_odds(errors: Floats, requests: Floats) -> Floats:
    """On this scale a share wanders alike wherever it is; differences among shares far below _FLOOR are noise to it."""
    floor = 0.5 + _FLOOR * requests
    return np.asarray(np.log((errors + floor) / (requests - errors + floor)))


def failure_finding(reading: Reading) -> Finding:
    """More requests fail than usual: since when, and how many."""
    normal, history = reading.normal, reading.history
    observed = reading.sum(reading.last.errors[0]) / reading.requests
    began = share_onset(
        history.starts, history.errors[0], history.requests[0], normal=normal.error_rate, broken=observed
    )
    score = sigma_score(reading.sum(reading.last.errors[0]), reading.requests, normal.error_rate, normal.error_strength)
    return endpoint_finding(
        reading,
        DETECTOR,
        Metric.ERROR_RATE,
        observed=observed,
        normal=normal.error_range(),
        score=float(score),
        began=began,
    )
