"""Strikes for failed requests: intervals in which the error rate of an endpoint exceeds its baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from detection.endpoints.intervals import Intervals
from detection.endpoints.normal import NormalEndpoint
from detection.options import EndpointOptions
from detection.statistics.baselines import Mask
from detection.statistics.proportions import beta_binomial_mid_p
from detection.types import Floats


def failure_strikes(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return which intervals strike for errors, (series, intervals).

    The errors are significant at `anomaly_threshold` standard deviations, and the interval `is_failing`. The p-value is
    that of a beta-binomial (Skellam 1948), which includes the error of the baseline and the overdispersion of hours.
    """
    rate = np.array([normal.error_rate for normal in normals])[:, None]
    strength = np.array([normal.error_strength for normal in normals])[:, None]
    at_least = 1.0 - beta_binomial_mid_p(intervals.errors, intervals.requests, rate, strength)
    is_rare = at_least <= ndtr(-options.anomaly_threshold)
    return np.asarray(is_rare & is_failing(intervals, normals, options))


def is_failing(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return whether the error rate exceeds the baseline by the minimum ratio and increase, (series, intervals).

    If the baseline is so high that this is impossible, the interval fails when all of its requests fail.
    """
    share = error_shares(intervals)
    usual = np.array([normal.error_rate for normal in normals])[:, None]
    least = np.minimum(np.maximum(usual * options.minimum_error_ratio, usual + options.minimum_error_increase), 1.0)
    return np.asarray(share >= least)


def error_shares(intervals: Intervals) -> Floats:
    """Return the share of requests that failed, (series, intervals); 0 without requests."""
    return np.asarray(intervals.errors / np.maximum(intervals.requests, 1))
