"""Rank candidate causes by evidence: a posterior over the causes that includes "unknown"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

UNKNOWN = "unknown"
UNKNOWN_PRIOR = 0.2
"""The prior probability, relative to the candidates, that the cause is none of them."""

LARGEST_WEIGHT = 3.0
"""The largest weight of one piece of evidence, in nats: odds of 20 to 1."""


def posterior(
    priors: Mapping[str, float],
    log_weights: Mapping[str, Sequence[float]],
    *,
    unknown_prior: float = UNKNOWN_PRIOR,
    largest_weight: float = LARGEST_WEIGHT,
) -> dict[str, float]:
    """Return the posterior probability of each cause and of "unknown"; they sum to 1.

    priors: non-negative, with any sum. A prior for "unknown" among them replaces the default, `unknown_prior` times
    the sum of the others. log_weights: for each cause the log likelihood ratios of its evidence against "cause
    unknown", each clipped to +-largest_weight. "unknown" always has weight 0: it loses when other causes gain, and wins
    when all others are refuted.

    This is Bayes' rule for independent pieces of evidence, log-linear pooling with unit weights (Genest and Zidek
    1986); see discount_by_source for pieces that are not independent. Raises ValueError for a negative prior or for
    evidence of a cause without prior.
    """
    if any(prior < 0 for prior in priors.values()):
        raise ValueError("a prior cannot be negative")
    if unknown_causes := set(log_weights) - set(priors):
        raise ValueError(f"evidence for causes without a prior: {', '.join(sorted(unknown_causes))}")
    total = sum(prior for cause, prior in priors.items() if cause != UNKNOWN)
    masses = {**priors, UNKNOWN: priors.get(UNKNOWN, unknown_prior * total if total > 0 else 1.0)}
    scores = {
        cause: np.log(prior) + _pooled(log_weights.get(cause, ()) if cause != UNKNOWN else (), largest_weight)
        for cause, prior in masses.items()
        if prior > 0
    }
    highest = max(scores.values(), default=0.0)
    parts = {cause: float(np.exp(scores[cause] - highest)) if cause in scores else 0.0 for cause in masses}
    whole = sum(parts.values())
    return {cause: part / whole for cause, part in parts.items()} if whole else {**parts, UNKNOWN: 1.0}


def discount_by_source(weights: Sequence[tuple[str, float]]) -> list[float]:
    """Return the weights of (source, log weight) pairs, discounted for repeated evidence from one source.

    Two checks on the same data are not independent. Among the weights of one source and one sign, the largest counts
    fully, the next half, the next a quarter, and so on: together always less than twice the largest. Order is kept.
    """
    ranked: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for index in sorted(range(len(weights)), key=lambda index: -abs(weights[index][1])):
        source, weight = weights[index]
        ranked[source, weight >= 0].append(index)
    return [weight * 0.5 ** ranked[source, weight >= 0].index(index) for index, (source, weight) in enumerate(weights)]


def _pooled(weights: Sequence[float], largest: float) -> float:
    return float(np.clip(np.asarray(weights, dtype=np.float64), -largest, largest).sum())
