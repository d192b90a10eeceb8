"""Step 2: what could have caused it. One origin is true, or none that Argux can see: "unknown"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from detection.types import VERSION_DIMENSION, Deploy, Metric, Where
from integrations.cards import moment
from workers.diagnosis import weights
from workers.diagnosis.checks.timing import SLACK_SECONDS
from workers.diagnosis.model import UNKNOWN, Characterisation, Hypothesis, Role, Symptom
from workers.words.attribution import place_formula
from workers.words.text import deploy_name, quoted

MOST_DEPLOYS = 10

SERVED_BY_OTHERS = ("provider", "payment_method")
"""Dimensions whose values are somebody else's service, which may be down."""


def hypothesise(described: Characterisation, deploys: Sequence[Deploy]) -> tuple[Hypothesis, ...]:
    """The candidates, with the origins' priors summing to 1. `deploys`: those of the look-back, of any service.

    Where an endpoint is affected, only its service's deploys are candidates; a funnel alone may break by any service.
    """
    concerned = [deploy for deploy in deploys if not described.services or deploy.service in described.services]
    likeliest = sorted(concerned, key=lambda deploy: _deploy_prior(deploy, described), reverse=True)[:MOST_DEPLOYS]
    origins = [
        *(_deploy(deploy, described) for deploy in likeliest),
        *_segments(described),
        *_mixes(described),
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
    """Each kind of users that stands out of a funnel; without one, the question whether any does."""
    seen: set[str] = set()
    for symptom in described.funnel_symptoms():
        for where in _places(symptom) or [()]:
            named = "&".join(f"{dimension}={value}" for dimension, value in where)
            key = (f"segment:{symptom.funnel_id}" + (f":{named}" if named else ""))[:300]
            if key in seen:
                continue
            seen.add(key)
            dimension, value = where[0] if len(where) == 1 else (None, None)
            yield Hypothesis(
                key=key,
                cause="segment",
                role=Role.ORIGIN,
                statement=_outside(where),
                prior=weights.SEGMENT_PRIOR,
                funnel_id=symptom.funnel_id,
                dimension=dimension,
                value=value,
                where=where,
            )


def _places(symptom: Symptom) -> list[Where]:
    """What the scan found, else the single segments that stand out, the finding's own among them."""
    if symptom.places or symptom.is_mix:
        return list(symptom.places)
    pairs = [(item.dimension, item.value) for item in symptom.segments]
    if symptom.dimension and symptom.value:
        pairs.append((symptom.dimension, symptom.value))
    # A version that stands out is a deploy, and is weighed there.
    return [(pair,) for pair in pairs if pair[0] != VERSION_DIMENSION]


def _outside(where: Where) -> str:
    outage = next((value for dimension, value in where if dimension in SERVED_BY_OTHERS), None)
    if outage is not None:
        return f"An outage at {quoted(outage, 60)}, or something else outside: only {place_formula(where)} suffers."
    return f"Something outside that concerns {place_formula(where) if where else 'some of the users'} only."


def _mixes(described: Characterisation) -> Iterator[Hypothesis]:
    """That other users than usual came, where the scan found so."""
    for funnel_id in dict.fromkeys(item.funnel_id for item in described.funnel_symptoms() if item.is_mix):
        yield Hypothesis(
            key=f"mix:{funnel_id}",
            cause="mix",
            role=Role.ORIGIN,
            statement="Other users than usual came, each kind of whom converts as before.",
            prior=weights.MIX_PRIOR,
            funnel_id=funnel_id,
        )


def _n_plus_ones(described: Characterisation) -> Iterator[Hypothesis]:
    """One for each endpoint that got slower or runs more queries: it says how, whatever the origin."""
    metrics: dict[tuple[str, str], set[Metric]] = {}
    for symptom in described.endpoint_symptoms():
        if symptom.metric not in (Metric.LATENCY_P95, Metric.QUERY_COUNT):
            continue
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
