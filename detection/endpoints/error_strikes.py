"""Strikes of failed requests: is an interval's share of errors above what its baseline allows."""

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
    """Return (series, intervals): more errors than `anomaly_threshold` deviations allow, and an interval that fails.

    The chance is a beta-binomial's (Skellam 1948): the baseline's own error, and what hours differ by beyond the
    binomial, are both in it.
    """
    rate = np.array([normal.error_rate for normal in normals])[:, None]
    strength = np.array([normal.error_strength for normal in normals])[:, None]
    at_least = 1.0 - beta_binomial_mid_p(intervals.errors, intervals.requests, rate, strength)
    is_rare = at_least <= ndtr(-options.anomaly_threshold)
    return np.asarray(is_rare & is_failing(intervals, normals, options))


def is_failing(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return (series, intervals): is the share of errors above the baseline's by both the minimum ratio and rise.

    An endpoint that fails so often that the ratio cannot be reached fails when all of it does.
    """
    share = error_shares(intervals)
    usual = np.array([normal.error_rate for normal in normals])[:, None]
    least = np.minimum(np.maximum(usual * options.minimum_error_ratio, usual + options.minimum_error_increase), 1.0)
    return np.asarray(share >= least)


def error_shares(intervals: Intervals) -> Floats:
    """(series, intervals): the share of requests that failed, 0 without any."""
    return np.asarray(intervals.errors / np.maximum(intervals.requests, 1))
