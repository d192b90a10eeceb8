"""Findings about endpoints whose requests fail: confirm a run of failing intervals and describe it."""

from __future__ import annotations

import numpy as np

from detection.endpoints.error_strikes import failure_strikes
from detection.endpoints.slow_strikes import is_fading
from detection.endpoints.strike_run import Reading, endpoint_finding, fluctuation_p_value, rolling_sums
from detection.options import EndpointOptions
from detection.statistics.changepoints import share_onset
from detection.statistics.proportions import sigma_score
from detection.types import Finding, Floats, Metric

DETECTOR = "endpoint_errors"

LONGEST_STRETCH = 4
"""A run is tested over its full length, up to this many times the fewest strikes; a longer run is more certain."""

_FLOOR = 0.02


def is_confirmed_failure(reading: Reading, options: EndpointOptions) -> bool:
    """Whether a run of failing intervals is significant: not fading, not just a few errors, not usual fluctuation.

    Fluctuation is tested on the log-odds scale.
    """
    errors, requests = reading.last.errors[0], reading.last.requests[0]
    if reading.sum(errors) < options.minimum_errors or is_fading(errors[reading.run], requests[reading.run]):
        return False
    history, length = reading.history, min(len(reading.run), LONGEST_STRETCH * options.consecutive_strikes)
    enough = history.requests[0] >= options.minimum_requests
    strikes = failure_strikes(history, [reading.normal], options)[0, enough]
    levels = _log_odds(
        rolling_sums(history.errors[0, enough], length), rolling_sums(history.requests[0, enough], length)
    )
    share = reading.normal.error_rate
    usual = float(np.log((share + _FLOOR) / (1 - share + _FLOOR)))
    return fluctuation_p_value(levels, strikes, usual, length) <= options.chance


def _log_odds(errors: Floats, requests: Floats) -> Floats:
    """Return the log-odds of the error rate, smoothed so that differences far below _FLOOR vanish.

    On this scale a share fluctuates about equally whatever its level.
    """
    floor = 0.5 + _FLOOR * requests
    return np.asarray(np.log((errors + floor) / (requests - errors + floor)))


def failure_finding(reading: Reading) -> Finding:
    """Build the finding that more requests fail than usual, with its onset."""
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
