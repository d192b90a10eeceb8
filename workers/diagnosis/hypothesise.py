"""Step 2: what could have caused it. One origin is true, or none that Argux can see: "unknown"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from detection.types import Deploy, Metric
from integrations.cards import moment
from workers.diagnosis import weights
from workers.diagnosis.checks.timing import SLACK_SECONDS
from workers.diagnosis.model import UNKNOWN, Characterisation, Hypothesis, Role
from workers.diagnosis.words import deploy_name, quoted

MOST_DEPLOYS = 10


def hypothesise(described: Characterisation, deploys: Sequence[Deploy]) -> tuple[Hypothesis, ...]:
    """The candidates, with the origins' priors summing to 1. `deploys`: those of the look-back, of any service.

    Where an endpoint is affected, only its service's deploys are candidates; a funnel alone may break by any service.
    """
    concerned = [deploy for deploy in deploys if not described.services or deploy.service in described.services]
    likeliest = sorted(concerned, key=lambda deploy: _deploy_prior(deploy, described), reverse=True)[:MOST_DEPLOYS]
    origins = [
        *(_deploy(deploy, described) for deploy in likeliest),
        *_segments(described),
        Hypothesis(
            key=UNKNOWN,
            cause="unknown",
            role=Role.ORIGIN,
            statement="Something that Argux cannot see.",
            prior=weights.UNKNOWN_PRIOR,
        ),
    ]
    total = sum(origin.prior for origin in origins)
    return (*(replace(origin, prior=origin.prior / total) for origin in origins), *_n_plus_ones(described))


def _deploy(deploy: Deploy, described: Characterisation) -> Hypothesis:
    live = moment(deploy.deployed_at)
    return Hypothesis(
        key=f"deploy:{deploy.deploy_id}",
        cause="deploy",
        role=Role.ORIGIN,
        statement=f"{deploy_name(deploy)} of {quoted(deploy.service, 60)} at {live} broke it.",
        prior=_deploy_prior(deploy, described),
        deploy=deploy,
    )


def _deploy_prior(deploy: Deploy, described: Characterisation) -> float:
    """Halved every few hours of age at the onset; almost nothing for a deploy that came later."""
    if deploy.deployed_at > described.onset_latest + SLACK_SECONDS:
        return weights.DEPLOY_AFTER_ONSET_PRIOR
    hours = max(described.onset_earliest - deploy.deployed_at, 0.0) / 3600
    return float(weights.DEPLOY_PRIOR * 0.5 ** (hours / weights.DEPLOY_HALF_LIFE_HOURS))


def _segments(described: Characterisation) -> Iterator[Hypothesis]:
    """Each segment that stands out of a funnel; without one, the question whether any does."""
    seen: set[str] = set()
    for symptom in described.funnel_symptoms():
        standing_out = [(item.dimension, item.value) for item in symptom.segments]
        if symptom.dimension and symptom.value:
            standing_out.append((symptom.dimension, symptom.value))
        # A version that stands out is a deploy, and is weighed there.
        named = [pair for pair in standing_out if pair[0] != "version"]
        candidates: list[tuple[str | None, str | None]] = [*named] or [(None, None)]
        for dimension, value in candidates:
            key = f"segment:{symptom.funnel_id}" + (f":{dimension}={value}" if dimension else "")
            if key[:300] in seen:
                continue
            seen.add(key[:300])
            where = f"{quoted(dimension, 60)} = {quoted(value or '', 60)}" if dimension else "some of the users"
            yield Hypothesis(
                key=key[:300],
                cause="segment",
                role=Role.ORIGIN,
                statement=f"Something outside that concerns {where} only.",
                prior=weights.SEGMENT_PRIOR,
                funnel_id=symptom.funnel_id,
                dimension=dimension,
                value=value,
            )


def _n_plus_ones(described: Characterisation) -> Iterator[Hypothesis]:
    """One for each endpoint that got slower or runs more queries: it says how, whatever the origin."""
    metrics: dict[tuple[str, str], set[Metric]] = {}
    for symptom in described.endpoint_symptoms():
        metrics.setdefault((symptom.service or "", symptom.endpoint or ""), set()).add(symptom.metric)
    for (service, endpoint), seen in metrics.items():
        with_queries = Metric.QUERY_COUNT in seen
        yield Hypothesis(
            key=f"n_plus_one:{service}:{endpoint}"[:300],
            cause="n_plus_one",
            role=Role.MECHANISM,
            statement=f"{quoted(endpoint, 120)} runs one query again and again for every request (N+1).",
            prior=weights.N_PLUS_ONE_PRIOR_WITH_QUERIES if with_queries else weights.N_PLUS_ONE_PRIOR,
            service=service,
            endpoint=endpoint,
        )
